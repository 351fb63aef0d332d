from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.spool.frame import BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, encode_block
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


def test_a_torn_tail_of_a_dead_writer_is_ignored_and_counted(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    with open_segment(tmp_path).open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 3, [b"torn"])[:-1])
    epoch = spool_writer.epoch
    die(spool_writer)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert (reader.damage.torn_tails, reader.damage.unclean_exits) == (1, 1)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (0, 0)

        acknowledge(reader, epoch, 3)

    assert not list(tmp_path.glob("*.open"))
    assert not list(tmp_path.glob("*.corrupt"))


def test_a_damaged_block_costs_its_own_records_only(tmp_path: Path) -> None:
    spool_writer, _ = three_blocks(tmp_path, damaged_at=BLOCK_HEADER_BYTES + 6, by=b"\xff")
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2) + numbered(6, 7)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (1, 3)

        acknowledge(reader, spool_writer.epoch, 8)

    assert len(list(tmp_path.glob("*.corrupt"))) == 1
    assert not list(tmp_path.glob("*.segment"))


def test_a_damaged_block_header_is_stepped_over_and_its_records_counted(tmp_path: Path) -> None:
    spool_writer, _ = three_blocks(tmp_path, damaged_at=0, by=b"\0" * BLOCK_HEADER_BYTES)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2) + numbered(6, 7)
        assert (reader.damage.corrupted_blocks, reader.damage.corrupted_records) == (1, 3)
    spool_writer.seal()


def test_damage_under_a_living_writer_is_judged_at_the_second_look_only(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    append(spool_writer, 3, 4)
    with open_segment(tmp_path).open("r+b") as file:
        file.seek(FILE_HEADER_BYTES)
        file.write(b"\0" * BLOCK_HEADER_BYTES)
    with reading(tmp_path) as reader:
        assert reader.read(1 << 20) == []
        assert reader.damage.corrupted_blocks == 0

        assert [block.first_sequence for block in reader.read(1 << 20)] == [3]
        assert reader.damage.corrupted_blocks == 1
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
        file.truncate(path.stat().st_size - BLOCK_HEADER_BYTES - 1)  # the end mark and a byte
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


def test_damage_is_counted_once_although_a_restarted_reader_meets_it_again(tmp_path: Path) -> None:
    spool_writer, _ = three_blocks(tmp_path, damaged_at=0, by=b"\0" * BLOCK_HEADER_BYTES)
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
