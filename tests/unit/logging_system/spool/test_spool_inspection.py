from __future__ import annotations

import os
from pathlib import Path

import pytest

from logging_system.spool.checkpoint import SpoolVersionError
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    FileHeader,
    encode_block,
    encode_file_header,
)
from logging_system.spool.inspection import Severity, inspect, verify
from logging_system.spool.segment import segment_path
from tests.unit.logging_system.spooling import (
    acknowledge,
    append,
    die,
    numbered,
    open_segment,
    read_all,
    reading,
    three_blocks,
    writer,
)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_empty_folder_has_nothing_to_tell(tmp_path: Path) -> None:
    summary = inspect(tmp_path)

    assert (summary.epochs, summary.size_bytes, summary.holder, summary.checkpoint_lost) == (
        (),
        0,
        None,
        False,
    )
    assert verify(tmp_path) == []


def test_what_two_writers_left_is_listed_with_what_of_it_was_delivered(tmp_path: Path) -> None:
    one, two = writer(tmp_path), writer(tmp_path)
    append(one, 1, 4)
    one.seal()
    append(one, 5, 6)
    append(two, 1, 3)
    with reading(tmp_path) as reader:
        read_all(reader)
        acknowledge(reader, one.epoch, 4)
        summary = inspect(tmp_path)
    epochs = {epoch.epoch: epoch for epoch in summary.epochs}

    assert (summary.records, summary.delivered, summary.undelivered) == (9, 3, 6)
    assert summary.holder == str(os.getpid())
    assert summary.counters["delivered"] == 3
    mine = epochs[one.epoch.hex()]
    assert mine.process_id == os.getpid()
    assert [(each.state, each.records, each.first_sequence, each.end_sequence) for each in mine.segments] == [
        ("segment", 4, 1, 5),
        ("open", 2, 5, 7),
    ]
    assert [each.writer_lives for each in mine.segments] == [False, True]
    assert verify(tmp_path) == []
    assert inspect(tmp_path).holder is None
    one.seal()
    two.seal()


def test_looking_changes_nothing(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)
    spool_writer.seal()
    (tmp_path / "checkpoint").write_bytes(b"garbage")
    (tmp_path / f"{'0' * 32}-00000000.new").touch()
    before = contents(tmp_path)
    inspect(tmp_path)
    verify(tmp_path)

    assert contents(tmp_path) == before


def test_destroyed_records_are_found_and_counted(tmp_path: Path) -> None:
    spool_writer, start = three_blocks(tmp_path, damaged_at=0, by=b"\0" * BLOCK_HEADER_BYTES)
    spool_writer.seal()

    findings = verify(tmp_path)

    assert [(found.severity, found.records) for found in findings] == [
        (Severity.DAMAGE, 0),
        (Severity.LOSS, 3),
    ]
    assert findings[0].offset_bytes == start
    assert inspect(tmp_path).epochs[0].segments[0].unreadable_stretches == 1


def test_a_torn_tail_is_a_notice_once_its_writer_is_gone(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    with open_segment(tmp_path).open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 3, [b"torn"])[:-1])

    assert verify(tmp_path) == []
    die(spool_writer)
    assert [found.severity for found in verify(tmp_path)] == [Severity.NOTICE, Severity.NOTICE]


def test_what_else_a_person_may_want_to_know(tmp_path: Path) -> None:
    epoch = b"0123456789abcdef"
    segment_path(tmp_path, epoch, 0, "segment").write_bytes(
        encode_file_header(FileHeader(epoch, 0, 1, version=2)) + b"of another layout"
    )
    segment_path(tmp_path, epoch, 1, "segment").write_bytes(b"\0" * FILE_HEADER_BYTES)
    segment_path(tmp_path, epoch, 2, "corrupt").write_bytes(b"")
    (tmp_path / "checkpoint").write_bytes(b"garbage")

    assert [(found.path.name, found.severity.value) for found in verify(tmp_path)] == [
        ("checkpoint", "damage"),
        (f"{epoch.hex()}-00000000.segment", "notice"),
        (f"{epoch.hex()}-00000001.segment", "damage"),
        (f"{epoch.hex()}-00000002.corrupt", "notice"),
        (f"{epoch.hex()}-00000002.corrupt", "damage"),
    ]
    assert inspect(tmp_path).epochs[0].segments[0].format_version == 2


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "missing")


def test_a_version_error_is_an_error_of_the_system() -> None:
    assert issubclass(SpoolVersionError, OSError)


def test_records_read_and_records_inspected_agree(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 5)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 5)

    assert inspect(tmp_path).records == 5
