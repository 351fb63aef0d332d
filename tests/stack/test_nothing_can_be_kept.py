"""Where records cannot be kept, or not be delivered, the process says so, with their exact number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.stack.processes import WAIT_SECONDS, Store, eventually, kill, ready_line, started

PROLOGUE = """
import json, logging, os, resource, shutil, socket, sys, time
import logging_system
spool, url = sys.argv[1:3]
log = logging.getLogger("app")

def state(handle):
    counters = handle.stats().handler
    print(json.dumps({
        "spool": str(handle.spool), "problems": handle.stats().settings_problems,
        "offered": counters.offered, "admitted": counters.admitted, "dropped": counters.dropped,
    }), flush=True)
"""
THREE_RECORDS = """
handle = logging_system.install(service="shop", spool=spool, shipper="none", close_seconds=1)
for number in range(3): log.info("line %d", number)
handle.close()
state(handle)
"""


def run(script: str, spool: Path | str, url: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGGING_SYSTEM_")}
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + script, str(spool), url],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env={**kept, **variables},
    )
    assert done.returncode == 0, done.stderr
    return done


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def a_file(folder: Path) -> Path:
    (folder / "spool").write_text("not a folder")
    return folder / "spool"


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("not a folder")
    return folder / "file" / "spool"


def a_link_to_nowhere(folder: Path) -> Path:
    (folder / "spool").symlink_to(folder / "none" / "none")
    return folder / "spool"


def a_name_that_is_too_long(folder: Path) -> Path:
    return folder / ("s" * 300)


def where_nobody_may_write(_folder: Path) -> Path:
    return Path("/proc/1/spool")


PLACES = [a_file, below_a_file, a_link_to_nowhere, a_name_that_is_too_long, where_nobody_may_write]


@pytest.mark.parametrize("place", PLACES)
def test_records_go_to_a_temporary_folder_where_the_spool_cannot_be_used(tmp_path: Path, place: Any) -> None:
    (tmp_path / "tmp").mkdir()
    spool = place(tmp_path)
    done = run(THREE_RECORDS, spool, TMPDIR=str(tmp_path / "tmp"))
    fallback = tmp_path / "tmp" / f"logging_system-{os.getuid()}" / "shop"

    assert said(done) == {"spool": str(fallback), "problems": 1, "offered": 3, "admitted": 3, "dropped": {}}
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"logging_system: Cannot write to {spool}: E")
    assert line.endswith(f"; records go to {fallback}.")
    for folder in (fallback, fallback.parent):
        assert oct(folder.stat().st_mode) == oct(0o40700)
    assert len(list(fallback.glob("*.segment"))) == 1


def test_a_user_without_a_home_has_a_temporary_folder_for_each_service(tmp_path: Path) -> None:
    script = """
import pwd
def no_such_user(uid): raise KeyError(uid)
pwd.getpwuid = no_such_user
del os.environ["HOME"]
handle = logging_system.install(service="shop", shipper="none")
log.info("m"); handle.close(); state(handle)
"""
    done = run(script, "", TMPDIR=str(tmp_path), XDG_STATE_HOME="")
    fallback = tmp_path / f"logging_system-{os.getuid()}" / "shop"

    assert said(done)["admitted"] == 1
    assert done.stderr == f"logging_system: This user has no home folder; records go to {fallback}.\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_users_folder_is_not_used(tmp_path: Path) -> None:
    theirs = tmp_path / f"logging_system-{os.getuid()}"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    done = run(THREE_RECORDS, a_file(tmp_path), TMPDIR=str(tmp_path))

    assert said(done)["admitted"] == 3
    assert theirs not in [Path(said(done)["spool"]), Path(said(done)["spool"]).parent]
    assert list(theirs.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_folder_of_another_user_is_not_written_to() -> None:
    # Beside pytest's own folders, which only their owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        script = "logging_system.install; os.setuid(65534)" + THREE_RECORDS
        done = run(script, folder / "spool", TMPDIR=str(folder / "tmp"))

    assert said(done)["admitted"] == 3
    assert f"Cannot write to {folder}/spool: EACCES, Permission denied; records go to" in done.stderr


# No file may grow: as on a full disk, no folder takes a byte.
NO_SPACE = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"


def test_what_no_folder_takes_is_lost_and_told_with_its_number(tmp_path: Path) -> None:
    done = run(NO_SPACE + THREE_RECORDS.replace("range(3)", "range(2_000)"), tmp_path / "spool")

    assert said(done)["dropped"] == {"spool_error": 2_000}
    first, *others = done.stderr.splitlines()
    assert first.startswith(
        f"logging_system: Cannot write to {tmp_path}/spool: EFBIG, File too large, nor to a"
    )
    assert first.endswith(
        "; records are kept in memory until it can be written, and are lost if the process ends before."
    )
    dropped = [line for line in others if "dropped" in line]
    assert dropped == [
        "logging_system: 2,000 records dropped in the last second: the disk refused until the process ended."
    ]


def test_a_folder_that_is_lost_later_is_told_with_the_number_of_records(tmp_path: Path) -> None:
    script = """
handle = logging_system.install(service="shop", spool=spool, shipper="none", close_seconds=1)
log.info("kept"); assert handle.flush(5.0)
while os.path.exists(spool): shutil.rmtree(spool, ignore_errors=True)  # the handler's own files come and go
open(spool, "w").close()
for number in range(700): log.info("line %d", number)
handle.close()
state(handle)
"""
    done = run(script, tmp_path / "spool")

    assert said(done)["admitted"] == 1
    assert said(done)["dropped"] == {"spool_error": 700}
    assert "700 records dropped in the last second: the disk refused until the process ended." in done.stderr


def test_records_are_kept_where_the_system_has_no_thread_for_the_worker(tmp_path: Path) -> None:
    script = (
        """
import threading
start, names = threading.Thread.start, ("logging_system.worker", "logging_system.events")
def refused(self):
    if self.name in names: raise RuntimeError("can't start new thread")
    start(self)
threading.Thread.start = refused
"""
        + THREE_RECORDS
    )
    done = run(script, tmp_path / "spool")

    assert said(done)["admitted"] == 3
    assert len(list((tmp_path / "spool").glob("*.segment"))) == 1
    assert "The system has no thread for the worker" in done.stderr


WAITING = """
handle = logging_system.install(url, service="shop", spool=spool)
for number in range(3): log.info("line %d", number)
"""
SILENT = """
listening = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listening.getsockname()[1]}"
"""


def told_of_waiting(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if "not delivered when this process ended" in line]


@pytest.mark.parametrize(
    ("store", "end"),
    [("", ""), ("", "handle.close()"), ("", "logging.shutdown()"), (SILENT, "")],
    ids=["a store that is down", "closed before", "logging shut down before", "a store that never answers"],
)
def test_records_that_wait_at_the_end_are_told_with_their_number(
    tmp_path: Path, store: str, end: str
) -> None:
    done = run(store + WAITING + end, tmp_path / "spool", "http://127.0.0.1:9")

    (line,) = told_of_waiting(done)
    assert line.startswith(
        f"logging_system: 3 records were not delivered when this process ended and wait in {tmp_path}/spool; "
        "the next process that ships this folder delivers them"
    )
    status = json.loads((tmp_path / "spool" / "status-shipper.json").read_text())
    assert (status["spooled"], status["delivered"]) == (3, 0)


def test_records_of_an_earlier_process_count_too(tmp_path: Path) -> None:
    run(THREE_RECORDS, tmp_path / "spool")
    done = run(WAITING, tmp_path / "spool", "http://127.0.0.1:9")

    assert ["6 records were" in line for line in told_of_waiting(done)] == [True]


def test_nothing_is_said_where_all_was_delivered(tmp_path: Path, store: Store) -> None:
    done = run(WAITING, tmp_path / "spool", store.url)

    assert told_of_waiting(done) == []


def test_nothing_is_said_while_another_process_ships(tmp_path: Path) -> None:
    holder = (
        PROLOGUE
        + 'logging_system.install(url, service="shop", spool=spool)\nprint("{}", flush=True)\ntime.sleep(60)'
    )
    process = started([sys.executable, "-c", holder, str(tmp_path / "spool"), "http://127.0.0.1:9"])
    try:
        ready_line(process)
        eventually((tmp_path / "spool" / "shipper.lock").exists, "the folder is held")
        done = run(WAITING, tmp_path / "spool", "http://127.0.0.1:9")
    finally:
        kill(process)

    assert told_of_waiting(done) == []


def test_nothing_is_said_when_logging_is_configured_anew(tmp_path: Path) -> None:
    script = WAITING + "handle.handler.close()\nlog.info('more')\nhandle.flush()\nos._exit(0)"
    done = run(script, tmp_path / "spool", "http://127.0.0.1:9")

    assert told_of_waiting(done) == []
