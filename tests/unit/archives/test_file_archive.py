import json

import pytest

from harness.archives.file import FileArchive
from harness.errors import StackError
from harness.protocols import StoredDocument


def write(folder, *lines):
    path = folder / "dead.ndjson"
    path.write_bytes(
        b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )
    return FileArchive(str(path), "document.message")


def test_every_line_is_a_copy_with_its_place_and_the_values_asked_for(tmp_path):
    archive = write(
        tmp_path,
        {"reason": "mapping", "document": {"message": "one"}},
        b"\n",
        {"reason": 7, "document": {"message": "two"}},
        b"\n",
    )

    assert list(archive.read(["reason", "document.message", "none", "_position"])) == [
        StoredDocument("dead.ndjson:1", "one", ("mapping", "one", None, 1)),
        StoredDocument("dead.ndjson:2", "two", (7, "two", None, 2)),
    ]
    assert archive.count() == 2


def test_a_torn_line_is_a_copy_that_reads_as_it_stands(tmp_path):
    archive = write(tmp_path, {"document": {"message": "one"}}, b'\n{"document": {"mess\xff')

    documents = list(archive.read())

    assert documents[1] == StoredDocument("dead.ndjson:2", '{"document": {"mess\ufffd')


def test_a_line_without_the_field_reads_as_it_stands(tmp_path):
    assert [each.line for each in write(tmp_path, {"other": 1}).read()] == ['{"other": 1}']


def test_a_dotted_key_is_found_as_well(tmp_path):
    assert [each.line for each in write(tmp_path, {"document.message": "one"}).read()] == ["one"]


def test_a_file_that_is_not_there_yet_holds_nothing(tmp_path):
    archive = FileArchive(str(tmp_path / "none"))

    assert (archive.count(), list(archive.read())) == (0, [])


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    archive = FileArchive(str(tmp_path))

    with pytest.raises(StackError, match="cannot be read"):
        archive.count()
