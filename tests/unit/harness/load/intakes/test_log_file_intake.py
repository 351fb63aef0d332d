"""The log file intake on real files: what is in them, and what a reader finds after a rotation."""

import json
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.load.intakes.log_file import LogFile
from harness.model.errors import ScenarioError, StackError
from harness.model.protocols import Record

TEXTS = st.text(st.characters(codec="utf-8"))
NASTY = 'a "b" \\ \x00 \t\r\n\u2028 größe \U0001f600 <13>'


def opened(path, **arguments):
    intake = LogFile(str(path), **arguments)
    intake.open(lambda sequences: None)
    return closing(intake)


def messages(*paths):
    return [json.loads(line)["message"] for path in paths for line in path.read_bytes().splitlines()]


def test_each_record_is_a_json_document_on_a_line_of_its_own(tmp_path):
    with opened(tmp_path / "logs" / "app.log") as intake:
        intake.send(Record(0, NASTY, "WARNING", "shop"))
        intake.send(Record(1, "second"))

    first, second = (json.loads(line) for line in (tmp_path / "logs/app.log").read_bytes().splitlines())
    assert (first["message"], first["log"], first["labels"]) == (
        NASTY,
        {"level": "warning", "logger": "shop"},
        {"sequence": 0},
    )
    assert second["message"] == "second"


@example(texts=[NASTY, ""])
@given(texts=st.lists(TEXTS, max_size=5))
def test_any_text_survives_in_json(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("logs") / "app.log"
    with opened(path) as intake:
        for sequence, text in enumerate(texts):
            intake.send(Record(sequence, text))

    # By the byte alone: readers of lines know no other line break.
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line)["message"] for line in lines] == texts


def test_plain_lines_are_written_as_they_are(tmp_path):
    with opened(tmp_path / "app.log", format="plain") as intake:
        intake.send(Record(0, NASTY))

    assert (tmp_path / "app.log").read_bytes() == NASTY.encode() + b"\n"


def test_a_record_is_in_the_file_when_its_call_returns(tmp_path):
    with opened(tmp_path / "app.log") as intake:
        intake.send(Record(0, "text"))

        assert messages(tmp_path / "app.log") == ["text"]


def test_a_line_torn_by_an_earlier_process_spoils_no_other(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b'{"message": "tor')
    with opened(path) as intake:
        intake.send(Record(0, "whole"))

    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"message": "tor'
    assert json.loads(whole)["message"] == "whole"


def test_rename_begins_a_new_file_and_numbers_the_old_ones_up(tmp_path):
    path = tmp_path / "app.log"
    with opened(path, rotate_bytes=1) as intake:
        for number in range(4):
            intake.send(Record(number, f"line {number}"))

    rotated = [path.with_name(f"app.log.{number}") for number in (3, 2, 1)]
    assert messages(*rotated, path) == [f"line {number}" for number in range(4)]


def test_rename_keeps_the_file_that_a_reader_has_open(tmp_path):
    path = tmp_path / "app.log"
    with opened(path, rotate_bytes=1) as intake:
        intake.send(Record(0, "first"))
        inode = path.stat().st_ino
        intake.send(Record(1, "second"))

    assert path.with_name("app.log.1").stat().st_ino == inode
    assert path.stat().st_ino != inode


def test_copytruncate_keeps_the_file_and_leaves_what_was_in_it_in_the_copy(tmp_path):
    path = tmp_path / "app.log"
    with opened(path, rotation="copytruncate", rotate_bytes=1) as intake:
        intake.send(Record(0, "first"))
        inode = path.stat().st_ino
        intake.send(Record(1, "second"))

    assert path.stat().st_ino == inode
    assert messages(path.with_name("app.log.1"), path) == ["first", "second"]


@pytest.mark.parametrize("rotation", ["rename", "copytruncate"])
def test_no_more_rotated_files_are_kept_than_asked_for(tmp_path, rotation):
    path = tmp_path / "app.log"
    with opened(path, rotation=rotation, rotate_bytes=1, kept_files=2) as intake:
        for number in range(6):
            intake.send(Record(number, f"line {number}"))

    assert sorted(each.name for each in tmp_path.iterdir()) == ["app.log", "app.log.1", "app.log.2"]
    assert messages(path.with_name("app.log.2"), path.with_name("app.log.1"), path) == [
        "line 3",
        "line 4",
        "line 5",
    ]


def test_a_file_is_rotated_before_it_would_grow_too_long(tmp_path):
    path = tmp_path / "app.log"
    with opened(path, format="plain", rotate_bytes=100) as intake:
        for number in range(10):
            intake.send(Record(number, "x" * 39))

    sizes = {each.name: each.stat().st_size for each in tmp_path.iterdir()}
    assert max(sizes.values()) == 80
    assert len(sizes) == 5


def test_a_file_is_rotated_once_it_is_old_enough(tmp_path):
    path = tmp_path / "app.log"
    with opened(path, rotate_seconds=1e-9) as intake:
        intake.send(Record(0, "first"))
        intake.send(Record(1, "second"))

    assert messages(path.with_name("app.log.1"), path) == ["first", "second"]


def test_a_failed_rotation_refuses_and_the_next_call_goes_on(tmp_path):
    folder = tmp_path / "logs"
    path = folder / "app.log"
    with opened(path, rotate_bytes=1) as intake:
        intake.send(Record(0, "first"))
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(FileNotFoundError):
            intake.send(Record(1, "refused"))
        (tmp_path / "elsewhere").rename(folder)
        intake.send(Record(2, "third"))

    assert messages(path.with_name("app.log.1"), path) == ["first", "third"]


def test_a_full_disk_pushes_no_rotated_file_out_however_often_rotation_fails(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "app.log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(path, format="plain", rotation="copytruncate", rotate_bytes=1, kept_files=2) as intake:
        for number in range(3):
            intake.send(Record(number, f"{number}" * 99))
        before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
        # Half of the copy finds room.
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
        try:
            for number in range(3, 6):
                with pytest.raises(OSError, match="File too large"):
                    intake.send(Record(number, f"{number}" * 99))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
        intake.send(Record(6, "room again"))

    texts = [each.read_text()[0] for each in (path.with_name("app.log.2"), path.with_name("app.log.1"), path)]
    assert texts == ["1", "2", "r"]


def test_what_a_full_disk_takes_in_part_is_refused_and_spoils_no_other_line(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "app.log"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(path, format="plain") as intake:
        intake.send(Record(0, "a" * 99))
        # A limit on a file's size lets the kernel take a part of a line, and refuse the rest, as a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (150, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                intake.send(Record(1, "b" * 99))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        intake.send(Record(2, "c"))

    assert path.read_text() == "a" * 99 + "\n" + "b" * 50 + "\n" + "c\n"


def test_a_file_that_cannot_be_opened_is_said_with_its_path(tmp_path):
    (tmp_path / "app.log").mkdir()

    with pytest.raises(StackError, match=r"intake\.path .*app\.log: cannot be opened: Is a directory"):
        LogFile(str(tmp_path / "app.log")).open(lambda sequences: None)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"rotate_bytes": -1}, "must not be below 0"),
        ({"rotate_seconds": -1.0}, "must not be below 0"),
        ({"kept_files": 0}, "0 is not within 1 and 1,000"),
    ],
)
def test_what_cannot_be_used_is_said(arguments, problem):
    with pytest.raises(ScenarioError, match=problem):
        LogFile("app.log", **arguments)
