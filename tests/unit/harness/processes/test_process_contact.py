"""How a process is spoken to: its lifeline, its signals, and the server behind a launcher."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.model.declarations import Ready
from harness.model.errors import StackError
from harness.processes import procfs
from tests.unit.harness.processes.process_spec import FOREVER, Make, spec


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
