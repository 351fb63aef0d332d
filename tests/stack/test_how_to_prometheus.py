"""The how-to page on Prometheus does what it says, and every query of the dashboard finds data."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logging_system.monitoring.counters import HandlerCounters, both_content, write_status
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import Delays
from logging_system.monitoring.metrics import HANDLERS
from logging_system.spool.writer import SpoolWriter
from tests.pages import blocks
from tests.prometheus_server.installed import need
from tests.repository import REPOSITORY
from tests.stack.processes import eventually, kill, ready_line, started

PAGE = (REPOSITORY / "docs" / "how-to" / "watch-with-prometheus.md").read_text()
BLOCKS = blocks(PAGE)
RULES = (REPOSITORY / "logging_system" / "monitoring" / "shipped" / "prometheus_rules.yaml").read_text()
TRACE = "0af7651916cd43dd8448eb211c80319c"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Followed:
    """The page, followed in a folder with other ports and a shorter scrape interval than it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"9600": str(free_port()), "9090": str(free_port())}
        self.url = f"http://127.0.0.1:{self.ports['9090']}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.shown: list[str] = []
        path = f"{need('promtool').parent}:{need('prometheus').parent}:{Path(sys.executable).parent}"
        self.environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}

    def follow(self) -> None:
        for language, block in BLOCKS:
            text = re.sub("9600|9090", lambda port: self.ports[port[0]], block)
            if language == "sh":
                self._start(text)
            elif language == "yaml":
                (self.folder / "prometheus.yml").write_text(text.replace("15s", "2s"))
            elif language == "python":
                self._run([sys.executable, "-c", text])
            for line in text.splitlines() if language == "console" else ():
                self._show(line)

    def _start(self, text: str) -> None:
        words = shlex.split(text.removesuffix("&\n"))
        is_ours = words[0] == "python"
        errors = None if is_ours else subprocess.DEVNULL
        command = [sys.executable, *words[1:]] if is_ours else [str(need(words[0])), *words[1:]]
        process = started(command, cwd=self.folder, stderr=errors)
        self.processes.append(process)
        if is_ours:
            ready_line(process)
        else:
            eventually(lambda: self.answers("/-/ready"), "Prometheus")

    def _show(self, line: str) -> None:
        if "query instant" in line:
            query = line.split()[-1]
            eventually(lambda: bool(self.ask(query)), f"data for {query}")
        self.shown.append(self._run(["sh", "-c", line]))

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def get(self, path: str, **parameters: str) -> Any:
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own process
            return json.loads(answer.read())["data"]

    def ask(self, query: str) -> list[Any]:
        """The samples of a query that are numbers."""
        found: list[Any] = self.get("query", query=query)["result"]
        return [each for each in found if each["value"][1] != "NaN"]


@contextmanager
def followed(folder: Path) -> Iterator[Followed]:
    page = Followed(folder)
    try:
        page.follow()
        yield page
    finally:
        for process in page.processes:
            kill(process)


def go_on(spool: Path, shipper: subprocess.Popen[bytes], times: int) -> None:
    """Have counters move, also those of what the page's example has none of: errors, events, a trace."""
    writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=False)
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    writer.append([b'{"@timestamp":"%s","trace":{"id":"%s"}}' % (now.encode(), TRACE.encode())])
    writer.seal()
    dropped = {"queue_full": 2 * times}
    delays = Delays.of_each([0.02] * 5 * times)
    counters = HandlerCounters(7 * times, 0, dropped, 5 * times, 0, 0, {"ENOSPC": 3 * times}, delays)
    content = both_content(counters, HandlerFlow(7 * times, 0, dropped, 5 * times))
    others = {"closed": False, "spool_bytes_max": 1 << 30, "queue_records_max": 100}
    events = {"events": {"disk_trouble": 3 * times}}
    write_status(spool / f"status-handler-{'f' * 32}.json", {**content, **others, **events})
    if times == 1:
        shipper.send_signal(signal.SIGHUP)  # settings_reloaded


def shown_queries(dashboard: Any) -> list[str]:
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [each.replace("$instance", ".*").replace("$__rate_interval", "30s") for each in found]


@pytest.mark.slow
def test_the_page_can_be_followed_and_every_query_of_the_dashboard_finds_data(tmp_path: Path) -> None:
    with followed(tmp_path) as page:
        dashboard = json.loads((tmp_path / "dashboard.json").read_text())
        unanswered = shown_queries(dashboard)
        deadline, times = time.monotonic() + 60.0, 0
        while unanswered and time.monotonic() < deadline:
            times += 1
            go_on(tmp_path / "spool", page.processes[0], times)
            time.sleep(1.0)
            unanswered = [each for each in unanswered if not page.ask(each)]
        groups = page.get("rules")["groups"]
        alerts = page.get("alerts")["alerts"]
        exemplars = page.get(
            "query_exemplars",
            query="logging_system_shipper_logged_to_searchable_seconds_bucket",
            start=str(time.time() - 600),
            end=str(time.time() + 60),
        )
        metadata = page.get("targets/metadata", match_target="{}")

    assert unanswered == []
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
    assert sum(len(group["rules"]) for group in groups) == RULES.count("- alert:") + RULES.count("- record:")
    firing = {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}
    assert {"LoggingRecordsDropped", "LoggingDiskErrors"} >= firing >= {"LoggingRecordsDropped"}
    assert {each["labels"]["trace_id"] for found in exemplars for each in found["exemplars"]} == {TRACE}
    assert {"help": HANDLERS[0].meaning, "type": "counter"}.items() <= next(
        each for each in metadata if each["metric"].startswith("logging_system_handlers_offered")
    ).items()
    assert "logging_system_handlers_offered_total 1000.0" in page.shown[0]
    assert "SUCCESS" in page.shown[2]
    assert "=> 1000 @" in page.shown[3]
