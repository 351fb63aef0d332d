"""The one way the harness starts a process, and ends it with everything it started in turn."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from harness.model.declarations import Ready
from harness.model.errors import SlowStartError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock
from harness.processes import procfs, readiness

_POLL_SECONDS = 0.05
_STATE_SECONDS = 0.005
_PROBE_SECONDS_MAX = 2.0
_SETTLE_SECONDS = 0.25
_KILL_SECONDS = 10.0
_LAUNCHER_SECONDS = 5.0
_LOG_LINES_SHOWN = 20
_SWEEPS_MAX = 5
# A log is no terminal: escapes in it would hide the line that tells that a process serves.
_OF_A_TERMINAL = frozenset({"FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE"})

_tokens = count(1)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to start and how.

    Attributes:
        name: how people and scenarios call it.
        command: the argument list; never a shell line.
        folder: the working directory, which must exist.
        log: the file that stdout and stderr are appended to.
        environment: variables on top of the harness's own, of which those that force colour are left out.
        user: uid and gid to run as (only root can); None = as the harness runs.
        lifeline: stdin is a pipe that ends when the harness ends, however it ends.
        ready: how to tell that it serves.
        niceness: added to the harness's nice level, so that services do not starve the application.
        pid_file: where a launcher names the process that really serves; None = the started one serves.
        orderly_stop_text: what the program logs when it stops by itself rather than being killed.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    lifeline: bool = False
    ready: Ready = field(default_factory=Ready)
    niceness: int = 0
    pid_file: Path | None = None
    orderly_stop_text: str = ""


class ManagedProcess:
    """One process (or launcher with its server) in a session of its own, restartable with the same spec.

    It carries the run id and the harness's identity in its environment, so that whatever a dead harness
    leaves behind can be found (`residue.py`), and so that what it detached from its group still ends with it.

    Args:
        spec: how it starts, each time.
        run_id: the run's.
        clock: by which its start and its end are waited for.
    """

    def __init__(self, spec: ProcessSpec, run_id: str, clock: Clock) -> None:
        self.spec = spec
        self._clock = clock
        self._run_id = run_id
        self._token = f"{spec.name}#{next(_tokens)}"
        self._lock = threading.RLock()
        self._popen: subprocess.Popen[bytes] | None = None
        self._server: procfs.Grip | None = None
        self._started_ns = 0
        self._log_start = 0
        self._kill_offset = 0
        self._ended_by_us = False

    # --- starting ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process; again after it ended, with the same command, ports and data.

        Raises:
            StackError: it runs already, or the command cannot be started.
        """
        with self._lock:
            if self.alive():
                raise StackError(f'process "{self.spec.name}" runs already (pid {self.pid})')
            self._release()
            if self.spec.pid_file is not None:
                self.spec.pid_file.unlink(missing_ok=True)
            self._log_start = readiness.log_size(self.spec.log)
            # In this order: who looks meanwhile must not see one that ended and nobody asked to.
            self._popen = self._spawn()
            self._ended_by_us = False
            if self._popen.stdin is not None:
                os.set_blocking(self._popen.stdin.fileno(), False)
            self._started_ns = self._clock.now_ns()
            if self.spec.niceness:
                with suppress(ProcessLookupError):
                    os.setpriority(os.PRIO_PROCESS, self._popen.pid, os.nice(0) + self.spec.niceness)

    def _spawn(self) -> subprocess.Popen[bytes]:
        spec = self.spec
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            log = os.open(spec.log, flags, 0o600)
        except OSError as error:
            raise StackError(f'process "{spec.name}": cannot write its log {spec.log}: {error}') from error
        try:
            return subprocess.Popen(
                spec.command,
                cwd=spec.folder,
                env=self._environment(),
                stdin=subprocess.PIPE if spec.lifeline else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=spec.user,
                group=spec.user,
                extra_groups=None if spec.user is None else [],
            )
        except OSError as error:
            raise StackError(
                f'process "{spec.name}": cannot start {spec.command[0]!r} in {spec.folder}: {error}; '
                "check that the program is installed and its path is right"
            ) from error
        finally:
            os.close(log)

    def _environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name not in _OF_A_TERMINAL},
            # Output by which readiness is told must not wait in a buffer.
            "PYTHONUNBUFFERED": "1",
            **self.spec.environment,
            **procfs.marks(self._run_id),
            procfs.PROCESS_VARIABLE: self._token,
        }

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once the process serves.

        Raises:
            SlowStartError: it does not serve after `timeout_seconds`; with the end of its log.
            StackError: it ended before; with the end of its log.
        """
        until_ns = self._clock.now_ns() + round(timeout_seconds * SECOND_NS)
        # Alive is asked last: where it is already dead, another program may be answering on its port.
        while not (self._serves() and self.alive()):
            if not self.alive():
                raise StackError(self._complaint(f"ended with {self._exit_text()} before it was ready"))
            if self._clock.now_ns() >= until_ns:
                raise SlowStartError(
                    self._complaint(f"is not ready after {timeout_seconds:g} s{self._asked()}")
                )
            self._clock.sleep(_POLL_SECONDS)

    def _serves(self) -> bool:
        ready = self.spec.ready
        if ready.http and not readiness.answers(ready.http, _PROBE_SECONDS_MAX):
            return False
        if ready.output and ready.output not in self.log_text():
            return False
        if ready.listens and not readiness.listens(ready.listens, _PROBE_SECONDS_MAX):
            return False
        if ready.http or ready.output or ready.listens:
            return self.spec.pid_file is None or self._grip_server() is not None
        # With nothing to ask for, still running after a moment tells a start from an immediate failure.
        return self._clock.now_ns() - self._started_ns >= _SETTLE_SECONDS * SECOND_NS

    def wait_exit(self, timeout_seconds: float) -> int:
        """Return the exit code once the process has ended by itself.

        Raises:
            StackError: it still runs after `timeout_seconds`.
        """
        until_ns = self._clock.now_ns() + round(timeout_seconds * SECOND_NS)
        while (code := self.returncode) is None:
            if self._clock.now_ns() >= until_ns:
                raise StackError(self._complaint(f"has not ended after {timeout_seconds:g} s"))
            self._clock.sleep(_POLL_SECONDS)
        return code

    def tell(self, line: str) -> bool:
        """Write one line (at most 4,095 bytes) to the stdin of a process with a lifeline; never waits for it.

        Returns:
            Whether it was there to be told; what has ended is told nothing.

        Raises:
            StackError: it has no lifeline, or it does not read what it is told.
        """
        if self._popen is None or self._popen.stdin is None:
            raise StackError(f'process "{self.spec.name}" has no lifeline to tell it anything')
        if self._popen.stdin.closed or not self.alive():
            return False
        try:
            # Up to PIPE_BUF bytes a write is whole or not at all (pipe(7)).
            os.write(self._popen.stdin.fileno(), line.encode() + b"\n")
        except BrokenPipeError:
            return False
        except BlockingIOError as error:
            raise StackError(f'process "{self.spec.name}" does not read what it is told') from error
        return True

    # --- looking -----------------------------------------------------------------------------------------

    @property
    def ready_seconds(self) -> float:
        """How long it may take to serve."""
        return self.spec.ready.timeout_seconds

    @property
    def pid(self) -> int | None:
        """The pid of the process that serves; None before the first start."""
        server = self._grip_server()
        if server is not None:
            return server.pid
        return None if self._popen is None else self._popen.pid

    @property
    def leader(self) -> int | None:
        """The pid of the started process, which leads its session; None before the first start."""
        return None if self._popen is None else self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code of the started process, negative for a signal; None while it runs."""
        return None if self._popen is None else self._popen.poll()

    def alive(self) -> bool:
        """Tell whether the process that serves runs."""
        if self._popen is None or self._popen.poll() is not None:
            return False
        server = self._grip_server()
        return server is None or not server.ends_within(0)

    def mark(self) -> str:
        """Return `pid:start time` of the process that serves, which names no later one."""
        return procfs.mark(self.pid or 0)

    def wait_state(self, states: str, timeout_seconds: float) -> str:
        """Wait until the process that serves is in one of these states.

        Args:
            states: letters of proc(5), e.g. "T" for stopped.
            timeout_seconds: how long to wait at most; 0 looks once.

        Returns:
            Its state at the end; empty where there is no such process.
        """
        until_ns = self._clock.now_ns() + round(timeout_seconds * SECOND_NS)
        while True:
            seen = procfs.stat(self.pid) if self.pid is not None else None
            state = "" if seen is None else seen.state
            if (state and state in states) or self._clock.now_ns() >= until_ns:
                return state
            self._clock.sleep(_STATE_SECONDS)

    def ended_by_itself(self) -> int | None:
        """Return the exit code where it ended and nobody here asked it to; else None."""
        return None if self._ended_by_us else self.returncode

    def stopped_orderly(self) -> bool:
        """Tell whether it shut down cleanly instead of dying at the last `kill`."""
        if self.spec.orderly_stop_text:
            return self.spec.orderly_stop_text in readiness.log_since(self.spec.log, self._kill_offset)
        return self.returncode is not None and self.returncode != -signal.SIGKILL

    def log_text(self) -> str:
        """Return what it has written since its last start, at most 8 MiB."""
        return readiness.log_since(self.spec.log, self._log_start)

    def send(self, number: signal.Signals) -> None:
        """Send one signal to the process that serves, and to nothing it started.

        Raises:
            StackError: it does not run.
        """
        with self._lock:
            server = self._grip_server()
            if not self.alive() or self._popen is None:
                raise StackError(f'process "{self.spec.name}" does not run, so it gets no {number.name}')
            if server is not None:
                server.send(number)
            else:
                self._popen.send_signal(number)

    # --- ending ------------------------------------------------------------------------------------------

    def terminate(self, timeout_seconds: float) -> None:
        """Ask the process to end (SIGTERM), make it end after `timeout_seconds`. Idempotent.

        Raises:
            StackError: something of it survives SIGKILL.
        """
        with self._lock:
            self._note_our_ending()
            popen = self._popen
            if popen is not None and popen.poll() is None:
                server = self._grip_server()
                if server is None:
                    self._signal_group(popen.pid, signal.SIGTERM)
                else:
                    # A launcher may be gone long before its server has closed its files.
                    server.send(signal.SIGTERM)
                    server.ends_within(timeout_seconds)
                with suppress(subprocess.TimeoutExpired):
                    popen.wait(timeout_seconds if server is None else _LAUNCHER_SECONDS)
            self._end()

    def stop(self, timeout_seconds: float, last_line: str = "") -> None:
        """Shut the process down as a fault, killing it after `timeout_seconds`; it can start again.

        Args:
            timeout_seconds: how long it may take to end.
            last_line: what tells a process with a lifeline to end; empty = SIGTERM.

        Raises:
            StackError: it does not take the line, or something of it survives SIGKILL.
        """
        with self._lock:
            self._kill_offset = readiness.log_size(self.spec.log)
        if not last_line:
            self.terminate(timeout_seconds)
            return
        with self._lock:
            self._note_our_ending()
            if self._popen is not None and self.tell(last_line):
                with suppress(subprocess.TimeoutExpired):
                    self._popen.wait(timeout_seconds)
            self._end()

    def kill(self) -> None:
        """Kill the process that serves (SIGKILL) and return when it is gone. Idempotent.

        Raises:
            StackError: something of it survives SIGKILL.
        """
        with self._lock:
            self._note_our_ending()
            self._kill_offset = readiness.log_size(self.spec.log)
            server = self._grip_server()
            if server is not None and self._popen is not None:
                # The server first: a launcher that dies first makes its server close in good order.
                server.send(signal.SIGKILL)
                server.ends_within(_KILL_SECONDS)
                with suppress(subprocess.TimeoutExpired):
                    self._popen.wait(_LAUNCHER_SECONDS)
            self._end()

    def _note_our_ending(self) -> None:
        # What was dead already stays a process that ended by itself.
        if self.alive():
            self._ended_by_us = True

    def _end(self) -> None:
        popen = self._popen
        if popen is None:
            return
        # Only before the leader is collected does its number surely name this group and no later one.
        if popen.poll() is None:
            self._signal_group(popen.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                popen.wait(_KILL_SECONDS)
        survivors = self._sweep()
        if survivors or popen.poll() is None:
            raise StackError(f'process "{self.spec.name}": pids {survivors or [popen.pid]} survive SIGKILL')
        self._release()

    def _signal_group(self, leader: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(leader, number)

    def _sweep(self) -> list[int]:
        """Kill what left the process group (daemons, setsid) and return the pids that are still there."""
        ours = procfs.mark(os.getpid())
        for _ in range(_SWEEPS_MAX):
            left = [
                pid
                for pid, variables in procfs.started_by_a_harness()
                if variables.get(procfs.PROCESS_VARIABLE) == self._token
                and variables[procfs.HARNESS_VARIABLE] == ours
            ]
            if not left:
                return []
            for pid in left:
                procfs.kill(pid, _KILL_SECONDS / len(left))
        return left

    def _release(self) -> None:
        if self._popen is not None and self._popen.stdin is not None:
            self._popen.stdin.close()
        if self._server is not None:
            self._server.release()
            self._server = None

    # --- inside ------------------------------------------------------------------------------------------

    def _grip_server(self) -> procfs.Grip | None:
        if self.spec.pid_file is None:
            return None  # at once: whoever lets it end may hold the lock for as long as that takes
        with self._lock:
            if self._server is None and self.returncode is None:
                with suppress(FileNotFoundError, ValueError, ProcessLookupError):
                    pid = int(self.spec.pid_file.read_text())
                    # A half written number must never make us take hold of somebody else's process.
                    if procfs.environment(pid).get(procfs.PROCESS_VARIABLE) == self._token:
                        self._server = procfs.Grip(pid)
            return self._server

    def _exit_text(self) -> str:
        code = self.returncode
        if code is not None and code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit code {code}"

    def _asked(self) -> str:
        ready = self.spec.ready
        if ready.http:
            return f": {ready.http} does not answer"
        if ready.listens:
            return f": nothing listens on {ready.listens}"
        return f': it has not written "{ready.output}"' if ready.output else ""

    def _complaint(self, what: str) -> str:
        lines = readiness.last_lines(self.spec.log, _LOG_LINES_SHOWN)
        # Quoted, not named: the log is removed with the run.
        said = f". The end of its log:\n{lines}" if lines else ". It wrote nothing."
        return f'process "{self.spec.name}" {what}{said}'
