"""Files that a stack wrote, as the harness reads them: each line is a document or shown as unreadable."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson

from harness.evidence.archives.file import FileArchive
from harness.model.errors import StackError
from tests.fuzz.target import Target


def _seeds() -> Sequence[bytes]:
    text = (
        b'{"message":"one","log.level":"info","log":{"logger":"a"}}\n\n{"message":{"a":[1,null]}}\ntorn {"a'
    )
    return (text, gzip.compress(text, mtime=0), b'{"_position":7,"message":true}\r\n[]\nplain\n')


def _check(body: bytes) -> bool:
    with tempfile.NamedTemporaryFile(prefix="logquake-fuzz-") as file:
        Path(file.name).write_bytes(body)
        archive = FileArchive(file.name)
        try:
            documents = list(archive.read(("log.level", "_position")))
        except StackError:
            assert body.startswith(b"\x1f\x8b")  # only what is packed can be broken as a whole
            return False

    if not body.startswith(b"\x1f\x8b"):
        lines = [line for line in body.split(b"\n") if line.strip()]
        assert len(documents) == len(lines)
        for document, line in zip(documents, lines, strict=True):
            assert bool(document.unreadable) != _is_object(line)
    return True


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


ARCHIVE_FILE = Target(
    "archive_file",
    _seeds,
    _check,
    json=True,
    words=(b"\n", b"\r\n", b"\x1f\x8b", b'{"log":{"level":{}}}\n', b'"log.level":[],', b"\0"),
)
