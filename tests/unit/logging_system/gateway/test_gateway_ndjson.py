from __future__ import annotations

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.gateway.batch import Batch
from logging_system.gateway.bodies import BodyError
from logging_system.gateway.ndjson import UNPARSED, read_ndjson
from logging_system.records.document import Document, Record
from logging_system.records.processors import NO_PROCESSORS, Chain, Drop

RECEIVED = "2026-11-22T10:00:00.000000000Z"


def documents(body: bytes, record_bytes_max: int = 10_000) -> list[Document]:
    batch = Batch(NO_PROCESSORS, record_bytes_max)
    read_ndjson(body, RECEIVED, batch)
    return [orjson.loads(document) for document in batch.documents]


def test_each_object_becomes_a_document_in_the_order_of_the_lines() -> None:
    found = documents(b'{"message":"one"}\r\n\n{"message":"two"}\n  \n{"message":"three"}')

    assert [document["message"] for document in found] == ["one", "two", "three"]


def test_a_line_without_a_time_gets_the_time_it_was_received() -> None:
    (found,) = documents(b'{"message":"x"}')

    assert found["@timestamp"] == RECEIVED


def test_the_fields_of_a_line_stay_as_they_are() -> None:
    line = b'{"@timestamp":"2020-01-01T00:00:00Z","message":"x","ecs":{"version":"1.0"},"my":[1,{"a":null}]}'
    (found,) = documents(line)

    assert found == orjson.loads(line)


@pytest.mark.parametrize(
    "line",
    [
        b"plain text",
        b"[1,2]",
        b'"text"',
        b"{broken",
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
)
def test_a_line_that_is_no_object_is_kept_as_a_message(line: bytes) -> None:
    before, found, after = documents(b'{"message":"before"}\n' + line + b'\n{"message":"after"}\n')

    assert found["message"] == line.decode()
    assert UNPARSED in found["labels"]  # type: ignore[operator]
    assert (before["message"], after["message"]) == ("before", "after")


def test_bytes_that_are_no_utf8_are_kept_readably() -> None:
    (found,) = documents(b"caf\xe9")

    assert found["message"] == "caf\\xe9"


def test_a_line_beyond_the_limit_refuses_the_whole_body_and_says_where() -> None:
    batch = Batch(NO_PROCESSORS, 50)
    with pytest.raises(BodyError, match="line 2 has 100 bytes, the limit is 50") as caught:
        read_ndjson(b'{"a":1}\n' + b"x" * 100, RECEIVED, batch)
    assert caught.value.status == 413


class Refusing:
    """Raises for one message and drops another."""

    def process(self, record: Record) -> Record | Drop:
        if record.document["message"] == "secret":
            raise ValueError("cannot mask this")
        return Drop("health_check") if record.document["message"] == "ping" else record


def test_a_processor_that_fails_or_drops_rejects_its_line_and_no_other() -> None:
    batch = Batch(Chain([Refusing()]), 1_000)
    lines = b'{"message":"a"}\n{"message":"secret"}\n{"message":"ping"}\n{"message":"b"}'
    read_ndjson(lines, RECEIVED, batch)

    assert [orjson.loads(document)["message"] for document in batch.documents] == ["a", "b"]
    assert (batch.rejected, batch.why_rejected) == (2, "line 2: processor Refusing failed (ValueError)")
    assert batch.dropped == {"processor_error": 1, "processor:health_check": 1}


def test_of_names_that_come_twice_processors_see_and_keep_the_last() -> None:
    batch = Batch(Chain([Refusing()]), 1_000)
    read_ndjson(b'{"message":"secret","n": 1.50,"message":"public"}', RECEIVED, batch)

    assert batch.documents[0].endswith(b'"n": 1.50,"message":"public"}')
    assert b"secret" not in batch.documents[0]


@pytest.mark.parametrize(
    "line",
    [
        b'{"n":123456789012345678901234567890}',
        b'{"n":0.10000000000000000000001}',
        b"{}",
        b'  { "a" : 1 }  ',
        b'{"@timestamp":"2020-01-01T00:00:00Z"}',
        b"{ }",
    ],
)
def test_a_line_is_kept_to_the_digit_and_gains_only_what_it_lacks(line: bytes) -> None:
    batch = Batch(NO_PROCESSORS, 1_000)
    read_ndjson(line, RECEIVED, batch)
    (document,) = batch.documents
    expected = {"@timestamp": RECEIVED, "ecs": {"version": "8.17"}, **json.loads(line, parse_float=Decimal)}

    assert json.loads(document, parse_float=Decimal) == expected


@given(st.lists(st.binary(max_size=200)))
def test_no_line_is_lost_whatever_it_holds(lines: list[bytes]) -> None:
    """One document per line that is not blank; each is valid JSON."""
    body = b"\n".join(line.replace(b"\n", b"") for line in lines)
    expected = sum(1 for line in body.split(b"\n") if line.strip())

    assert len(documents(body, 10_000)) == expected
