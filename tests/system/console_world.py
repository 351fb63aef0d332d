"""Consoles for tests in a browser: one with literal panels, and one of real processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import requests
import uvicorn

from logging_system.alerting.state_file import alerts_folder
from logging_system.console.application import Console
from logging_system.console.board import Board, Panel
from logging_system.console.guard import Guard, hosts_of
from logging_system.console.sessions import Sessions
from logging_system.coordination.detection.finding_file import FindingFile
from logging_system.coordination.detection.finding_lines import line_of
from logging_system.coordination.finding_content import content_of
from logging_system.gateway.server import listen
from tests.stack.processes import Store, kill, ready_line, started
from tests.unit.logging_system.coordination.engines import finding

PANELS = ("pipeline", "alerts", "findings", "workflows", "dead_letters", "keys")
SPAN_PANELS = ("series", "rates", "templates", "loggers")
WORKFLOWS = """\
workflows:
  - name: louder
    when: {kinds: [spike]}
    until_over: true
    steps:
      - {kind: set_level, logger: "{subject}", level: DEBUG}
"""


class LiteralLines:
    """Answers with literal lines, and notes what was asked."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found
        self.asked: list[tuple[str, int, int, str]] = []

    def lines(self, query: str, since_ms: int, until_ms: int, namespace: str = "") -> dict[str, Any]:
        self.asked.append((query, since_ms, until_ms, namespace))
        return dict(self.found)


class NotedAnswers:
    """Notes what is said, and answers literally."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.said: list[tuple[str, str]] = []

    def answer(self, run_id: str, say: str, _author: str) -> str:
        self.said.append((run_id, say))
        return self.sentence


@contextmanager
def literal_console(
    contents: Mapping[str, Mapping[str, Any]],
    lines: LiteralLines,
    answers: NotedAnswers,
    about: Mapping[str, Any],
    *,
    tokens: Any = None,
) -> Iterator[str]:
    """The URL of a console that shows literal panels."""

    def read(name: str) -> Callable[[], Mapping[str, Any]]:
        return lambda: contents[name]

    panels = [Panel(name, read(name), 0.5) for name in PANELS]
    panels += [Panel(name, read(name), 0.5, "1h") for name in SPAN_PANELS]
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        sessions = Sessions(tokens, port)
        board = Board(panels, ("1h",), pages_max=8)
        shown = {"spans": [{"name": "1h", "seconds": 3600}], "has_store": True, "is_masked": True, **about}
        console = Console(board, lines, answers, sessions, shown)
        guarded = Guard(console.routes(), hosts_of("127.0.0.1", port), sessions)
        server = uvicorn.Server(
            uvicorn.Config(
                guarded, lifespan="off", ws="none", log_level="warning", timeout_graceful_shutdown=1
            )
        )

        async def serve() -> None:
            board.start()
            ending = asyncio.create_task(server.serve([listener]))
            while not server.should_exit:
                await asyncio.sleep(0.02)
            await board.close()
            await ending
            # A page whose stream ends connects again at once: what was accepted last is closed too.
            await asyncio.sleep(0.05)
            for connection in tuple(server.server_state.connections):
                connection.transport.close()
            await asyncio.sleep(0.05)

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join(10)


class World:
    """A store, a spool with something beside it, `watch` with a workflow, and the console on both."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        self.spool.mkdir()
        self.store = Store(folder / "store")
        running.callback(lambda: kill(self.store.process))
        _prepare(self.store)
        self.log("user 17 was created", *(f"order {n} was placed" for n in range(30)))
        self.log(
            *(f"payment timed out after {n} ms" for n in (41, 42, 43)), level="error", logger="shop.payment"
        )
        workflows = folder / "workflows.yaml"
        workflows.write_text(WORKFLOWS)
        self._start(running, "watch", "--spool", str(self.spool), "--workflows", str(workflows))
        self.propose("f1")
        ready = self._start(
            running,
            *("console", "--spool", str(self.spool), "--service", "shop", "--console-port", "0"),
            *("--elasticsearch", self.store.url),
        )
        self.url = str(ready["url"])

    def log(self, *messages: str, level: str = "info", logger: str = "shop.orders", **fields: Any) -> None:
        """Store lines of half a minute ago."""
        moment = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
        lines = []
        for message in messages:
            document = {"@timestamp": moment, "message": message, "log": {"level": level, "logger": logger}}
            lines += [orjson.dumps({"create": {}}), orjson.dumps({**document, **fields})]
        answer = requests.post(
            f"{self.store.url}/logs-shop-main/_bulk?refresh=true",
            b"\n".join(lines) + b"\n",
            headers={"Content-Type": "application/x-ndjson"},
            timeout=20,
        )
        assert answer.json()["errors"] is False, answer.text

    def propose(self, finding_id: str) -> None:
        """Have a finding, and the workflow that fits it proposed."""
        now_seconds = datetime.now(UTC).timestamp()
        found = finding(
            finding_id=finding_id,
            namespace="main",
            since_seconds=now_seconds - 60,
            found_seconds=now_seconds,
            examples=("payment timed out after 41 ms",),
        )
        file = self.folder / "finding.json"
        file.write_text(json.dumps(content_of(found)))
        words = ["coordination", "run", "--finding", str(file), "--spool", str(self.spool)]
        words += ["--workflows", str(self.folder / "workflows.yaml")]
        subprocess.run(
            [sys.executable, "-m", "logging_system", *words], check=True, capture_output=True, timeout=60
        )
        FindingFile(alerts_folder(self.spool)).add([line_of(found, "")])

    def _start(self, running: ExitStack, *words: str) -> dict[str, Any]:
        process = started([sys.executable, "-m", "logging_system", *words], stderr=subprocess.DEVNULL)
        running.callback(lambda: kill(process))
        return ready_line(process)


def _prepare(store: Store) -> None:
    keyword = {"type": "keyword"}
    fields = {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
        "labels": {"type": "flattened"},
        "log": {"properties": {"level": keyword, "logger": keyword}},
        "error": {"properties": {"type": keyword}},
        "service": {"properties": {"name": keyword}},
    }
    template = {"mappings": {"dynamic": False, "properties": fields}}
    body = {"index_patterns": ["logs-shop-*"], "priority": 500, "data_stream": {}, "template": template}
    store.ask("PUT", "/_index_template/shop", body)
