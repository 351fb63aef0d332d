"""A revoked API key: `ship` waits, reads the new one, and has advanced by nothing meanwhile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson

from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import eventually
from tests.stack.test_shipping import shipped, shipper
from tests.unit.logging_system.store_server import StoreServer, http

RECORDS = 200
OLD, NEW = "b2xkOnNlY3JldA==", "bmV3OnNlY3JldA=="


class KeyedStore:
    """Stores documents for whoever has its key, and answers 401 to all others."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.refused = 0
        self.stored: Counter[str] = Counter()

    def __call__(self, request: bytes) -> Iterator[bytes]:
        head, _, body = request.partition(b"\r\n\r\n")
        if f"apikey {self.key}".lower() not in head.decode().lower():
            self.refused += 1
            yield http(b'{"error":{"type":"security_exception"}}', b"401 Unauthorized")
        elif b"/_bulk" in head.partition(b"\r\n")[0]:
            ids = re.findall(rb'"create":\{"_id":"([^"]+)"', body)
            self.stored.update(each.decode() for each in ids)
            items = [{"create": {"_id": each.decode(), "status": 201}} for each in ids]
            yield http(orjson.dumps({"errors": False, "items": items}))
        else:
            yield http(b'{"docs":[]}', b"405 Method Not Allowed" if b"_mget" in head else b"200 OK")


def test_a_revoked_key_costs_nothing_and_the_new_one_is_read_without_a_restart(tmp_path: Path) -> None:
    store = KeyedStore(OLD)
    spool, key_file = tmp_path / "spool", tmp_path / "key"
    key_file.write_text(OLD + "\n")
    writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=False)

    def log(first: int, count: int) -> None:
        writer.append(
            [orjson.dumps({"@timestamp": n, "message": str(n)}) for n in range(first, first + count)]
        )

    log(0, RECORDS)
    with closing(StoreServer(store)) as server:
        options = ("--api-key-file", str(key_file))
        with shipper(spool, server.url, *options):
            eventually(lambda: shipped(tmp_path).get("delivered") == RECORDS, "delivery with the first key")
            store.key = NEW
            log(RECORDS, RECORDS)
            eventually(lambda: store.refused >= 3, "the first key is refused")
            refused = shipped(tmp_path)
        with shipper(spool, server.url, *options):  # the one before was killed in the middle
            eventually(lambda: shipped(tmp_path)["admitted"] == 2 * RECORDS, "the rest is read again")
            waiting = shipped(tmp_path)
            key_file.write_text(NEW + "\n")
            eventually(lambda: shipped(tmp_path).get("delivered") == 2 * RECORDS, "delivery with the new key")
    writer.seal()
    status = (spool / "status-shipper.json").read_text()

    assert refused["delivered"] == waiting["delivered"] == RECORDS
    assert refused["dead_lettered"] == waiting["dead_lettered"] == 0
    assert len(store.stored) == 2 * RECORDS
    assert set(store.stored.values()) == {1}
    assert OLD not in status
    assert NEW not in status
