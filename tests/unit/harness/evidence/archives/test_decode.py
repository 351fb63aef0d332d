"""The decode filter: what it answers counts, and one that misbehaves never passes for an empty archive."""

import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.archives.decode import DecodedArchive, LineCutter
from harness.evidence.archives.file import FileArchive
from harness.model.errors import StackError
from harness.model.protocols import RawDocument

REVERSES = """
    import json, sys
    for line in sys.stdin:
        document = json.loads(line)
        document["message"] = document["sealed"][::-1]
        print(json.dumps(document), flush=True)
"""


@pytest.fixture
def reading(tmp_path):
    """Read documents (JSON lines) through a Python program."""

    def read(stored: str, program: str, timeout_seconds: float = 30.0):
        path = tmp_path / "stored.ndjson"
        path.write_text(stored)
        command = [sys.executable, "-c", dedent(program)]
        archive = DecodedArchive(FileArchive(str(path)), command, str(tmp_path), {}, timeout_seconds)
        return [(Path(found.copy).name, found.line, found.unreadable) for found in archive.read()]

    return read


@pytest.mark.parametrize(
    ("answered", "said"), [(2, None), (1, "were not answered|ended before")], ids=["all", "one of two"]
)
def test_where_a_key_was_destroyed_on_purpose_only_what_is_not_answered_breaks_a_reading(
    tmp_path, answered, said
):
    """The same command is refused where nothing may be missing, whatever it answers."""
    (tmp_path / "a").write_text(documents(2))
    program = f"import sys; sys.stdin.read(); [print('{{}}') for _ in range({answered})]; sys.exit(1)"
    command = [sys.executable, "-c", program]

    def read(may_miss):
        archive = FileArchive(str(tmp_path / "a"))
        return list(DecodedArchive(archive, command, str(tmp_path), {}, may_miss=may_miss).read())

    if said is None:
        assert len(read(may_miss=True)) == 2
    else:
        with pytest.raises(StackError, match=said):
            read(may_miss=True)
    with pytest.raises(StackError):
        read(may_miss=False)


def documents(count: int) -> str:
    return "".join(f'{{"sealed": "{number}"}}\n' for number in range(count))


def test_what_the_filter_answers_is_what_is_found(reading):
    assert reading('{"sealed": "ba"}\n{"sealed": "dc"}\n', REVERSES) == [
        ("stored.ndjson:1", "ab", ""),
        ("stored.ndjson:2", "cd", ""),
    ]


def test_the_archive_has_been_read_when_the_filter_begins(tmp_path):
    """A filter may wait for a key server for longer than a store keeps a search open."""
    begun = tmp_path / "begun"
    program = f"import sys, pathlib; pathlib.Path({str(begun)!r}).touch(); sys.stdout.write(sys.stdin.read())"
    archive = DecodedArchive(_SlowAtItsEnd(begun), [sys.executable, "-c", program], str(tmp_path), {})

    found = sorted((each.copy, each.line, each.unreadable) for each in archive.read())

    assert found == [("a", "1", ""), ("b", "no JSON", "no JSON"), ("c", "2", "")]
    assert begun.exists()


class _SlowAtItsEnd(FileArchive):
    """An archive that gives a filter time to begin before its last document is read."""

    def __init__(self, begun: Path) -> None:
        super().__init__("nowhere")
        self._begun = begun

    def raw(self):
        yield RawDocument("a", b'{"message":"1"}')
        yield RawDocument("b", b"no JSON", "no JSON")
        yield RawDocument("c", b'{"message":"2"}')
        time.sleep(0.5)
        assert not self._begun.exists()


def test_an_undecodable_document_is_named_with_its_reason_and_has_no_line(reading):
    program = """
        import sys
        for line in sys.stdin:
            print('{"undecodable": "key 7 is gone"}')
    """

    assert reading(documents(1), program) == [("stored.ndjson:1", "", "it cannot be decoded: key 7 is gone")]


def test_a_document_that_only_has_such_a_field_is_no_undecodable_one(reading):
    program = """
        import sys
        for line in sys.stdin:
            print('{"undecodable": "x", "message": "text"}')
    """

    assert reading(documents(1), program) == [("stored.ndjson:1", "text", "")]


def test_what_is_no_document_is_not_given_to_the_filter(reading):
    found = reading('{"sealed": "ba"}\ntorn\n{"sealed": "dc"}\n', REVERSES)

    assert sorted(found) == [
        ("stored.ndjson:1", "ab", ""),
        ("stored.ndjson:2", "torn", "it is not a JSON document"),
        ("stored.ndjson:3", "cd", ""),
    ]


def test_an_empty_archive_needs_no_answer(reading):
    assert reading("", REVERSES) == []


def test_a_filter_may_keep_everything_before_it_answers(reading):
    program = """
        import sys
        lines = sys.stdin.readlines()
        for line in lines:
            print('{"message": "x"}')
    """

    assert len(reading(documents(20_000), program)) == 20_000


def test_stored_documents_can_still_be_seen_raw(tmp_path):
    (tmp_path / "a").write_text(documents(1))
    archive = DecodedArchive(FileArchive(str(tmp_path / "a")), ["false"], str(tmp_path), {})

    assert [document.body for document in archive.raw()] == [b'{"sealed": "0"}']
    assert archive.count() == 1


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("import sys; sys.exit('no key')", "(ended before|were not answered).*; it wrote: no key"),
        ("import sys; print('{}'); sys.stdin.read()", "2 documents were not answered"),
        ("import sys; sys.stdin.read(); [print('{}') for _ in range(4)]", "more than it was asked"),
        ("import sys; sys.stdin.read(); [print('garbage') for _ in range(3)]", "not JSON: b'garbage'"),
        ("import sys; sys.stdin.read(); [print('5') for _ in range(3)]", "not a JSON document: b'5'"),
        ("import sys; sys.stdin.read(); print('{}\\n{}\\n{}', end='')", "no newline"),
        ("import sys; sys.stdin.read(); [print('{}') for _ in range(3)]; sys.exit(3)", "ended with 3"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "ended before|ended with -9|were not answered",
        ),
    ],
)
def test_a_filter_that_misbehaves_is_an_error(reading, program, problem):
    with pytest.raises(StackError, match=problem):
        reading(documents(3), program)


@pytest.mark.parametrize(
    "program", ["import time; time.sleep(60)", "import sys; sys.stdin.read(); import time; time.sleep(60)"]
)
def test_a_filter_that_hangs_is_ended(reading, program):
    with pytest.raises(StackError, match="did not finish within"):
        reading(documents(3), program, timeout_seconds=0.3)


def test_a_decoder_has_longer_for_more_documents(reading):
    slow = "import sys, time\nlines = sys.stdin.readlines()\ntime.sleep(0.5)\nsys.stdout.writelines(lines)\n"

    with pytest.raises(StackError, match="did not finish within"):
        reading(documents(3), slow, timeout_seconds=0.2)
    assert len(reading(documents(2_000), slow, timeout_seconds=0.2)) == 2_000


def test_an_endless_answer_is_not_held_in_memory(reading):
    with pytest.raises(StackError, match="longer than 16 MiB"):
        reading(documents(1), "import sys\nwhile True: sys.stdout.write('x' * 65536)")


def test_a_filter_that_cannot_be_started_is_an_error(tmp_path):
    archive = DecodedArchive(FileArchive(str(tmp_path / "none")), ["no-such-filter"], str(tmp_path), {})

    with pytest.raises(StackError, match="cannot start 'no-such-filter'"):
        list(archive.read())


def test_other_fields_come_from_the_answer_and_not_from_what_is_stored(tmp_path):
    path = tmp_path / "stored.ndjson"
    path.write_text('{"sealed": "ab", "number": 1}\n')
    program = REVERSES.replace("print(", 'document["number"] = 7; print(')
    archive = DecodedArchive(
        FileArchive(str(path)), [sys.executable, "-c", dedent(program)], str(tmp_path), {}
    )

    (document,) = archive.read(["number", "none"])

    assert (document.line, document.values) == ("ba", (7, None))


def test_a_failure_begins_with_the_key_of_the_stack_file(tmp_path):
    path = tmp_path / "letters.ndjson"
    path.write_text("{}\n")
    archive = DecodedArchive(
        FileArchive(str(path)), ["./nothing"], str(tmp_path), {}, key="dead_letters.decode"
    )

    with pytest.raises(StackError, match=r"^dead_letters\.decode: cannot start './nothing'"):
        list(archive.read())


@given(st.lists(st.text("a\nb", max_size=6).map(str.encode), max_size=12))
def test_lines_are_cut_out_of_pieces_wherever_these_end(pieces):
    """Lines and rest are those of the whole, however it came."""
    cutter = LineCutter()
    lines = [line for piece in pieces for line in cutter.cut(piece)]

    *expected, rest = b"".join(pieces).split(b"\n")
    assert lines == expected
    assert cutter.rest() == rest
    assert cutter.rest_bytes == len(rest)


def test_a_document_and_its_answer_far_longer_than_a_pipe_holds_pass_whole(reading):
    long = "x" * 3_000_000

    found = reading(f'{{"sealed": "{long}"}}\n{{"sealed": "short"}}\n', REVERSES)

    assert [line for _, line, _ in found] == [long, "trohs"]
