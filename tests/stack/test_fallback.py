"""A declared fallback, with real processes: files while the store is away, the store when it is back."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import orjson
import pytest

from logging_system.delivery.machine import Item
from logging_system.sinks.file import FileSink
from logging_system.spool.writer import SpoolWriter
from tests.repository import DOCS
from tests.stack.processes import STREAM, WAIT_SECONDS, Store, eventually, kill
from tests.stack.test_shipping import shipped, shipper

PAGE = DOCS / "how-to" / "install-logging.md"


def in_files(folder: Path) -> Counter[int]:
    files = [path for path in folder.glob("fallback.ndjson*") if path.suffix != ".lock"]
    hits = [orjson.loads(line) for path in files for line in path.read_bytes().splitlines()]
    return Counter(hit["_source"]["labels"]["sequence"] for hit in hits)


def test_records_go_to_files_while_the_store_is_away_and_each_is_in_one_place(
    tmp_path: Path, store: Store
) -> None:
    kill(store.process)
    writer = SpoolWriter(tmp_path / "spool", spool_bytes_max=1 << 30, sync=False)
    written = 0

    def log(count: int) -> None:
        nonlocal written
        sequences = range(written, written + count)
        writer.append([orjson.dumps({"@timestamp": n, "labels": {"sequence": n}}) for n in sequences])
        written += count

    def log_and_look_for(name: str) -> bool:
        log(10)
        return int(shipped(tmp_path).get(name, 0)) > 0

    def settled() -> bool:
        status = shipped(tmp_path)
        return bool(status["delivered"] + status["redirected"] == written)

    options = ("--fallback-file", str(tmp_path / "fallback.ndjson"), "--fallback-seconds", "1")
    log(300)
    with shipper(tmp_path / "spool", store.url, *options):
        eventually(lambda: log_and_look_for("redirected"), "the files stand in")
        store.start()
        eventually(lambda: log_and_look_for("delivered"), "the store gets records again")
        eventually(settled, "every record is somewhere")
    writer.seal()
    status, found, files = shipped(tmp_path), store.sequences(), in_files(tmp_path)

    assert found + files == Counter(range(written))
    assert set(range(300)) <= files.keys()
    assert (status["redirected"], status["delivered"]) == (sum(files.values()), sum(found.values()))
    assert status["balanced"]
    assert status["metrics"]["redirected"] == status["redirected"]


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="jq and curl are not installed")
def test_the_command_of_the_page_brings_the_files_into_the_store(tmp_path: Path, store: Store) -> None:
    (command,) = re.findall(r"^\$ (jq .*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    path = tmp_path / "fallback.ndjson"
    sink = FileSink(path, redirected=True)
    sink.send(
        [Item(b"e" * 16, n, orjson.dumps({"@timestamp": n, "labels": {"sequence": n}})) for n in range(50)]
    )
    sink.close()
    command = command.replace("/var/log/checkout-fallback.ndjson", str(path))
    command = command.replace("http://localhost:9200/logs-checkout-default", f"{store.url}/{STREAM}")
    for _ in range(2):  # sent again, nothing is stored twice
        subprocess.run(["/bin/sh", "-c", command], check=True, timeout=WAIT_SECONDS, capture_output=True)

    store.ask("POST", f"/{STREAM}/_refresh")

    assert store.ask("GET", f"/{STREAM}/_count")["count"] == 50
