"""How a process is started, and when it is ready."""

import os
import stat
from pathlib import Path

import pytest

from harness.model.declarations import Ready
from harness.model.errors import InterruptedRunError, StackError
from harness.processes import procfs
from harness.processes.managed import ManagedProcess
from harness.testing import FakeClock
from tests.unit.harness.processes.process_spec import FOREVER, Make, spec


def test_process_is_ready_once_its_output_holds_the_text(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER, ready=Ready(output="serving")))

    process.start()
    process.wait_ready(10)

    assert process.alive()
    assert "serving" in process.log_text()


def test_process_without_a_readiness_criterion_is_ready_when_it_still_runs(
    managed: Make, scratch: Path
) -> None:
    process = managed(spec(scratch, FOREVER))

    process.start()
    process.wait_ready(10)

    assert process.alive()


def test_early_end_is_reported_with_exit_code_and_log_lines_and_names_no_log_that_is_removed_with_the_run(
    managed: Make, scratch: Path
) -> None:
    program = "print('\\n'.join(f'line {n}' for n in range(30))); raise SystemExit(9)"
    process = managed(spec(scratch, program, ready=Ready(output="never")))

    process.start()
    with pytest.raises(StackError) as caught:
        process.wait_ready(10)

    message = str(caught.value)
    assert 'process "part" ended with exit code 9' in message
    assert str(scratch) not in message
    assert "line 29" in message
    assert "line 10\n" in message
    assert "line 9\n" not in message


def test_early_end_by_a_signal_is_reported_by_the_name_of_the_signal(managed: Make, scratch: Path) -> None:
    program = "import os; os.kill(os.getpid(), 6)"
    process = managed(spec(scratch, program, ready=Ready(output="never")))

    process.start()

    with pytest.raises(StackError, match="signal SIGABRT"):
        process.wait_ready(10)


def test_process_that_does_not_get_ready_is_reported_after_the_timeout(scratch: Path, run_id: str) -> None:
    asked = Ready(output="never written")
    process = ManagedProcess(spec(scratch, FOREVER, ready=asked), run_id, FakeClock())
    process.start()
    try:
        with pytest.raises(StackError, match='not ready after 3 s: it has not written "never written"'):
            process.wait_ready(3)
    finally:
        process.kill()


def test_waiting_ends_when_the_run_is_interrupted(scratch: Path, run_id: str) -> None:
    clock = FakeClock()
    process = ManagedProcess(spec(scratch, FOREVER, ready=Ready(output="never")), run_id, clock)
    process.start()
    clock.interrupt()
    try:
        with pytest.raises(InterruptedRunError):
            process.wait_ready(3)
    finally:
        process.kill()


def test_missing_program_is_an_error_with_its_name(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, "", command=("no-such-program",)))

    with pytest.raises(StackError, match="no-such-program"):
        process.start()


def test_started_process_cannot_be_started_again_while_it_runs(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))
    process.start()

    with pytest.raises(StackError, match="runs already"):
        process.start()


def test_log_is_readable_by_its_owner_only(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))

    process.start()

    assert stat.S_IMODE((scratch / "part.log").stat().st_mode) == 0o600


def test_environment_names_the_run_and_the_harness(managed: Make, scratch: Path, run_id: str) -> None:
    process = managed(spec(scratch, FOREVER, environment={"OWN": "value"}, ready=Ready(output="serving")))

    process.start()
    process.wait_ready(10)

    assert process.pid is not None
    variables = procfs.environment(process.pid)
    assert variables["LOGQUAKE_RUN_ID"] == run_id
    assert variables["LOGQUAKE_HARNESS"] == procfs.mark(os.getpid())
    assert variables["OWN"] == "value"


def test_what_forces_colour_on_a_terminal_stays_out_of_logs_unless_the_file_asks(
    managed: Make, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    asked = {"TTY_COMPATIBLE": "0"}
    process = managed(spec(scratch, FOREVER, environment=asked, ready=Ready(output="serving")))

    process.start()
    process.wait_ready(10)

    assert process.pid is not None
    variables = procfs.environment(process.pid)
    assert "FORCE_COLOR" not in variables
    assert variables["TTY_COMPATIBLE"] == "0"


def test_service_yields_to_others_when_asked(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER, niceness=5))

    process.start()

    assert process.pid is not None
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.nice(0) + 5)


def test_output_of_an_earlier_start_makes_no_later_start_ready(managed: Make, scratch: Path) -> None:
    program = """
        import pathlib, signal
        if pathlib.Path("started-before").exists():
            raise SystemExit(4)
        pathlib.Path("started-before").touch()
        print("serving")
        signal.pause()
    """
    process = managed(spec(scratch, program, ready=Ready(output="serving")))
    process.start()
    process.wait_ready(10)
    process.kill()

    process.start()

    with pytest.raises(StackError, match="exit code 4"):
        process.wait_ready(10)
