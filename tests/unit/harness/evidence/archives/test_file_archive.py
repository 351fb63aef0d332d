"""Files as an archive: what is a document, in which order, and that the unreadable never passes for empty."""

import gzip
import json
import os
import sys

import pytest

from harness.evidence.archives.file import FileArchive
from harness.evidence.lines import stamp
from harness.model.errors import StackError

RUN = "run-01"


def read(path, **how):
    return [(document.line, document.unreadable) for document in FileArchive(str(path), **how).read()]


def test_a_file_that_does_not_exist_yet_is_empty(tmp_path):
    archive = FileArchive(str(tmp_path / "none.log"))

    assert list(archive.read()) == []
    assert archive.count() == 0


def test_a_pattern_that_no_file_matches_is_told_from_an_empty_file(tmp_path):
    (tmp_path / "empty.log").touch()

    assert FileArchive(str(tmp_path / "*.log")).absent() == ""
    assert "*.txt: check `archive.path`" in FileArchive(str(tmp_path / "*.txt")).absent()


def test_ndjson_gives_the_field_and_lines_give_the_line(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b'{"message": "one\\ntwo"}\n\n{"message": "\xc3\xbc"}\r\n')

    assert read(path) == [("one\ntwo", ""), ("ü", "")]
    assert read(path, format="lines") == [
        ('{"message": "one\\ntwo"}', ""),
        ("", ""),
        ('{"message": "ü"}', ""),
    ]


@pytest.mark.parametrize(
    "document", [{"log": {"original": "x"}}, {"log.original": "x", "log": {"level": "i"}}]
)
def test_a_field_with_dots_is_found_nested_and_flat(tmp_path, document):
    path = tmp_path / "a.log"
    path.write_text(json.dumps(document) + "\n")

    assert read(path, field="log.original") == [("x", "")]


def test_a_document_without_the_field_is_an_empty_line_and_not_left_out(tmp_path):
    path = tmp_path / "a.log"
    path.write_text('{"msg": "x"}\n')

    assert read(path) == [("", "")]


def test_files_come_in_the_order_of_their_last_write_and_gzip_is_told_by_its_bytes(tmp_path):
    for age_seconds, name in ((30, "app.log.2"), (20, "app.log.1"), (10, "app.log")):
        path = tmp_path / name
        text = f"line of {name}\n".encode()
        path.write_bytes(gzip.compress(text) if name.endswith("2") else text)
        os.utime(path, (1_000_000 - age_seconds, 1_000_000 - age_seconds))
    archive = FileArchive(str(tmp_path / "app.log*"), format="lines")

    assert [document.line for document in archive.read()] == [
        "line of app.log.2",
        "line of app.log.1",
        "line of app.log",
    ]
    assert archive.count() == 3


def test_a_file_reached_by_two_names_is_read_once(tmp_path):
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "b.log").symlink_to(tmp_path / "a.log")
    os.link(tmp_path / "a.log", tmp_path / "c.log")

    assert read(tmp_path / "*.log", format="lines") == [("x", "")]


def test_a_copy_is_named_by_file_and_line(tmp_path):
    (tmp_path / "a.log").write_text("x\ny\n")

    (_, second) = FileArchive(str(tmp_path / "a.log"), format="lines").read()

    assert second.copy == f"{tmp_path}/a.log:2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"message": "a"}\n{"message": "b"}', [("a", ""), ("b", "")]),
        ('{"message": "a"}\n{"message": "b', [("a", ""), ('{"message": "b', "its last line is torn")]),
        ('{"message": "a\n{"message": "b"}\n', [('{"message": "a', "it is not a JSON document"), ("b", "")]),
        ("5\n", [("5", "it is not a JSON document")]),
    ],
)
def test_what_is_no_whole_document_is_named_and_proves_nothing(tmp_path, text, expected):
    path = tmp_path / "a.log"
    path.write_text(text)

    assert read(path) == expected


def test_a_torn_line_is_whole_at_a_later_reading(tmp_path):
    path = tmp_path / "a.log"
    path.write_text('{"message": "a')
    archive = FileArchive(str(path))
    before = [document.unreadable for document in archive.read()]
    path.write_text('{"message": "a"}\n')

    assert before == ["its last line is torn"]
    assert [(document.line, document.unreadable) for document in archive.read()] == [("a", "")]


def test_multiline_documents_end_with_their_identity(tmp_path):
    lines = [stamp("one\n  File x\nKeyError", RUN, 0), stamp("two", RUN, 1), "no identity"]
    path = tmp_path / "a.log"
    path.write_text("\n".join(lines))

    assert [line for line, _ in read(path, format="multiline")] == lines


def test_bytes_that_are_no_text_show_as_escapes(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"a\xffb\n")

    assert read(path, format="lines") == [("a\\xffb", "")]


def test_counting_goes_on_where_it_stopped_and_starts_over_when_a_file_is_emptied(tmp_path):
    path = tmp_path / "a.log"
    archive = FileArchive(str(path), format="lines")
    counts = []
    for text, mode in (("1\n2\n", "w"), ("3\n4", "a"), ("\n", "a"), ("1\n", "w")):
        with path.open(mode) as file:
            file.write(text)
        counts.append(archive.count())

    assert counts == [2, 3, 4, 1]


def test_a_cut_gzip_file_is_an_error(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x\n" * 1000)[:-6])

    with pytest.raises(StackError, match="cannot be read whole"):
        read(path, format="lines")


def test_a_damaged_gzip_file_is_an_error(tmp_path):
    path = tmp_path / "a.gz"
    packed = bytearray(gzip.compress(b"x\n" * 1000))
    packed[10] ^= 0x06  # an unknown kind of block
    path.write_bytes(packed)

    with pytest.raises(StackError, match="cannot be read whole"):
        read(path, format="lines")


def test_a_field_nested_deeper_than_python_can_write_is_an_empty_line(tmp_path):
    path = tmp_path / "a.ndjson"
    nested = "[" * 1_020 + "]" * 1_020
    path.write_text(f'{{"message":{nested}}}\n')

    # From Python 3.12 on it can write as deep a list as a document may hold.
    assert read(path) == [("" if sys.version_info < (3, 12) else nested, "")]


def test_what_is_no_file_is_an_error_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.log")

    with pytest.raises(StackError, match="no regular file"):
        read(tmp_path / "a.log")


def test_a_file_in_place_of_a_folder_is_an_error_or_empty_but_no_traceback(tmp_path):
    (tmp_path / "a").write_text("x")

    assert read(tmp_path / "a" / "*.log") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("x\n")
    path.chmod(0)

    with pytest.raises(StackError, match="Permission denied"):
        read(path)


def test_an_endless_line_is_an_error_and_not_held_in_memory(tmp_path):
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.truncate(1 << 30)

    with pytest.raises(StackError, match="longer than 16 MiB"):
        read(path, format="lines")


def test_other_fields_come_along_and_position_is_the_place_in_the_files(tmp_path):
    path = tmp_path / "dead.ndjson"
    path.write_text(
        '{"reason": "mapping", "document": {"message": "one"}}\n'
        '{"reason": [1], "document": {"message": "two"}}\n'
        '{"document": {"mess'
    )

    documents = list(FileArchive(str(path), "document.message").read(["reason", "_position"]))

    assert [(each.line, each.values) for each in documents[:2]] == [
        ("one", ("mapping", 1)),
        ("two", (None, 2)),
    ]
    assert (documents[2].unreadable, documents[2].values) == ("its last line is torn", ())


def test_files_whose_names_go_on_where_the_pattern_ends_are_neighbours(tmp_path):
    for name in ("log", "log.1", "log.2", "other"):
        (tmp_path / name).write_text(f"{name}\n")

    found = FileArchive(str(tmp_path / "log"), format="lines").neighbours()
    lines = [document.line for _, archive in found for document in archive.read()]
    assert [name for name, _ in found] == [f"the file {tmp_path / name}" for name in ("log.1", "log.2")]
    assert lines == ["log.1", "log.2"]
    assert FileArchive(str(tmp_path / "log*"), format="lines").neighbours() == []
