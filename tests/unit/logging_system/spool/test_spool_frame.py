from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.spool.codec import PLAIN, BlockContext, Codecs, UnavailableError
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    FileHeader,
    FrameError,
    decode_block_header,
    decode_documents,
    decode_file_header,
    encode_block,
    encode_file_header,
    find_block,
    payload_is_intact,
)

EPOCH = b"0123456789abcdef"
documents = st.lists(st.binary(max_size=40), min_size=1, max_size=8)


class ReversingCodec:
    number = 9

    def encode(self, payload: bytes, _context: BlockContext) -> tuple[bytes, ...]:
        return (payload[::-1],)

    def decode(self, stored: bytes, _context: BlockContext) -> bytes:
        return stored[::-1]


def test_the_headers_have_their_documented_sizes() -> None:
    assert len(encode_file_header(FileHeader(EPOCH, 3, 7))) == FILE_HEADER_BYTES == 44
    assert len(encode_block(EPOCH, 1, [b""])) == BLOCK_HEADER_BYTES + 4 == 36


@given(documents, st.integers(1, 2**47))
def test_a_block_comes_back_as_it_was_written(records: list[bytes], first_sequence: int) -> None:
    block = encode_block(EPOCH, first_sequence, records)
    header = decode_block_header(EPOCH, block)
    assert header is not None
    stored = block[BLOCK_HEADER_BYTES:]

    assert header.first_sequence == first_sequence
    assert payload_is_intact(header, stored)
    assert decode_documents(EPOCH, header, stored) == tuple(records)


@given(documents, st.data())
def test_no_single_changed_byte_goes_unnoticed(records: list[bytes], data: st.DataObject) -> None:
    block = bytearray(encode_block(EPOCH, 5, records))
    position = data.draw(st.integers(0, len(block) - 1))
    block[position] ^= data.draw(st.integers(1, 255))
    header = decode_block_header(EPOCH, bytes(block))

    assert header is None or not payload_is_intact(header, bytes(block[BLOCK_HEADER_BYTES:]))


@given(st.data())
def test_no_single_changed_byte_of_a_file_header_goes_unnoticed(data: st.DataObject) -> None:
    header = bytearray(encode_file_header(FileHeader(EPOCH, 3, 7)))
    header[data.draw(st.integers(0, len(header) - 1))] ^= data.draw(st.integers(1, 255))

    assert decode_file_header(bytes(header)) is None


def test_a_file_header_comes_back_as_it_was_written() -> None:
    assert decode_file_header(encode_file_header(FileHeader(EPOCH, 3, 7)) + b"rest") == FileHeader(
        EPOCH, 3, 7
    )


def test_a_block_of_another_writer_is_not_taken_for_ones_own() -> None:
    assert decode_block_header(b"another-writer!!", encode_block(EPOCH, 1, [b"x"])) is None


def test_the_next_block_is_found_behind_damage() -> None:
    block = encode_block(EPOCH, 1, [b"x"])
    data = b"\xb1LBK damage \xb1LBK" + block

    assert find_block(EPOCH, data, 0) == len(data) - len(block)
    assert find_block(EPOCH, data, len(data) - len(block) + 1) is None


def test_a_codec_decides_what_is_stored() -> None:
    codec = ReversingCodec()
    block = encode_block(EPOCH, 1, [b"abc"], Codecs.of(codec))
    header = decode_block_header(EPOCH, block)
    assert header is not None

    assert b"cba" in block
    assert decode_documents(EPOCH, header, block[BLOCK_HEADER_BYTES:], Codecs.of(PLAIN, codec)) == (b"abc",)
    with pytest.raises(UnavailableError, match="codec 9 is not available"):
        decode_documents(EPOCH, header, block[BLOCK_HEADER_BYTES:])


@given(st.binary(max_size=80), st.integers(0, 4))
def test_any_payload_is_taken_apart_or_refused(payload: bytes, count: int) -> None:
    block = encode_block(EPOCH, 1, [b"x"] * count) if count else encode_block(EPOCH, 1, [])
    header = decode_block_header(EPOCH, block)
    assert header is not None
    try:
        records = decode_documents(EPOCH, header, payload)
    except FrameError:
        return

    assert len(records) == count
    assert sum(4 + len(record) for record in records) == len(payload)
