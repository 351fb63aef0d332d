"""A declared fallback, with real processes: files while the store is away, the store when it is back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import Store, eventually, kill
from tests.stack.test_shipping import shipped, shipper


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
