import signal

import pytest

from harness.model.errors import FaultError, StackError
from harness.model.protocols import Undo
from harness.targets.capabilities import Killable, Pausable, Severable, Stoppable
from harness.targets.process import ProcessTarget


class FakeProcess:
    """A process that can be told to survive, or not to come back."""

    def __init__(
        self, survives: bool = False, comes_back: bool = True, orderly: bool = False, obeys: bool = True
    ) -> None:
        self.pid: int | None = 100
        self._obeys = obeys
        self._state = "S"
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

    def stop(self, timeout_seconds: float) -> None:
        self.kill()

    def alive(self) -> bool:
        return self._alive

    def stopped_orderly(self) -> bool:
        return self._orderly

    def send(self, number: signal.Signals) -> None:
        if not self._alive:
            raise StackError("it does not run")
        if self._obeys:
            self._state = {signal.SIGSTOP: "T", signal.SIGCONT: "S"}[number]

    def wait_state(self, states: str, timeout_seconds: float) -> str:
        return self._state if self._alive else ""

    def mark(self) -> str:
        return f"{self.pid}:4711"


def target(process: FakeProcess) -> ProcessTarget:
    return ProcessTarget("store", ("bin/store", "--port", "1"), process, ready_seconds=12.0)


def test_process_target_can_be_killed_and_is_no_link() -> None:
    process = target(FakeProcess())

    assert isinstance(process, Killable)
    assert isinstance(process, Stoppable)
    assert isinstance(process, Pausable)
    assert not isinstance(process, Severable)


def test_killed_process_is_seen_to_be_gone() -> None:
    process = target(FakeProcess())

    process.kill()

    assert not process.alive()
    assert process.describe_state() == "pid 100 was killed (no clean shutdown)"


def test_orderly_stop_is_said() -> None:
    process = target(FakeProcess(orderly=True))

    process.kill()

    assert process.stopped_orderly()
    assert process.describe_state() == "pid 100 stopped by itself (clean shutdown)"


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

    with pytest.raises(FaultError, match='"store": it is not running'):
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


def test_paused_process_stands_until_it_is_resumed() -> None:
    process = target(FakeProcess())
    process.pause()
    stood, state = process.paused(), process.describe_state()
    process.resume()

    assert stood
    assert state == "pid 100 is stopped (state T in /proc)"
    assert not process.paused()
    assert process.describe_state() == "pid 100 runs"


def test_process_that_does_not_run_cannot_be_paused() -> None:
    process = target(FakeProcess())
    process.kill()

    with pytest.raises(FaultError, match='"store": it does not run'):
        process.pause()


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_process_that_does_not_obey_its_signal_is_a_failed_fault(act: str) -> None:
    fake = FakeProcess(obeys=False)
    if act == "resume":
        fake._state = "T"

    with pytest.raises(FaultError, match=r"pid 100 is in state '[ST]' of /proc after SIG(STOP|CONT)"):
        getattr(target(fake), act)()


def test_undo_of_a_pause_names_the_process_by_pid_and_start_time() -> None:
    undo = target(FakeProcess()).undo_pause()

    assert undo == Undo("resume_process", {"process": "store", "mark": "100:4711", "signal": "SIGCONT"})
