"""elastic_lite as a process: what it acknowledged survives, it stops when told, it tells what is wrong."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import (
    NDJSON,
    START_SECONDS_MAX,
    STOP_SECONDS_MAX,
    Store,
    lite_process,
    ready_url,
)

STAMP = "2024-01-01T00:00:00Z"
WRITERS = 4
BULKS_BEFORE_KILL = 20


def write_until_killed(
    url: str, index: str, writer: int, acknowledged: set[str], enough: threading.Event
) -> None:
    """Send bulks one after the other, and note the ids that were answered as stored."""
    store = Store(url)
    for number in range(10_000):
        ids = [f"{writer}-{number}-{at}" for at in range(20)]
        try:
            items = store.items(
                f"/{index}", [line for key in ids for line in ({"create": {"_id": key}}, {"n": 1})]
            )
        except OSError:  # the server is dead; requests' own errors are OSErrors
            return
        acknowledged.update(item["_id"] for item in items if item["status"] == 201)
        if number == BULKS_BEFORE_KILL:
            enough.set()


def test_every_acknowledged_document_survives_a_kill_amid_writes(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    enough = threading.Event()
    with lite_process(tmp_path) as process:
        url = ready_url(process)
        writers = [
            threading.Thread(target=write_until_killed, args=(url, "docs", writer, acknowledged, enough))
            for writer in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        assert enough.wait(30)
        process.kill()
        for writer in writers:
            writer.join(30)
    with lite_process(tmp_path) as process:
        store = Store(ready_url(process))
        wanted = sorted(acknowledged)
        found = store.ok("POST", "/docs/_mget", {"ids": wanted})["docs"]
        searched = store.count("docs")

    assert len(wanted) > BULKS_BEFORE_KILL * 20
    assert [document["_id"] for document in found if not document["found"]] == []
    assert searched >= len(wanted)


def test_restart_serves_templates_indices_documents_versions_and_settings(tmp_path: Path) -> None:
    shown: list[dict[str, Any]] = []
    for attempt in range(2):
        with lite_process(tmp_path) as process:
            store = Store(ready_url(process), suffix="kept")
            if attempt == 0:
                stream, index = store.stream(), store.index({"n": {"type": "long"}})
                lines = [{"create": {"_id": "a"}}, {"@timestamp": STAMP}]
                store.items(f"/{stream}", lines)
                store.ok("POST", f"/{stream}/_rollover")
                store.items(f"/{stream}", lines)
                store.items(
                    f"/{index}", [{"index": {"_id": "a"}}, {"n": 1}, {"index": {"_id": "a"}}, {"n": 2}]
                )
                store.items(
                    f"/{index}",
                    [{"index": {"_id": "b"}}, {"n": 1}, {"delete": {"_id": "b"}}],
                    "?refresh=true",
                )
                store.ok("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": 7}})
            store.ok("POST", "/_refresh")
            shown.append(
                {
                    "indices": store.ok("GET", "/*,.ds-*"),
                    "streams": store.ok("GET", "/_data_stream"),
                    "templates": store.ok("GET", "/_index_template"),
                    "settings": store.ok("GET", "/_cluster/settings"),
                    "document": store.ok("GET", f"/{index}/_doc/a"),
                    "hits": store.ok("POST", "/_search", {"sort": ["_doc"], "version": True})["hits"],
                }
            )
            next_write = store.items(f"/{index}", [{"index": {"_id": "b"}}, {"n": 3}])[0] if attempt else {}
            process.kill()

    assert shown[0] == shown[1]
    assert len(shown[0]["hits"]["hits"]) == 3
    assert (next_write["_version"], next_write["_seq_no"], next_write["status"]) == (3, 4, 201)


def test_point_in_time_does_not_survive_a_restart(tmp_path: Path) -> None:
    with lite_process(tmp_path) as process:
        store = Store(ready_url(process))
        point = store.point(store.index())
        process.kill()
    with lite_process(tmp_path) as process:
        store = Store(ready_url(process))

        assert store.refused("POST", "/_search", {"pit": {"id": point}}) == (
            404,
            "search_context_missing_exception",
        )


def test_terminated_server_stops_even_with_open_connections(tmp_path: Path) -> None:
    with lite_process(tmp_path) as process:
        store = Store(ready_url(process))
        store.ok("GET", "/_cluster/health")
        process.terminate()

        assert process.wait(STOP_SECONDS_MAX) == 0


def test_server_with_a_lifeline_stops_when_its_standard_input_ends(tmp_path: Path) -> None:
    with lite_process(tmp_path, "--lifeline") as process:
        ready_url(process)
        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(STOP_SECONDS_MAX) == 0


def test_server_without_a_lifeline_outlives_its_standard_input(tmp_path: Path) -> None:
    with lite_process(tmp_path, stdin=subprocess.DEVNULL) as process:
        store = Store(ready_url(process))

        assert store.ok("GET", "/")["version"]["number"] == "8.19.0"
        assert process.poll() is None


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\0" * 8192])
def test_damaged_data_file_is_told_with_its_place_and_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "elastic_lite.sqlite3"
    path.write_bytes(content)
    with lite_process(tmp_path) as process:
        output, errors = process.communicate(timeout=START_SECONDS_MAX)

    assert process.returncode == 7
    assert output == b""
    assert str(path) in errors.decode()
    assert "not a usable elastic_lite data file" in errors.decode()
    assert "Restore it from a copy" in errors.decode()
    assert "Traceback" not in errors.decode()


def test_truncated_data_file_is_told_as_damaged(tmp_path: Path) -> None:
    with lite_process(tmp_path, "--lifeline") as process:
        store = Store(ready_url(process))
        store.fill(store.index(), {str(number): {"text": "x" * 500} for number in range(500)})
        assert process.stdin is not None
        process.stdin.close()
        process.wait(STOP_SECONDS_MAX)
    path = tmp_path / "elastic_lite.sqlite3"
    path.write_bytes(path.read_bytes()[:40_000])
    with lite_process(tmp_path) as process:
        _, errors = process.communicate(timeout=START_SECONDS_MAX)

    assert process.returncode == 7
    assert str(path) in errors.decode()


def test_folder_that_is_served_already_is_refused(tmp_path: Path) -> None:
    with lite_process(tmp_path) as first:
        ready_url(first)
        with lite_process(tmp_path) as second:
            _, errors = second.communicate(timeout=START_SECONDS_MAX)

    assert second.returncode == 7
    assert "another elastic_lite is serving this data folder" in errors.decode()


def test_port_in_use_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with lite_process(tmp_path / "first") as first:
        port = ready_url(first).rpartition(":")[2]
        with lite_process(tmp_path / "second", "--port", port) as second:
            _, errors = second.communicate(timeout=START_SECONDS_MAX)

    assert second.returncode == 7
    assert f"127.0.0.1:{port}: cannot listen" in errors.decode()


def test_body_limit_is_settable(tmp_path: Path) -> None:
    with lite_process(tmp_path, "--body-bytes-max", "1000") as process:
        store = Store(ready_url(process))
        small = store.call("POST", "/docs/_bulk", b'{"create":{}}\n{}\n', NDJSON)
        large = store.call("POST", "/docs/_bulk", b'{"create":{}}\n{"a":"' + b"x" * 1000 + b'"}\n', NDJSON)

    assert small.status_code == 200
    assert large.status_code == 413
