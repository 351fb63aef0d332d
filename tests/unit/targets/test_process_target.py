import pytest

from harness.errors import FaultError, StackError
from harness.protocols import Undo
from harness.targets.capabilities import Killable, Severable
from harness.targets.process import ProcessTarget


class FakeProcess:
    """A process that can be told to survive, or not to come back."""

    def __init__(self, survives: bool = False, comes_back: bool = True, orderly: bool = False) -> None:
        self.pid: int | None = 100
        self._alive = True
        self._survives = survives
        self._comes_back = comes_back
        self._orderly = orderly
        self.waited_seconds: list[float] = []

    def start(self) -> None:
        assert self.pid is not None
        self.pid += 1
        self._alive = True

    def wait_ready(self, timeout_seconds: float) -> None:
        self.waited_seconds.append(timeout_seconds)
        if not self._comes_back:
            raise StackError("its port is taken")

    def kill(self) -> None:
        if self._survives:
            raise StackError("it survives SIGKILL")
        self._alive = False

    def alive(self) -> bool:
        return self._alive

    def stopped_orderly(self) -> bool:
        return self._orderly


def target(process: FakeProcess) -> ProcessTarget:
    return ProcessTarget("store", ("bin/store", "--port", "1"), process, ready_seconds=12.0)


def test_process_target_can_be_killed_and_is_no_link() -> None:
    process = target(FakeProcess())

    assert isinstance(process, Killable)
    assert not isinstance(process, Severable)


def test_killed_process_is_seen_to_be_gone() -> None:
    process = target(FakeProcess())

    process.kill()

    assert not process.alive()
    assert process.describe_state() == "pid 100 is gone, it did not stop in good order"


def test_orderly_stop_is_said() -> None:
    process = target(FakeProcess(orderly=True))

    process.kill()

    assert process.stopped_orderly()
    assert process.describe_state() == "pid 100 is gone, it stopped in good order"


def test_restarted_process_runs_again_under_another_pid() -> None:
    fake = FakeProcess()
    process = target(fake)
    process.kill()

    process.restart()

    assert process.alive()
    assert process.describe_state() == "pid 101 runs"
    assert fake.waited_seconds == [12.0]


def test_process_that_does_not_run_cannot_be_killed() -> None:
    process = target(FakeProcess())
    process.kill()

    with pytest.raises(FaultError, match='"store": it does not run'):
        process.kill()


def test_process_that_survives_is_a_failed_fault() -> None:
    with pytest.raises(FaultError, match="survives SIGKILL"):
        target(FakeProcess(survives=True)).kill()


def test_process_that_does_not_come_back_is_a_failed_fault() -> None:
    process = target(FakeProcess(comes_back=False))
    process.kill()

    with pytest.raises(FaultError, match='"store" did not come back: its port is taken'):
        process.restart()


def test_undo_of_a_kill_names_process_pid_and_command() -> None:
    undo = target(FakeProcess()).undo_kill()

    assert undo == Undo("restart_process", {"process": "store", "pid": 100, "command": "bin/store --port 1"})
