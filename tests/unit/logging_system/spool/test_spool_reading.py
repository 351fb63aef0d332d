from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.spool.frame import BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, encode_block
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.segment import segment_path
from tests.unit.logging_system.spooling import (
    acknowledge,
    append,
    numbered,
    open_segment,
    read_all,
    reading,
    writer,
)


def test_what_is_appended_can_be_read_at_once(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 3)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 3)

        append(spool_writer, 4, 5)

        assert read_all(reader) == numbered(4, 5)
    spool_writer.seal()


def test_a_reader_follows_across_sealed_segments(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    with reading(tmp_path) as reader:
        append(spool_writer, 1, 2)
        assert read_all(reader) == numbered(1, 2)

        spool_writer.seal()
        append(spool_writer, 3, 4)

        assert read_all(reader) == numbered(3, 4)
    spool_writer.seal()


def test_writers_of_one_folder_are_merged(tmp_path: Path) -> None:
    one, two = writer(tmp_path), writer(tmp_path)
    append(one, 1, 2)
    append(two, 1, 3)
    one.seal()
    with reading(tmp_path) as reader:
        found = read_all(reader)

    assert sorted(found) == sorted(numbered(1, 2) + numbered(1, 3))
    two.seal()


def test_a_block_larger_than_one_read_is_whole(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    large = os.urandom(3 << 20)
    spool_writer.append([b"small", large])
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == [(1, b"small"), (2, large)]


def test_half_a_block_of_a_living_writer_is_waited_for(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 1)
    block = encode_block(spool_writer.epoch, 2, [b"second"])
    with reading(tmp_path) as reader, open_segment(tmp_path).open("ab", buffering=0) as file:
        assert read_all(reader) == numbered(1, 1)
        for end in (3, BLOCK_HEADER_BYTES - 1, BLOCK_HEADER_BYTES, len(block) - 1):
            file.write(block[file.tell() - FILE_HEADER_BYTES - BLOCK_HEADER_BYTES - 5 : end])
            assert read_all(reader) == []
        file.write(block[-1:])

        assert read_all(reader) == [(2, b"second")]
        assert reader.damage.corrupted_blocks == reader.damage.torn_tails == 0
    spool_writer.seal()


def test_a_restarted_reader_begins_with_the_first_record_not_done(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)
    append(spool_writer, 5, 8)
    with reading(tmp_path) as reader:
        read_all(reader)
        acknowledge(reader, spool_writer.epoch, 3)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(3, 8)
        assert reader.restored_counters["delivered"] == 2
        acknowledge(reader, spool_writer.epoch, 9)
    with reading(tmp_path) as reader:
        assert read_all(reader) == []
        append(spool_writer, 9, 9)
        assert read_all(reader) == numbered(9, 9)
    spool_writer.seal()


def test_a_reader_that_saved_nothing_begins_again(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)
    spool_writer.seal()
    for _ in range(2):
        with reading(tmp_path) as reader:
            assert read_all(reader) == numbered(1, 4)


def test_a_segment_stays_until_its_last_record_is_done(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        read_all(reader)
        acknowledge(reader, spool_writer.epoch, 4)
        assert len(list(tmp_path.glob("*.segment"))) == 1

        acknowledge(reader, spool_writer.epoch, 5)

        assert not list(tmp_path.glob("*.segment"))


def test_consumed_segments_left_by_a_crash_are_removed_not_delivered(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)
    spool_writer.seal()
    append(spool_writer, 5, 6)
    path = segment_path(tmp_path, spool_writer.epoch, 0, "segment")
    content = path.read_bytes()
    with reading(tmp_path) as reader:
        read_all(reader)
        acknowledge(reader, spool_writer.epoch, 5)
    path.write_bytes(content)  # as if the unlink had not reached the disk
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(5, 6)
        reader.save({})

        assert not path.exists()
    spool_writer.seal()


def test_a_writer_that_goes_on_after_all_its_files_were_consumed_is_followed(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        read_all(reader)
        acknowledge(reader, spool_writer.epoch, 5)
        append(spool_writer, 5, 6)

        assert read_all(reader) == numbered(5, 6)
        assert reader.damage.corrupted_records == 0
    spool_writer.seal()


def test_a_second_reader_is_told_who_holds_the_spool(tmp_path: Path) -> None:
    with reading(tmp_path), pytest.raises(SpoolBusyError, match=f"process {os.getpid()}"):
        SpoolReader(tmp_path)


def test_reading_stops_near_its_bound_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    for number in range(1, 31):
        append(spool_writer, number, number)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        first = reader.read(5)

        assert 5 <= sum(len(block.documents) for block in first) < 30
        assert len(first) + len(read_all(reader)) == 30


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=5), min_size=1, max_size=12), st.data())
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]], data: st.DataObject
) -> None:
    """Whatever is appended, with seals, reads and restarts in between, is read once and in order."""
    folder = tmp_path_factory.mktemp("spool")
    spool_writer = writer(folder)
    reader = SpoolReader(folder)
    found: list[bytes] = []
    for group in groups:
        spool_writer.append(group)
        if data.draw(st.booleans()):
            found += [document for _, document in read_all(reader)]
            acknowledge(reader, spool_writer.epoch, len(found) + 1)
        if data.draw(st.booleans()):
            spool_writer.seal()
        if data.draw(st.booleans()):
            reader.close()
            reader = SpoolReader(folder)
    found += [document for _, document in read_all(reader)]
    reader.close()
    spool_writer.seal()

    assert found == [document for group in groups for document in group]
