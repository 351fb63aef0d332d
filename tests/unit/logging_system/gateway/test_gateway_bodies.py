from __future__ import annotations

import gzip
import random
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from logging_system.gateway.bodies import BodyError, unpack

_PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "GZIP", " zstd "])
@given(body=st.binary(max_size=2_000))
def test_what_was_packed_is_unpacked(encoding: str, body: bytes) -> None:
    packed = _PACK[encoding.strip().lower()](body)

    assert unpack(encoding, packed, 2_000) == body


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("size_bytes", [262_143, 262_144, 262_145, 3_000_000])
def test_a_body_of_many_steps_is_unpacked_whole(encoding: str, size_bytes: int) -> None:
    for body in (bytes(size_bytes), random.Random(1).randbytes(size_bytes)):
        assert unpack(encoding, _PACK[encoding](body), size_bytes) == body


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_members_that_follow_each_other_are_one_body(encoding: str) -> None:
    pack = _PACK[encoding]

    assert unpack(encoding, pack(b"first\n") + pack(b"second\n") + pack(b""), 100) == b"first\nsecond\n"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_many_empty_members_cost_no_more_than_their_size(encoding: str) -> None:
    member = _PACK[encoding](b"")
    few, many = (
        _processor_seconds(encoding, member * (kibibytes * 1024 // len(member))) for kibibytes in (512, 4096)
    )

    assert many < 24 * few  # eight times the size; the square would be 64


def _processor_seconds(encoding: str, body: bytes) -> float:
    began_seconds = time.thread_time()
    assert unpack(encoding, body, 100) == b""
    return time.thread_time() - began_seconds


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_body_cut_short_is_refused_and_never_taken_for_a_whole_one(encoding: str, cut: int) -> None:
    packed = _PACK[encoding](bytes(range(256)) * 4_000)

    with pytest.raises(BodyError) as caught:
        unpack(encoding, packed[:-cut], 10_000_000)
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_refused_in_bounded_memory(encoding: str) -> None:
    bomb = _PACK[encoding](bytes(200 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(BodyError) as caught:
            unpack(encoding, bomb, 1024 * 1024)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert caught.value.status == 413
    assert peak_bytes < 24 * 1024 * 1024


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@given(body=st.binary(min_size=1, max_size=300))
def test_bytes_that_are_no_archive_are_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(BodyError) as caught:
        unpack(encoding, b"no" + body, 10_000)
    assert caught.value.status == 400


def test_a_zstd_frame_with_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = compressor.compress(bytes(1_000)) + compressor.flush()

    with pytest.raises(BodyError) as caught:
        unpack("zstd", packed, 10_000)
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, zstd"])
def test_an_encoding_not_known_here_is_refused_with_what_is(encoding: str) -> None:
    with pytest.raises(BodyError, match="use gzip, deflate, zstd or none") as caught:
        unpack(encoding, zlib.compress(b"x"), 100)
    assert caught.value.status == 415


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_body_without_compression_stays_as_it_is(encoding: str) -> None:
    assert unpack(encoding, b"\x00plain", 100) == b"\x00plain"


@given(body=st.binary(max_size=2_000))
def test_a_bare_deflate_stream_is_unpacked_too(body: bytes) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    assert unpack("deflate", packer.compress(body) + packer.flush(), 2_000) == body
