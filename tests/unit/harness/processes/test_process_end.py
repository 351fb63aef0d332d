"""How a process ends, by itself, because it is told to or with the harness, and all it started with it."""

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from harness.model.declarations import Ready
from harness.processes import procfs
from tests.unit.harness.processes.process_spec import FOREVER, Make, spec


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


def test_child_with_a_lifeline_ends_when_the_harness_is_killed(scratch: Path, run_id: str) -> None:
    harness_program = dedent(
        f"""
        import os, signal, sys
        from pathlib import Path
        from harness.processes.clock import SystemClock
        from harness.processes.managed import ManagedProcess, ProcessSpec
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
