import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from harness.cleanup.leftovers import find_residue
from harness.model.errors import InternalError
from harness.processes import procfs
from harness.processes.scratch import OWNER_FILE, remove_scratch, subfolder


def test_scratch_folder_names_its_owner(scratch: Path, run_id: str) -> None:
    owner = json.loads((scratch / OWNER_FILE).read_text())

    assert owner == {"harness": procfs.mark(os.getpid()), "run_id": run_id}


def test_scratch_folder_is_closed_to_others_unless_servers_run_as_another_user(scratch: Path) -> None:
    mode = stat.S_IMODE(scratch.stat().st_mode)

    assert mode == (0o755 if os.geteuid() == 0 else 0o700)


def test_subfolder_is_private(scratch: Path) -> None:
    folder = subfolder(scratch, "store")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_subfolder_belongs_to_the_user_of_its_server(scratch: Path) -> None:
    folder = subfolder(scratch, "store", 65_534)

    assert (folder.stat().st_uid, folder.stat().st_gid) == (65_534, 65_534)


def test_removing_a_folder_that_is_no_scratch_folder_is_refused(tmp_path: Path) -> None:
    precious = tmp_path / "logquake-precious"
    precious.mkdir()

    with pytest.raises(InternalError, match="is not a scratch folder"):
        remove_scratch(precious)

    assert precious.is_dir()


def test_removing_a_scratch_folder_twice_is_no_error(scratch: Path) -> None:
    remove_scratch(scratch)
    remove_scratch(scratch)

    assert not scratch.exists()


def test_mark_names_one_process_and_no_later_one_of_its_number() -> None:
    mine = procfs.mark(os.getpid())

    assert procfs.mark_runs(mine)
    assert not procfs.mark_runs(f"{os.getpid()}:1")
    assert not procfs.mark_runs("nonsense")
    assert not procfs.mark_runs("")


def test_scratch_folder_of_a_running_harness_is_no_residue(scratch: Path) -> None:
    named = [left.what for left in find_residue()]

    assert str(scratch) not in named


def test_scratch_folder_of_a_dead_harness_is_named_with_its_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "logquake-old run"
    folder.mkdir()
    (folder / OWNER_FILE).write_text('{"harness": "1:1", "run_id": "old"}')

    (left,) = [left for left in find_residue(tmp_path, tmp_path / "journals") if left.sort == "folder"]

    assert left.what == str(folder)
    assert left.run_id == "old"
    assert left.remedy == f"rm -r '{folder}'"


def test_folder_whose_owner_is_not_written_yet_is_no_residue(tmp_path: Path) -> None:
    (tmp_path / "logquake-just-made").mkdir()

    assert [left for left in find_residue(tmp_path, tmp_path / "journals") if left.sort == "folder"] == []


def test_folder_that_never_got_an_owner_is_residue(tmp_path: Path) -> None:
    folder = tmp_path / "logquake-torn"
    folder.mkdir()
    (folder / OWNER_FILE).write_text("{tor")
    os.utime(folder, (0, 0))

    (left,) = [left for left in find_residue(tmp_path, tmp_path / "journals") if left.sort == "folder"]

    assert left.what == str(folder)


def test_process_of_a_running_harness_is_no_residue_and_of_a_killed_one_is(
    scratch: Path, run_id: str
) -> None:
    harness_program = dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from harness.processes.clock import SystemClock
        from harness.processes.managed import ManagedProcess, ProcessSpec
        folder = Path({str(scratch)!r})
        child = (sys.executable, "-c", "import signal; signal.pause()")
        spec = ProcessSpec("part", child, folder, folder / "part.log")
        process = ManagedProcess(spec, {run_id!r}, SystemClock())
        process.start()
        print(process.pid, flush=True)
        sys.stdin.readline()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", harness_program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as dying:
        assert dying.stdout is not None
        child = int(dying.stdout.readline())
        try:
            before = [left for left in find_residue() if left.run_id == run_id]
            dying.communicate("die now\n", timeout=10)
            after = [left for left in find_residue() if left.pid == child]
        finally:
            gone = procfs.kill(child, 10)

    assert before == []
    (left,) = after
    assert left.run_id == run_id
    assert left.remedy == f"kill {child}"
    assert "signal.pause()" in left.what
    assert 0 <= left.age_seconds < 60
    assert gone
