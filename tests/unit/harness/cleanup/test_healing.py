import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cleanup.healing import end_processes, heal, heal_run
from harness.cleanup.leftovers import Residue, find_residue
from harness.cleanup.undo_actions import ACTIONS, carry_out
from harness.cleanup.undo_journal import UndoJournal
from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.processes import procfs
from harness.processes.scratch import OWNER_FILE

DEAD = "1:1"
"""The identity of a process that cannot run: pid 1 began at another time."""


class Machine:
    """A machine's temporary folder and its undo journals, as a dead harness left them."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.journals = folder / "undo"
        self.said: list[str] = []

    def scratch(self, run_id: str, harness: str = DEAD) -> Path:
        folder = self.temporary / f"logquake-{run_id}"
        folder.mkdir()
        (folder / OWNER_FILE).write_text(f'{{"harness": "{harness}", "run_id": "{run_id}"}}')
        return folder

    def fault(self, undo: Undo, run_id: str = "old-01", harness: str = DEAD) -> Path:
        UndoJournal(self.journals, run_id, harness).before("a.0", undo)
        return self.journals / f"{run_id}.jsonl"

    def heal(self, run_id: str = "old") -> list[Residue]:
        # One run only: whatever else is left on the machine that runs the tests is not theirs to end.
        return heal(self.said.append, self.temporary, self.journals, run_id)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def sleeper() -> Iterator[Callable[[str], int]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{program}; print('up', flush=True); signal.pause()"],
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    yield start
    for process in started:
        process.kill()
        process.communicate()


def left(pid: int, mark: str) -> Residue:
    return Residue("process", f"{pid} sleeper", "old", 1.0, f"kill {pid}", pid, mark)


def test_what_a_dead_run_left_is_undone_and_said_and_nothing_is_left(machine: Machine) -> None:
    scratch = machine.scratch("old")
    journal = machine.fault(Undo("restart_process", {"process": "elasticsearch"}))

    still_there = machine.heal()

    assert still_there == []
    assert not scratch.exists()
    assert not journal.exists()
    assert any("elasticsearch belonged to a run that is over" in line for line in machine.said)
    assert f"old folder removed: {scratch}" in machine.said


def test_healing_twice_is_healing_once(machine: Machine) -> None:
    machine.scratch("old")
    machine.heal()
    machine.said.clear()

    assert machine.heal() == []
    assert machine.said == []


def test_nothing_of_a_running_harness_is_touched(machine: Machine) -> None:
    alive = procfs.mark(os.getpid())
    scratch = machine.scratch("old", alive)
    journal = machine.fault(Undo("restart_process", {}), "old-01", alive)

    assert machine.heal() == []
    assert scratch.exists()
    assert journal.exists()


def test_a_folder_of_somebody_else_is_never_named_however_it_is_called(machine: Machine) -> None:
    precious = machine.temporary / "logquake-notes"
    precious.mkdir()
    (precious / "notes.txt").write_text("mine")
    os.utime(precious, (0, 0))

    assert machine.heal("unknown") == []
    assert (precious / "notes.txt").exists()


def test_an_undo_nobody_knows_stays_with_its_journal_and_says_what_to_do(machine: Machine) -> None:
    journal = machine.fault(Undo("close_the_valve", {"valve": "north"}))

    still_there = machine.heal()

    assert {one.sort for one in still_there} == {"fault", "journal"}
    assert journal.exists()
    assert any('no way to carry out "close_the_valve"' in line for line in machine.said)
    assert "valve=north" in still_there[0].what
    assert str(journal) in still_there[0].remedy


def test_a_journal_with_nothing_open_is_removed_once_its_harness_is_dead(machine: Machine) -> None:
    journal = machine.fault(Undo("restart_process", {}))
    with journal.open("a") as file:
        file.write('{"step": "a.0", "done": true}\n')

    assert machine.heal() == []
    assert not journal.exists()


def test_a_damaged_journal_is_removed_only_when_it_is_old(machine: Machine) -> None:
    machine.journals.mkdir()
    journal = machine.journals / "old-torn.jsonl"
    journal.write_text('{"step": "a.0", "har')

    assert machine.heal() == []
    assert journal.exists()

    os.utime(journal, (0, 0))

    assert machine.heal() == []
    assert not journal.exists()


def test_a_process_is_ended_in_good_order(sleeper: Callable[[str], int]) -> None:
    pid = sleeper("import signal")
    said: list[str] = []

    assert end_processes([left(pid, procfs.mark(pid))], said.append) == 1
    assert not procfs.running(pid)
    assert said == [f"old process ended: {pid} sleeper"]


def test_a_stopped_process_is_ended_too(sleeper: Callable[[str], int]) -> None:
    pid = sleeper("import signal")
    os.kill(pid, signal.SIGSTOP)

    assert end_processes([left(pid, procfs.mark(pid))], lambda line: None) == 1
    assert not procfs.running(pid)


def test_a_process_that_does_not_listen_is_killed(sleeper: Callable[[str], int]) -> None:
    pid = sleeper("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")

    assert end_processes([left(pid, procfs.mark(pid))], lambda line: None, 0.2) == 1
    assert not procfs.running(pid)


def test_a_later_process_of_the_same_number_is_not_touched(sleeper: Callable[[str], int]) -> None:
    pid = sleeper("import signal")

    assert end_processes([left(pid, f"{pid}:1")], lambda line: None) == 0
    assert procfs.running(pid)


def test_resuming_continues_the_very_process(sleeper: Callable[[str], int]) -> None:
    pid = sleeper("import signal")
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)

    said = carry_out(Undo("resume_process", {"mark": procfs.mark(pid)}))

    os.waitid(os.P_PID, pid, os.WCONTINUED | os.WNOWAIT)
    assert "was resumed" in said


def test_resuming_a_process_that_is_gone_is_no_error() -> None:
    assert "nothing to resume" in carry_out(Undo("resume_process", {"mark": DEAD}))


@pytest.mark.parametrize(
    "undo",
    [
        Undo("remove_toxic", {"proxy_url": "http://127.0.0.1:9", "proxy": "p", "toxic": "t"}),
        Undo("enable_proxy", {"proxy_url": "http://127.0.0.1:9", "proxy": "p"}),
        Undo("remove_rule", {"interceptor_url": "http://127.0.0.1:9", "interceptor": "g", "rule": "r"}),
        Undo("accept_mail", {"api_url": "http://127.0.0.1:9"}),
    ],
    ids=lambda undo: undo.action,
)
def test_a_fault_whose_proxy_is_gone_is_gone_with_it(undo: Undo) -> None:
    assert "gone" in carry_out(undo)


def test_a_damaged_undo_is_an_error_that_says_so() -> None:
    with pytest.raises(FaultError, match="lacks its argument 'proxy_url'"):
        carry_out(Undo("remove_toxic", {}))


def test_every_action_a_target_writes_is_known() -> None:
    assert {
        "remove_toxic",
        "enable_proxy",
        "remove_rule",
        "resume_process",
        "restart_process",
    } <= set(ACTIONS)


def test_a_run_takes_its_own_open_faults_back_at_its_end_and_nobody_elses(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(machine.temporary))
    machine.journals = machine.temporary / "logquake" / "undo"
    alive = procfs.mark(os.getpid())
    mine = machine.fault(Undo("restart_process", {"process": "shipper"}), "run-7-01", alive)
    other = machine.fault(Undo("restart_process", {}), "run-77-01", alive)

    said = heal_run("run-7")

    assert len(said) == 1
    assert not mine.exists()
    assert other.exists()


def test_finding_names_the_fault_before_its_journal(machine: Machine) -> None:
    machine.fault(Undo("restart_process", {}))

    found = [one.sort for one in find_residue(machine.temporary, machine.journals, "old")]

    assert found == ["fault", "journal"]
