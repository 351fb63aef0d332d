"""Runs one storm: handlers that log, a `watch` that is killed and started again, receivers that fail."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from logging_system.alerting.history import History
from logging_system.alerting.state_file import alerts_folder, read_state
from logging_system.handler.handler import SpoolHandler
from tests.stack.processes import kill, started
from tests.storms.judging import Evidence, Judgement, Logged, judge
from tests.storms.plan import (
    BETWEEN_SECONDS,
    CHANNELS,
    COOLDOWN_SECONDS,
    SERVICES,
    THRESHOLD,
    WINDOW_SECONDS,
    Burst,
    Plan,
)
from tests.storms.receivers import TIMEOUT_SECONDS, Outage, Receiver, receivers

_DRAIN_SECONDS = 90.0
_QUIET_SECONDS = 0.5
"""How long after everything was told one more message would still be seen."""
_TICK_SECONDS = 0.01


class Watcher:
    """The process that watches, as often as it is started; it may have a stand-by.

    Args:
        command: Starts it.
        log: Where its standard error goes.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self._log = command, log
        self._process: subprocess.Popen[bytes] | None = None
        self.unwatched: list[tuple[float, float]] = []
        self.crashes = 0
        self.start()

    def start(self) -> None:
        """Start it; until it says that it is ready, nobody watches."""
        began_seconds = self.unwatched.pop()[0] if self.unwatched else 0.0
        self.unwatched.append((began_seconds, float("inf")))
        with self._log.open("ab") as log:
            process = self._process = started(self._command, stderr=log)
        threading.Thread(target=self._wait_until_ready, args=(process, began_seconds), daemon=True).start()

    def _wait_until_ready(self, process: subprocess.Popen[bytes], began_seconds: float) -> None:
        assert process.stdout is not None
        if process.stdout.readline() and process is self._process:
            self.unwatched[-1] = (began_seconds, time.monotonic())
            self.unwatched.append((float("inf"), float("inf")))

    def end(self, *, is_kill: bool) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        self.unwatched[-1] = (min(self.unwatched[-1][0], time.monotonic()), float("inf"))
        self.crashes += is_kill
        process.send_signal(signal.SIGKILL if is_kill else signal.SIGTERM)
        process.wait(30)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


class Application:
    """One service that logs by a real handler; its bursts keep their distance, however late each is.

    Args:
        service: Its name.
        spool: The spool folder.
        bursts: What it logs.
        began_seconds: When the storm began, by the monotonic clock.
    """

    def __init__(self, service: str, spool: Path, bursts: tuple[Burst, ...], began_seconds: float) -> None:
        self._service, self._bursts, self._began_seconds = service, list(bursts), began_seconds
        self._handler = SpoolHandler(spool=spool, service=service, durability="write")
        self._logger = logging.Logger(f"storm.{service}")
        self._logger.addHandler(self._handler)
        self._logger.addFilter(self._note)
        self._moments: list[float] = []
        self._free_seconds = 0.0
        self.logged: list[Logged] = []

    def _note(self, record: logging.LogRecord) -> bool:
        self._moments.append(record.created)
        return True

    def step(self) -> bool:
        """Log what is due; returns whether there is more to come."""
        if not self._bursts:
            return False
        burst, now_seconds = self._bursts[0], time.monotonic()
        if self._moments:
            self._free_seconds = now_seconds
        start_seconds = self._began_seconds + burst.start_seconds
        if not self._moments:
            self._start_seconds = max(start_seconds, self._free_seconds + BETWEEN_SECONDS)
        while len(self._moments) < burst.count:
            due_seconds = self._start_seconds + len(self._moments) * burst.lasting_seconds / burst.count
            if time.monotonic() < due_seconds:
                return True
            self._logger.error("order %d was refused", len(self._moments))
        offset_seconds = time.monotonic() - time.time()
        self.logged.append(Logged(self._service, tuple(self._moments), offset_seconds))
        self._free_seconds = time.monotonic()
        self._moments.clear()
        del self._bursts[0]
        return bool(self._bursts)

    def close(self) -> None:
        """End in order."""
        self._handler.end()


def run_storm(plan: Plan, folder: Path) -> dict[str, Judgement]:
    """Run a storm and judge it.

    Args:
        plan: What happens.
        folder: An empty folder.

    Returns:
        What is wrong, by channel.
    """
    with receivers() as (hook, mail):
        return _run(plan, folder, {"hook": hook, "mail": mail})


def _run(plan: Plan, folder: Path, by_channel: Mapping[str, Receiver]) -> dict[str, Judgement]:
    spool = folder / "spool"
    _write_rules(folder / "alerts.yaml", by_channel)
    command = [sys.executable, "-m", "logging_system", "watch", "--spool", str(spool)]
    command += ["--alerts", str(folder / "alerts.yaml")]
    began_seconds = time.monotonic() + 0.5
    for channel, receiver in by_channel.items():
        receiver.outages = tuple(
            Outage(
                began_seconds + each.start_seconds,
                began_seconds + each.start_seconds + each.lasting_seconds,
                each.mode,
            )
            for each in plan.unwell[channel]
        )
    watcher = Watcher(command, folder / "watch.log")
    with _standby(command, folder / "standby.log", wanted=plan.has_standby):
        applications = [
            Application(service, spool, plan.bursts[service], began_seconds) for service in SERVICES
        ]
        try:
            _happen(plan, watcher, applications, began_seconds)
            return _drained(spool, watcher, applications, by_channel)
        finally:
            for application in applications:
                application.close()
            watcher.end(is_kill=True)


@contextmanager
def _standby(command: list[str], log: Path, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with log.open("ab") as stderr:
        process = started(command, stderr=stderr)
    try:
        yield
    finally:
        kill(process)


def _write_rules(path: Path, by_channel: Mapping[str, Receiver]) -> None:
    mail = {
        "kind": "mail",
        "name": "mail",
        "host": "127.0.0.1",
        "port": by_channel["mail"].port,
        "security": "none",
        "sender": "alerts@example.com",
        "to": ["oncall@example.com"],
        "timeout_seconds": TIMEOUT_SECONDS,
    }
    url = f"http://127.0.0.1:{by_channel['hook'].port}/hook"
    hook = {"kind": "webhook", "name": "hook", "url": url, "timeout_seconds": TIMEOUT_SECONDS}
    rule = {
        "kind": "error_count",
        "name": "errors",
        "threshold": THRESHOLD,
        "window_seconds": WINDOW_SECONDS,
    }
    declared = {
        "rules": [rule],
        "channels": [hook, mail],
        "group_by": ["rule", "service.name"],
        "group_wait_seconds": 0,
        "group_interval_seconds": 0,
        "repeat_interval_seconds": COOLDOWN_SECONDS,
        "findings": {"enabled": False},  # a storm's bursts are spikes, which would be told too
    }
    path.write_bytes(orjson.dumps(declared))


def _happen(plan: Plan, watcher: Watcher, applications: list[Application], began_seconds: float) -> None:
    """Let bursts and deaths come as planned."""
    deaths, back_seconds = list(plan.deaths), None
    while True:
        now_seconds = time.monotonic()
        if back_seconds is not None and now_seconds >= back_seconds:
            watcher.start()
            back_seconds = None
        if deaths and back_seconds is None and now_seconds >= began_seconds + deaths[0].at_seconds:
            death = deaths.pop(0)
            watcher.end(is_kill=death.is_kill)
            back_seconds = time.monotonic() + death.away_seconds
        more = [application.step() for application in applications]
        if not (any(more) or deaths or back_seconds is not None):
            return
        time.sleep(_TICK_SECONDS)


def _drained(
    spool: Path, watcher: Watcher, applications: list[Application], by_channel: Mapping[str, Receiver]
) -> dict[str, Judgement]:
    """Wait until everything was told, and a little longer; return the judgement."""
    give_up_seconds = time.monotonic() + _DRAIN_SECONDS
    while True:
        found = {
            channel: judge(_evidence(channel, spool, watcher, applications, by_channel))
            for channel in CHANNELS
        }
        is_done = not any(each.waits for each in found.values())
        if is_done or time.monotonic() >= give_up_seconds:
            time.sleep(_QUIET_SECONDS)
            return {
                channel: judge(_evidence(channel, spool, watcher, applications, by_channel))
                for channel in CHANNELS
            }
        time.sleep(0.25)


def _evidence(
    channel: str,
    spool: Path,
    watcher: Watcher,
    applications: list[Application],
    by_channel: Mapping[str, Receiver],
) -> Evidence:
    parked = _parked(spool)
    bodies: dict[str, Any] = {took.key: took.body for took in list(by_channel["hook"].took)}
    bodies |= {key: body for each in parked.values() for key, body in each.items() if key not in bodies}
    receiver = by_channel[channel]
    return Evidence(
        logged=[each for application in applications for each in application.logged],
        took=list(receiver.took),
        bodies=bodies,
        parked=frozenset(parked.get(channel, ())) - {took.key for took in list(receiver.took)},
        outages=receiver.outages,
        unwatched=list(watcher.unwatched),
        crashes=watcher.crashes,
    )


def _parked(spool: Path) -> dict[str, dict[str, Any]]:
    """Return what was refused for good and is in the history, by channel and key."""
    told = {
        (line["channel"], line["key"])
        for line in History(alerts_folder(spool)).lines()
        if line["what"] == "refused"
    }
    if not told:
        return {}
    state = read_state(alerts_folder(spool)) or {"outbox": {"refused": []}}
    found: dict[str, dict[str, Any]] = {}
    for message in state["outbox"]["refused"]:
        notification = message["notification"]
        if (message["channel"], notification["key"]) in told:
            alerts = [
                {
                    **notice,
                    "labels": dict(notice["labels"]),
                    "state": "firing" if notice["is_firing"] else "resolved",
                }
                for notice in notification["notices"]
            ]
            body = {"made_seconds": notification["made_seconds"], "alerts": alerts}
            found.setdefault(message["channel"], {})[notification["key"]] = body
    return found
