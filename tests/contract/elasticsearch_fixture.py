"""Elasticsearch servers to run the contract against, and a small client that cleans up after a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import pytest
import requests

from harness.deployments import server_specs
from harness.deployments.installed import InstalledServer, find
from harness.processes.clock import SystemClock
from harness.processes.managed import ManagedProcess
from harness.processes.ports import free_port
from harness.processes.scratch import make_scratch, remove_scratch
from harness.targets.interceptor_client import InterceptorClient

START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 10.0
REQUEST_SECONDS_MAX = 30.0
# How long a test waits for bytes that are on their way; none waits this long unless it fails.
WAIT_SECONDS_MAX = 10.0
FREE = "127.0.0.1:0"
NDJSON = "application/x-ndjson"
JSON = "application/json"


@contextmanager
def lite_process(
    folder: Path, *arguments: str, stdin: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """An elastic_lite on a data folder, killed at the end of the block at the latest."""
    command = [
        sys.executable,
        "-m",
        "harness.programs.elastic_lite",
        "--port",
        "0",
        "--data",
        str(folder),
        *arguments,
    ]
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def ready_url(process: subprocess.Popen[bytes]) -> str:
    """The URL that an elastic_lite prints when it serves."""
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    assert ready["pid"] == process.pid
    return str(ready["url"])


@contextmanager
def lite_server(folder: Path) -> Iterator[str]:
    """The URL of an elastic_lite that lives as long as the block."""
    with lite_process(folder, "--lifeline") as process:
        yield ready_url(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(STOP_SECONDS_MAX) == 0


def installed_elasticsearch() -> InstalledServer:
    """The real server's installation; skips the test without it, fails where real servers are required."""
    installed = find("elasticsearch")
    if installed is not None:
        return installed
    reason = "the real Elasticsearch is not installed; run `make servers`"
    if os.environ.get("LOGQUAKE_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def real_server() -> Iterator[str]:
    """The URL of a real Elasticsearch; skips the test without one, fails where it is required."""
    if chosen := os.environ.get("LOGQUAKE_TEST_ELASTICSEARCH_URL"):
        yield chosen
        return
    installed = installed_elasticsearch()
    port, run_id = free_port(), f"contract-{uuid4().hex[:12]}"
    scratch = make_scratch(run_id)
    try:
        spec = server_specs.elasticsearch(
            "elasticsearch", scratch, port, {"elasticsearch": free_port()}, installed
        )
        process = ManagedProcess(spec, run_id, SystemClock())
        try:
            process.start()
            process.wait_ready(START_SECONDS_MAX)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate(STOP_SECONDS_MAX)
    finally:
        remove_scratch(scratch)


@contextmanager
def interceptor_program(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """An http_interceptor and the URL of its API; it ends with the block."""
    command = [sys.executable, "-m", "harness.programs.http_interceptor", "--port", "0", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(STOP_SECONDS_MAX)


@contextmanager
def idle_interceptor(url: str) -> Iterator[str]:
    """The URL of an interceptor without rules in front of a server."""
    with interceptor_program("--lifeline") as (_, api):
        body = {"name": "idle", "listen": "127.0.0.1:0", "upstream": urlsplit(url).netloc}
        created = requests.post(f"{api}/interceptors", json=body, timeout=REQUEST_SECONDS_MAX).json()
        yield f"http://{created['listen']}"


@pytest.fixture(scope="session")
def interceptor_url() -> Iterator[str]:
    with interceptor_program("--lifeline") as (_, url):
        yield url


@pytest.fixture
def interceptor_client(interceptor_url: str) -> Iterator[InterceptorClient]:
    """A client of a program without interceptors."""
    client = InterceptorClient(interceptor_url, WAIT_SECONDS_MAX)
    yield client
    for name in client.interceptors():
        client.delete(name)


@pytest.fixture(scope="session")
def elastic_lite_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lite_server(tmp_path_factory.mktemp("elastic_lite") / "data") as url:
        yield url


@pytest.fixture(scope="session")
def real_elasticsearch_url() -> Iterator[str]:
    with real_server() as url:
        yield url


@pytest.fixture(
    scope="session",
    params=[
        "elastic_lite",
        "elastic_lite behind an interceptor",
        pytest.param("elasticsearch", marks=pytest.mark.servers),
        pytest.param("elasticsearch behind an interceptor", marks=pytest.mark.servers),
    ],
)
def elasticsearch_url(request: pytest.FixtureRequest) -> Iterator[str]:
    # Taken by name, so that only what a chosen parameter needs is started, and each server once.
    is_lite = request.param.startswith("elastic_lite")
    url = request.getfixturevalue("elastic_lite_url" if is_lite else "real_elasticsearch_url")
    if request.param.endswith("interceptor"):
        with idle_interceptor(url) as intercepted_url:
            yield intercepted_url
    else:
        yield url


@dataclass
class Store:
    """A server and the names that one test uses on it; `close` deletes what can be deleted."""

    url: str
    suffix: str = field(default_factory=lambda: uuid4().hex[:10])
    session: requests.Session = field(default_factory=requests.Session)
    used: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)

    def name(self, word: str = "docs") -> str:
        """A name of this test alone; it is not created yet."""
        name = f"{word}-{self.suffix}-{len(self.used)}"
        self.used.append(name)
        return name

    def call(
        self, method: str, path: str, body: Any = None, kind: str = JSON, **headers: str
    ) -> requests.Response:
        """Send one request as it is; header names are given with `_` for `-`."""
        content = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            sent.setdefault("Content-Type", kind)
        return self.session.request(
            method, self.url + path, data=content, headers=sent, timeout=REQUEST_SECONDS_MAX
        )

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of a request that must succeed."""
        answer = self.call(method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and error type of a request that must fail, with the shape that every error has."""
        answer = self.call(method, path, body)
        error = answer.json()["error"]
        assert answer.json()["status"] == answer.status_code
        assert error["root_cause"][0]["reason"] is not None
        return answer.status_code, error["root_cause"][0]["type"]

    def index(self, properties: Any = None, **settings: Any) -> str:
        """An index of one shard without replicas that refreshes only when told to."""
        name = self.name()
        settings = {"number_of_replicas": 0, "refresh_interval": "-1", **settings}
        self.ok("PUT", f"/{name}", {"settings": settings, "mappings": {"properties": properties or {}}})
        return name

    def stream(self, properties: Any = None) -> str:
        """A name for which a template makes a data stream that refreshes only when told to."""
        name = self.name("stream")
        mappings = {"dynamic": False, "properties": {"@timestamp": {"type": "date"}, **(properties or {})}}
        settings = {"number_of_replicas": 0, "refresh_interval": "-1"}
        template = {"settings": settings, "mappings": mappings}
        body = {"index_patterns": [name], "priority": 500, "data_stream": {}, "template": template}
        self.ok("PUT", f"/_index_template/{name}", body)
        return name

    def bulk(self, path: str, lines: Sequence[Any], parameters: str = "") -> requests.Response:
        """A bulk of lines; bytes are sent as they are."""
        content = b"".join(
            (line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in lines
        )
        return self.call("POST", f"{path}/_bulk{parameters}", content, NDJSON)

    def items(self, path: str, lines: Sequence[Any], parameters: str = "") -> list[Any]:
        """The items of a bulk answer."""
        answer = self.bulk(path, lines, parameters)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found = [next(iter(item.values())) for item in body["items"]]
        assert body["errors"] is any("error" in item for item in found)
        return found

    def fill(self, index: str, documents: dict[str, Any]) -> None:
        """Write documents under their ids and make them searchable."""
        lines = [line for key, body in documents.items() for line in ({"create": {"_id": key}}, body)]
        assert {item["status"] for item in self.items(f"/{index}", lines, "?refresh=true")} == {201}

    def ids(self, index: str, body: Any) -> list[str]:
        """The ids that a search finds, in its order."""
        return [hit["_id"] for hit in self.ok("POST", f"/{index}/_search", body)["hits"]["hits"]]

    def count(self, index: str) -> int:
        """How many documents a search would find."""
        return int(self.ok("GET", f"/{index}/_count")["count"])

    def point(self, index: str, keep_alive: str = "1m") -> str:
        """An open point in time."""
        opened = str(self.ok("POST", f"/{index}/_pit?keep_alive={keep_alive}")["id"])
        self.points.append(opened)
        return opened

    def close(self) -> None:
        """Delete this test's indices; the minimal real distribution cannot delete data streams."""
        for opened in self.points:
            self.call("DELETE", "/_pit", {"id": opened})
        for name in self.used:
            self.call("DELETE", f"/{name}")
            self.call("DELETE", f"/_data_stream/{name}")
            self.call("DELETE", f"/_index_template/{name}")
        for name in self.used:
            self.call("DELETE", f"/_component_template/{name}")
        self.session.close()


@pytest.fixture
def store(elasticsearch_url: str) -> Iterator[Store]:
    opened = Store(elasticsearch_url)
    yield opened
    opened.close()


def eventually(seconds_max: float, check: Any) -> bool:
    """Whether a condition comes true within a time."""
    deadline = time.monotonic() + seconds_max
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
