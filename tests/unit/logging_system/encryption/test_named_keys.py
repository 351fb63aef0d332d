"""Which data keys a document needs is read from its bytes, whatever else is in it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.encryption.envelope import read_header
from logging_system.encryption.named_keys import named_data_keys
from logging_system.records.document import Record
from tests.unit.logging_system.encryption.sealed import encryption, key_file
from tests.unit.logging_system.encryption.test_fields import as_line, encoded, processor


@pytest.mark.parametrize("key_id", ["l", "lo", "log", "k" * 64])
@pytest.mark.parametrize("there", [None, ["a]b"], [["in", "ner"], 7], "text"])
def test_the_data_keys_of_all_sealed_fields_are_named(tmp_path: Path, key_id: str, there: object) -> None:
    made = encryption(tmp_path, provider=key_file(tmp_path, key_id), key_id=key_id)
    document: dict[str, Any] = {"message": 'says "encrypted":["AQEE"]', "labels": {"a": "1", "b": "2"}}
    if there is not None:
        document["encrypted"] = there
    record = as_line(document)
    for name in ("labels.a", "labels.b"):  # each has a data key of its own
        changed = processor(made, name).process(record)
        assert isinstance(changed, Record)
        record = changed
    elements = orjson.loads(record.encoded)["encrypted"]
    sealed = [each for each in elements if isinstance(each, str) and each.startswith("AQ")]
    needed = [read_header(urlsafe_b64decode(each)).data_key_id for each in sealed]

    assert len(set(needed)) == 2
    assert list(named_data_keys(record.encoded)) == needed


@pytest.mark.parametrize(
    "document",
    [
        b'{"message":"m"}',
        b'{"encrypted":"AQEEbG9ncw"}',
        b'{"encrypted":["","A","AQ","AQEEbG9ncw","gAAAAABl","\xe2\x98\x83"]}',
        b'{"encrypted":[',
        b'{"inner":{"encrypted":[1]}}',
    ],
)
def test_what_is_not_sealed_names_none(document: bytes) -> None:
    assert list(named_data_keys(document)) == []


def test_a_record_without_sealed_fields_names_none(tmp_path: Path) -> None:
    record = as_line({"message": "m", "labels": {"b": 1}})
    assert list(named_data_keys(encoded(processor(encryption(tmp_path), "labels.a").process(record)))) == []
