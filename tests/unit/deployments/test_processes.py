import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from harness.deployments import procfs
from harness.deployments.processes import ManagedProcess, ProcessSpec
from harness.errors import InterruptedRunError, StackError
from harness.protocols import Ready
from harness.testing import FakeClock

Make = Callable[[ProcessSpec], ManagedProcess]

FOREVER = "import signal; print('serving'); signal.pause()"


def spec(folder: Path, program: str, **fields: Any) -> ProcessSpec:
    command = (sys.executable, "-c", dedent(program))
    return ProcessSpec(
        **{"name": "part", "command": command, "folder": folder, "log": folder / "part.log", **fields}
    )


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


def test_early_end_is_reported_with_exit_code_log_lines_and_log_path(managed: Make, scratch: Path) -> None:
    program = "print('\\n'.join(f'line {n}' for n in range(30))); raise SystemExit(9)"
    process = managed(spec(scratch, program, ready=Ready(output="never")))

    process.start()
    with pytest.raises(StackError) as caught:
        process.wait_ready(10)

    message = str(caught.value)
    assert 'process "part" ended with exit code 9' in message
    assert str(scratch / "part.log") in message
    assert "line 29" in message
    assert "line 10\n" in message
    assert "line 9\n" not in message


def test_early_end_by_a_signal_is_reported_by_the_name_of_the_signal(managed: Make, scratch: Path) -> None:
    program = "import os; os.kill(os.getpid(), 6)"
    process = managed(spec(scratch, program))

    process.start()

    with pytest.raises(StackError, match="signal SIGABRT"):
        process.wait_ready(10)


def test_process_that_does_not_get_ready_is_reported_after_the_timeout(scratch: Path, run_id: str) -> None:
    asked = Ready(output="never written")
    process = ManagedProcess(spec(scratch, FOREVER, ready=asked), run_id, FakeClock())
    process.start()
    try:
        with pytest.raises(StackError, match=r"not ready after 3 s \(asked: never written\)"):
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


def test_kill_ends_the_process_at_once_and_is_idempotent(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))
    process.start()

    process.kill()
    process.kill()

    assert not process.alive()
    assert process.returncode == -signal.SIGKILL
    assert not process.stopped_orderly()


def test_ending_also_reaches_what_left_the_process_group(managed: Make, scratch: Path, run_id: str) -> None:
    program = """
        import signal, subprocess, sys
        forever = [sys.executable, "-c", "import signal; signal.pause()"]
        child = subprocess.Popen(forever, start_new_session=True)
        print("detached", child.pid, "end")
        signal.pause()
    """
    process = managed(spec(scratch, program, ready=Ready(output=" end")))
    process.start()
    process.wait_ready(10)
    detached = int(process.log_text().split()[1])

    process.terminate(5)

    assert not procfs.running(detached)


def test_what_a_process_left_behind_goes_even_when_it_ended_by_itself(managed: Make, scratch: Path) -> None:
    program = """
        import subprocess, sys
        forever = [sys.executable, "-c", "import signal; signal.pause()"]
        print(subprocess.Popen(forever, start_new_session=True).pid)
        sys.stdout.flush()
        import os
        os._exit(3)
    """
    process = managed(spec(scratch, program))
    process.start()
    code = process.wait_exit(10)
    detached = int(process.log_text())
    ran_on = procfs.running(detached)

    process.terminate(5)

    assert (code, ran_on) == (3, True)
    assert not procfs.running(detached)


def test_terminate_lets_a_process_end_in_good_order(managed: Make, scratch: Path) -> None:
    program = """
        import signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("serving")
        signal.pause()
    """
    process = managed(spec(scratch, program, ready=Ready(output="serving")))
    process.start()
    process.wait_ready(10)

    process.terminate(10)
    process.terminate(10)

    assert process.returncode == 0
    assert process.stopped_orderly()


def test_terminate_kills_what_ignores_the_request(managed: Make, scratch: Path) -> None:
    program = """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("serving")
        while True:
            signal.pause()
    """
    process = managed(spec(scratch, program, ready=Ready(output="serving")))
    process.start()
    process.wait_ready(10)

    process.terminate(0.05)

    assert process.returncode == -signal.SIGKILL


def test_process_that_was_never_started_can_be_ended(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))

    process.terminate(5)
    process.kill()

    assert process.pid is None
    assert process.ended_by_itself() is None


def test_only_an_end_that_nobody_asked_for_counts_as_ended_by_itself(managed: Make, scratch: Path) -> None:
    crashed = managed(spec(scratch, "raise SystemExit(7)"))
    killed = managed(spec(scratch, FOREVER, log=scratch / "killed.log"))
    crashed.start()
    crashed.wait_exit(10)
    killed.start()

    crashed.terminate(5)
    killed.kill()

    assert crashed.ended_by_itself() == 7
    assert killed.ended_by_itself() is None


def test_orderly_stop_is_told_by_the_text_written_after_the_kill(managed: Make, scratch: Path) -> None:
    program = "import signal; print('stopping'); print('serving'); signal.pause()"
    process = managed(spec(scratch, program, ready=Ready(output="serving"), orderly_stop_text="stopping"))
    process.start()
    process.wait_ready(10)

    process.kill()

    assert not process.stopped_orderly()


def test_process_with_a_lifeline_reads_what_it_is_told(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, "print('told', input())", lifeline=True))
    process.start()

    told = process.tell("begin 5")
    process.wait_exit(10)

    assert told
    assert process.log_text() == "told begin 5\n"


def test_process_that_has_ended_is_told_nothing(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, "", lifeline=True))
    process.start()
    process.wait_exit(10)
    before = process.tell("begin 5")
    process.terminate(5)

    assert not before
    assert not process.tell("begin 5")


def test_process_without_a_lifeline_cannot_be_told_anything(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))
    process.start()

    with pytest.raises(StackError, match="no lifeline"):
        process.tell("begin 5")


def test_process_that_does_not_read_cannot_hold_up_the_teller(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER, lifeline=True))
    process.start()

    def tell_much() -> None:
        for _ in range(100):
            process.tell("x" * 4000)

    with pytest.raises(StackError, match="does not read"):
        tell_much()


# --- a launcher and its server ---------------------------------------------------------------------------

LAUNCHER = """
    import signal, subprocess, sys
    server = "import os, signal, pathlib; pathlib.Path('server.pid').write_text(str(os.getpid()));" \
        "print('serving'); signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", server])
    def stop(*_):
        print("stopping")
        child.terminate()
    signal.signal(signal.SIGTERM, stop)
    code = child.wait()
    print("launcher saw", code)
    sys.exit(5)
"""


def test_process_behind_a_launcher_is_the_one_of_the_pid_file(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, LAUNCHER, ready=Ready(output="serving"), pid_file=scratch / "server.pid"))
    process.start()
    process.wait_ready(10)

    server = process.pid

    assert server == int((scratch / "server.pid").read_text())


def test_kill_hits_the_server_first_and_the_launcher_sees_it_die(managed: Make, scratch: Path) -> None:
    process = managed(
        spec(
            scratch,
            LAUNCHER,
            ready=Ready(output="serving"),
            pid_file=scratch / "server.pid",
            orderly_stop_text="stopping",
        )
    )
    process.start()
    process.wait_ready(10)

    process.kill()

    assert "launcher saw -9" in process.log_text()
    assert process.returncode == 5
    assert not process.stopped_orderly()


def test_killed_server_behind_a_launcher_starts_again(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, LAUNCHER, ready=Ready(output="serving"), pid_file=scratch / "server.pid"))
    process.start()
    process.wait_ready(10)
    first = process.pid
    process.kill()

    process.start()
    process.wait_ready(10)

    assert process.alive()
    assert process.pid != first


def test_signal_reaches_the_server_and_not_its_launcher(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, LAUNCHER, ready=Ready(output="serving"), pid_file=scratch / "server.pid"))
    process.start()
    process.wait_ready(10)
    launcher = os.getpgid(process.pid or 0)
    process.send(signal.SIGSTOP)
    stopped = process.wait_state("T", 5)
    launcher_state = procfs.stat(launcher)
    process.send(signal.SIGCONT)
    going = process.wait_state("RSD", 5)

    assert stopped == "T"
    assert launcher_state is not None
    assert launcher_state.state != "T"
    assert going in "RSD"


def test_stopped_process_is_alive_and_can_be_ended(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER, ready=Ready(output="serving")))
    process.start()
    process.wait_ready(10)
    process.send(signal.SIGSTOP)
    process.wait_state("T", 5)
    lived = process.alive()
    process.kill()

    assert lived
    assert not process.alive()
    assert process.wait_state("T", 0) == ""


def test_process_that_does_not_run_gets_no_signal(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))

    with pytest.raises(StackError, match="does not run, so it gets no SIGSTOP"):
        process.send(signal.SIGSTOP)


def test_mark_names_the_process_by_pid_and_start_time(managed: Make, scratch: Path) -> None:
    process = managed(spec(scratch, FOREVER))
    process.start()

    assert process.mark() == procfs.mark(process.pid or 0)


def test_pid_file_that_names_somebody_else_is_not_believed(managed: Make, scratch: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FOREVER], stdout=subprocess.DEVNULL) as bystander:
        program = f"""
            import pathlib, signal
            pathlib.Path("server.pid").write_text("{bystander.pid}")
            print("serving")
            signal.pause()
        """
        process = managed(spec(scratch, program, pid_file=scratch / "server.pid"))
        process.start()
        process.wait_ready(10)
        believed = process.pid
        process.kill()
        spared = bystander.poll() is None
        bystander.kill()

    assert believed != bystander.pid
    assert spared


# --- the death of the harness ----------------------------------------------------------------------------


def test_child_with_a_lifeline_ends_when_the_harness_is_killed(scratch: Path, run_id: str) -> None:
    harness_program = dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from harness.clock import SystemClock
        from harness.deployments.processes import ManagedProcess, ProcessSpec
        folder = Path({str(scratch)!r})
        child = (sys.executable, "-c", "import sys; sys.stdin.read()")
        spec = ProcessSpec("part", child, folder, folder / "part.log", lifeline=True)
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
        child = procfs.Grip(int(dying.stdout.readline()))
        ran = not child.ends_within(0)
        dying.communicate("die now\n", timeout=10)
    try:
        assert ran
        assert child.ends_within(10)
    finally:
        child.send(signal.SIGKILL)
        child.release()
