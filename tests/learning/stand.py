"""The stack of one episode: an application, `ship`, `watch --workflows`, and a store behind an interceptor.

```
application ─ spool on a small disk ─ ship ─ interceptor ─ store
                      └─ watch --workflows: findings, runbooks, what it took
```
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.targets.interceptor_client import InterceptorClient
from harness.targets.small_disk import mount, unmount

START_SECONDS_MAX = 60.0
_END_SECONDS_MAX = 15.0
_DISK_MIB = 160
_LINK = "to_store"
_LINGER_SECONDS = "1"
"""Requests carry some 30 records, so that their size can matter."""


class EpisodeError(Exception):
    """An episode says nothing: what it needs did not start, or nothing was found."""


class Store:
    """The embedded store as a process that can be killed and comes back at its address with its data."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it, and return its URL; one that lives is left alone."""
        command = ["harness.programs.elastic_lite", "--port", str(self._port), "--lifeline"]
        if self._process is None or self._process.poll() is not None:
            self._process = _started([*command, "--data", str(self._folder)])
            self._url = str(_ready(self._process)["url"])
            self._port = urlsplit(self._url).port or 0
        return self._url

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=_END_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Stand:
    """A stack that runs.

    Attributes:
        folder: All of its files.
        spool: The spool folder, on a disk of its own.
        cache: A file on that disk that may be deleted.
        flood_file: While it is there, the application floods.
        store: The store.
        interceptor: What is before it.
    """

    folder: Path
    spool: Path
    cache: Path
    flood_file: Path
    store: Store
    interceptor: InterceptorClient

    link = _LINK

    def events(self) -> list[dict[str, Any]]:
        """Return the engine's audit."""
        path = self.spool / "coordination" / "audit.ndjson"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def findings(self) -> list[dict[str, Any]]:
        """Return the lines about findings, oldest first."""
        path = self.spool / "alerts" / "findings.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def shipped(self) -> int:
        """Return how many records the store, or the file in its place, has."""
        with suppress(OSError, ValueError, KeyError):
            content = json.loads((self.spool / "status-shipper.json").read_text())
            return int(content["delivered"]) + int(content.get("redirected", 0))
        return 0


@contextmanager
def stand(folder: Path, workflows: str, memory: Path | None = None) -> Iterator[Stand]:
    """Start a stack, and end it with the block; what the engine knows goes back to `memory`.

    Args:
        folder: An empty folder for its files.
        workflows: What is declared, as JSON; it may say `{cache}`.
        memory: The engine's folder of an earlier episode, which it goes on from; None begins anew.

    Raises:
        EpisodeError: A process did not start.
        FaultError: The small disk cannot be mounted.
    """
    disk = folder / "disk"
    spool, file = disk / "spool", folder / "workflows.json"
    with ExitStack() as stack:
        mount(disk, _DISK_MIB)
        stack.callback(unmount, disk)
        spool.mkdir(mode=0o700)
        if memory is not None and memory.exists():
            shutil.copytree(memory, spool / "coordination")
        file.write_text(workflows)
        store = Store(folder / "store")
        stack.callback(store.kill)
        upstream = store.start()
        interceptor_process = _running(
            stack, ["harness.programs.http_interceptor", "--port", "0", "--lifeline"]
        )
        interceptor = InterceptorClient(str(_ready(interceptor_process)["url"]))
        listen = interceptor.create(_LINK, "127.0.0.1:0", urlsplit(upstream).netloc)
        shipper = ["logging_system", "ship", "--spool", str(spool), "--elasticsearch", f"http://{listen}"]
        shipper += ["--stream", "logs-shop-learning", "--linger-seconds", _LINGER_SECONDS]
        shipper += [
            "--fallback-file",
            str(folder / "fallback.ndjson"),
            "--fallback-seconds",
            "600",
            "--lifeline",
        ]
        flood_file = folder / "flood"
        starting = [
            _running(stack, shipper),
            _running(stack, ["tests.learning.application", str(spool), str(flood_file)]),
        ]
        watch = _running(stack, ["logging_system", "watch", "--spool", str(spool), "--workflows", str(file)])
        for process in (*starting, watch):
            _first_line(process)
        made = Stand(folder, spool, disk / "cache.bin", flood_file, store, interceptor)
        until(lambda: made.shipped() > 0, START_SECONDS_MAX, "a first record in the store")
        yield made
        _end(watch)  # it saves what it knows
        if memory is not None:
            shutil.rmtree(memory, ignore_errors=True)
            shutil.copytree(spool / "coordination", memory)


def until(condition: Callable[[], bool], seconds_max: float, what: str) -> None:
    """Wait for something; raises EpisodeError where it does not come."""
    deadline_seconds = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline_seconds:
            raise EpisodeError(f"not within {seconds_max:g} s: {what}")
        time.sleep(0.05)


def _running(stack: ExitStack, words: Sequence[str]) -> subprocess.Popen[bytes]:
    process = _started(words)
    stack.callback(_end, process)
    return process


def _started(words: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "ALERT_THRESHOLD_ERRORS": "1000000"},
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process by its standard input and SIGTERM, and by SIGKILL where that takes too long."""
    if process.poll() is None:
        process.terminate()
    try:
        process.communicate(timeout=_END_SECONDS_MAX)
    except (subprocess.TimeoutExpired, ValueError):
        process.kill()
        process.wait(_END_SECONDS_MAX)


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    if process.stdout is None or not (line := process.stdout.readline()):
        raise EpisodeError(f"{process.args!r} did not start")
    return line


def _ready(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_first_line(process))
    return content
