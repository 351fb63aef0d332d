"""A key server as a process that is killed and started again on the same port and the same data."""

from __future__ import annotations

import atexit
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0


class KeyServerProcess:
    """A key server; it ends with this process at the latest.

    Args:
        command: What starts it.
        port: Where it listens then, on 127.0.0.1.
        environment: Its whole environment.
    """

    def __init__(self, command: Sequence[str], port: int, environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        atexit.register(self.kill)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._listens():
            assert self._process.poll() is None, f"{self._command[0]} ended while it started"
            assert time.monotonic() < deadline, f"{self._command[0]} did not listen in time"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it; nothing listens then."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(STOP_SECONDS_MAX)
            assert process.stdin is not None
            process.stdin.close()

    def _listens(self) -> bool:
        with socket.socket() as tried:
            tried.settimeout(1)
            return tried.connect_ex(("127.0.0.1", self.port)) == 0
