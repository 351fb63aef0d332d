"""What cannot be read, of a newer version or damaged, costs no more than itself."""

from __future__ import annotations

from pathlib import Path

import google_crc32c
import pytest

from logging_system.spool.checkpoint import (
    Checkpoint,
    CheckpointFile,
    Position,
    SpoolVersionError,
)
from logging_system.spool.codec import PLAIN, BlockContext, Codecs
from logging_system.spool.frame import FileHeader, encode_block, encode_file_header
from logging_system.spool.reader import SpoolReader
from logging_system.spool.segment import segment_path
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.spooling import acknowledge, append, numbered, read_all, reading, writer


class _Strange:
    number = 9

    def encode(self, payload: bytes, _context: BlockContext) -> tuple[bytes, ...]:
        return (payload,)

    def decode(self, stored: bytes, _context: BlockContext) -> bytes:
        return stored


class _Refusing(_Strange):
    def decode(self, stored: bytes, _context: BlockContext) -> bytes:
        raise ValueError("the tag does not fit")


def test_a_segment_of_a_newer_version_is_left_alone_and_reported(tmp_path: Path) -> None:
    newer = segment_path(tmp_path, b"newer-version-00", 0, "segment")
    newer.write_bytes(encode_file_header(FileHeader(b"newer-version-00", 0, 1, version=2)) + b"unknown")
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        acknowledge(reader, spool_writer.epoch, 3)

        assert reader.newer_epochs == 1
        assert reader.damage.corrupted_blocks == 0
    assert [path.name for path in tmp_path.glob("*-*")] == [newer.name]


def test_a_checkpoint_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path)
    file.save(Checkpoint({b"0123456789abcdef": Position(0, 44, 1)}, {}))
    file.close()
    path = tmp_path / "checkpoint"
    content = path.read_bytes()
    place = content.index(b"LSCHECK\0")
    header = content[place : place + 8] + (2).to_bytes(4, "little") + content[place + 12 : place + 24]
    length = int.from_bytes(header[20:24], "little")
    body = content[place + 28 : place + 28 + length]
    slot = header + google_crc32c.value(header + body).to_bytes(4, "little") + body
    path.write_bytes(content[:place] + slot + content[place + len(slot) :])
    before = path.read_bytes()

    with pytest.raises(SpoolVersionError, match="newer version"):
        SpoolReader(tmp_path)
    assert path.read_bytes() == before


def test_only_the_newest_damaged_segments_are_kept(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    for number in range(1, 21):
        append(spool_writer, number, number)
        spool_writer.seal()
    for path in tmp_path.glob("*.segment"):
        with path.open("r+b") as file:
            file.write(b"\0" * 4)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 20)
        acknowledge(reader, spool_writer.epoch, 21)

    assert len(list(tmp_path.glob("*.corrupt"))) == 16


def test_a_block_of_an_unknown_codec_is_left_for_who_knows_it(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    (path,) = tmp_path.glob("*.open")
    with path.open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 3, [b"3"], Codecs.of(_Strange())))
    with path.open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 4, [b"4"]))
    spool_writer.next_sequence = 5
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert reader.unavailable == {"codec 9": 1}
        assert (reader.damage.corrupted_records, reader.damage.corrupted_blocks) == (0, 0)
        acknowledge(reader, spool_writer.epoch, 3)
    reader = SpoolReader(tmp_path, Codecs.of(_Strange(), PLAIN))

    assert read_all(reader) == numbered(3, 4)
    reader.close()


def test_a_codec_that_refuses_costs_its_block_alone(tmp_path: Path) -> None:
    spool_writer = SpoolWriter(tmp_path, spool_bytes_max=1 << 20, sync=False, codecs=Codecs.of(_Refusing()))
    spool_writer.append([b"x"])
    spool_writer.seal()
    reader = SpoolReader(tmp_path, Codecs.of(_Refusing()))

    assert read_all(reader) == []
    assert reader.damage.corrupted_records == 1
    reader.close()


def test_a_last_segment_whose_file_header_rotted_starts_where_its_first_block_does(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 5)
    spool_writer.seal()
    for path in tmp_path.glob("*.segment"):
        path.unlink()
    append(spool_writer, 6, 7)
    spool_writer.seal()
    (path,) = tmp_path.glob("*.segment")
    with path.open("r+b") as file:
        file.write(b"\0" * 44)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(6, 7)
        assert (reader.damage.corrupted_records, reader.damage.corrupted_blocks) == (0, 1)
