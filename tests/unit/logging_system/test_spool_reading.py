from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.spool.frame import BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, encode_block
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.segment import segment_path
from logging_system.spool.writer import SpoolWriter


def writer(folder: Path, spool_bytes_max: int = 1 << 30) -> SpoolWriter:
    return SpoolWriter(folder, spool_bytes_max=spool_bytes_max, sync=False)


@contextmanager
def reading(folder: Path) -> Iterator[SpoolReader]:
    reader = SpoolReader(folder)
    try:
        yield reader
    finally:
        reader.close()


def read_all(reader: SpoolReader) -> list[tuple[int, bytes]]:
    """Read until two looks in a row bring nothing: a suspect block is judged at the second."""
    found: list[tuple[int, bytes]] = []
    empty_looks = 0
    while empty_looks < 2:
        blocks = reader.read(1 << 20)
        empty_looks = 0 if blocks else empty_looks + 1
        for block in blocks:
            found += [
                (block.first_sequence + place, document) for place, document in enumerate(block.documents)
            ]
    return found


def acknowledge(reader: SpoolReader, epoch: bytes, next_sequence: int) -> None:
    reader.acknowledge(epoch, next_sequence)
    reader.save({"delivered": next_sequence - 1})


def die(spool_writer: SpoolWriter) -> None:
    """End a writer as SIGKILL does: its descriptor closes, its segment keeps its name."""
    spool_writer.forget()


def open_segment(folder: Path) -> Path:
    (path,) = folder.glob("*.open")
    return path


def numbered(first: int, last: int) -> list[tuple[int, bytes]]:
    return [(number, b"%d" % number) for number in range(first, last + 1)]


def append(spool_writer: SpoolWriter, first: int, last: int) -> None:
    spool_writer.append([document for _, document in numbered(first, last)])


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


def test_a_torn_tail_of_a_dead_writer_is_ignored_and_counted(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    with open_segment(tmp_path).open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 3, [b"torn"])[:-1])
    die(spool_writer)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert (reader.damage.torn_tails, reader.damage.unclean_exits) == (1, 1)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (0, 0)

        acknowledge(reader, spool_writer.epoch, 3)

    assert not list(tmp_path.glob("*.open"))
    assert not list(tmp_path.glob("*.corrupt"))


def test_a_damaged_block_costs_its_own_records_only(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    start = open_segment(tmp_path).stat().st_size
    append(spool_writer, 3, 5)
    append(spool_writer, 6, 7)
    with open_segment(tmp_path).open("r+b") as file:
        file.seek(start + BLOCK_HEADER_BYTES + 6)
        file.write(b"\xff")
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2) + numbered(6, 7)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (1, 3)

        acknowledge(reader, spool_writer.epoch, 8)

    assert len(list(tmp_path.glob("*.corrupt"))) == 1
    assert not list(tmp_path.glob("*.segment"))


def test_a_damaged_block_header_is_stepped_over_and_its_records_counted(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    start = open_segment(tmp_path).stat().st_size
    append(spool_writer, 3, 5)
    append(spool_writer, 6, 7)
    with open_segment(tmp_path).open("r+b") as file:
        file.seek(start)
        file.write(b"\0" * BLOCK_HEADER_BYTES)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2) + numbered(6, 7)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (1, 3)
    spool_writer.seal()


def test_a_zeroed_file_header_costs_no_record(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    with open_segment(tmp_path).open("r+b") as file:
        file.write(b"\0" * FILE_HEADER_BYTES)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (1, 0)


def test_a_sealed_segment_that_was_cut_short_is_corruption(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    append(spool_writer, 3, 4)
    spool_writer.seal()
    append(spool_writer, 5, 6)
    path = segment_path(tmp_path, spool_writer.epoch, 0, "segment")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2) + numbered(5, 6)
        assert reader.damage.corrupted_records == 2
        assert reader.damage.torn_tails == 0
    spool_writer.seal()


def test_an_empty_segment_of_a_dead_writer_is_no_obstacle(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 1)
    with open_segment(tmp_path).open("r+b") as file:
        file.truncate(0)
    die(spool_writer)
    other = writer(tmp_path)
    append(other, 1, 2)
    other.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)


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


def test_damage_is_counted_once_although_a_restarted_reader_meets_it_again(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    start = open_segment(tmp_path).stat().st_size
    append(spool_writer, 3, 5)
    append(spool_writer, 6, 7)
    with open_segment(tmp_path).open("r+b") as file:
        file.seek(start)
        file.write(b"\0" * BLOCK_HEADER_BYTES)
    spool_writer.seal()
    for delivered in (2, 3, 7, 8):
        with reading(tmp_path) as reader:
            read_all(reader)
            acknowledge(reader, spool_writer.epoch, delivered)

            assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (1, 3)
    with reading(tmp_path) as reader:
        assert reader.damage.corrupted_records == 3


def test_an_unreadable_segment_does_not_hold_up_other_writers(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    segment_path(tmp_path, b"\0" * 16, 0, "segment").mkdir()  # reading it fails with EISDIR
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert reader.unreadable > 0


def test_a_segment_that_was_never_finished_being_created_is_removed(tmp_path: Path) -> None:
    left_over = segment_path(tmp_path, b"\0" * 16, 0, "new")
    left_over.touch()
    with reading(tmp_path):
        assert not left_over.exists()


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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=5), min_size=1, max_size=6), st.data())
def test_a_dead_writers_segment_cut_anywhere_yields_a_prefix(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]], data: st.DataObject
) -> None:
    """A power cut keeps a prefix of the bytes: every block wholly inside it is read, and nothing else."""
    folder = tmp_path_factory.mktemp("spool")
    spool_writer = writer(folder)
    ends = []
    for group in groups:
        spool_writer.append(group)
        ends.append(open_segment(folder).stat().st_size)
    kept_bytes = data.draw(st.integers(FILE_HEADER_BYTES, ends[-1]))
    die(spool_writer)
    with open_segment(folder).open("r+b") as file:
        file.truncate(kept_bytes)
    with reading(folder) as reader:
        found = [document for _, document in read_all(reader)]

        assert found == [
            d for group, end in zip(groups, ends, strict=True) if end <= kept_bytes for d in group
        ]
        assert reader.damage.corrupted_blocks == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.data())
def test_a_flipped_bit_costs_at_most_its_block_and_the_cost_is_counted(
    tmp_path_factory: pytest.TempPathFactory, blocks: int, data: st.DataObject
) -> None:
    """What was found and what was counted as corrupted make up what was written."""
    folder = tmp_path_factory.mktemp("spool")
    spool_writer = writer(folder)
    ends = [FILE_HEADER_BYTES]
    for block in range(blocks):
        append(spool_writer, block * 3 + 1, block * 3 + 3)
        ends.append(open_segment(folder).stat().st_size)
    position = data.draw(st.integers(FILE_HEADER_BYTES, ends[-2] - 1))
    with open_segment(folder).open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ (1 << data.draw(st.integers(0, 7)))]))
    spool_writer.seal()
    with reading(folder) as reader:
        found = read_all(reader)

        assert len(found) == 3 * (blocks - 1)
        assert reader.damage.corrupted_records == 3
