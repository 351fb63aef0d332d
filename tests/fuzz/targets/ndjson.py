"""What clients send as NDJSON: a document for each line that is not blank, and no field altered."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from logging_system.gateway.batch import Batch
from logging_system.gateway.bodies import BodyError
from logging_system.gateway.ndjson import UNPARSED, read_ndjson
from logging_system.records.processors import NO_PROCESSORS
from tests.fuzz.target import Target

RECORD_BYTES_MAX = 4_000
_RECEIVED = "2026-11-22T10:00:00.000000000Z"


def _seeds() -> Sequence[bytes]:
    return (
        b'{"@timestamp":"2026-11-22T10:00:00Z","message":"one","log":{"level":"info"}}\n{"message":"two"}\n',
        b'{"message":"\xc3\xa4\\u00e4\\ud83d\\ude00","labels":{"a":1,"b":-2.5e3,"c":null,"d":[true,false]}}\r\n\r\n',
        b'plain text\n[1,2]\n"text"\n{broken\n{}\n',
        b'{"id":9223372036854775807,"big":18446744073709551615,"deep":[[[[{"a":{"b":[{}]}}]]]]}\n',
        b"caf\xe9\n\xff\xfe\n \t \n" + b'{"message":"' + b"x" * 1_000 + b'"}',
    )


def _check(body: bytes) -> bool:
    lines = [line.removesuffix(b"\r") for line in body.split(b"\n")]
    lines = [line for line in lines if line.strip()]
    batch = Batch(NO_PROCESSORS, RECORD_BYTES_MAX)
    try:
        read_ndjson(body, _RECEIVED, batch)
    except BodyError as error:
        assert error.status == 413
        assert max(map(len, lines)) > RECORD_BYTES_MAX
        return False

    assert len(batch.documents) + batch.rejected == len(lines)
    assert bool(batch.rejected) == bool(batch.why_rejected)
    for document in batch.documents:
        assert len(document) <= RECORD_BYTES_MAX
        assert "@timestamp" in orjson.loads(document)
    if not batch.rejected:
        for line, document in zip(lines, batch.documents, strict=True):
            _is_kept(line, orjson.loads(document))
    return True


def _is_kept(line: bytes, document: dict[str, object]) -> None:
    labels = document.get("labels")
    if isinstance(labels, dict) and UNPARSED in labels:
        assert document["message"] == line.decode("utf-8", "backslashreplace")
        return
    sent = orjson.loads(line)
    assert {name: document[name] for name in sent} == sent
    assert document.keys() - sent.keys() <= {"@timestamp", "ecs"}


NDJSON = Target(
    "ndjson",
    _seeds,
    _check,
    json=True,
    words=(
        b"\n",
        b"\r\n",
        b"\r",
        b"{}\n",
        b'{"a":1}\n',
        b'"@timestamp":null,',
        b'"labels":3,',
        b"\xef\xbb\xbf",
        b"\0",
    ),
)
