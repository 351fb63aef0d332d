"""Compressed request bodies: what comes out is what the format's own decoder finds, and never too much."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Sequence

import zstandard

from logging_system.gateway.bodies import BodyError, unpack
from tests.fuzz.target import Target

UNPACKED_BYTES_MAX = 64 * 1024
_HEADER_BYTES = 10
_REFERENCE_BYTES_MAX = 256 * 1024
_LARGE_BYTES = 8 * 1024 * 1024
_TEXTS = (b"", b"x", b'{"message":"one"}\n' * 20, bytes(range(256)) * 4, bytes(60_000), bytes(200_000))


def _gzip_seeds() -> Sequence[bytes]:
    packed = [gzip.compress(text, level, mtime=0) for text in _TEXTS for level in (0, 1, 9)]
    return [*packed, packed[3] + packed[8] + packed[0], gzip.compress(b"", mtime=0) * 50]


def _zstd_seeds() -> Sequence[bytes]:
    plain = zstandard.ZstdCompressor(level=3)
    checked = zstandard.ZstdCompressor(level=9, write_checksum=True, write_content_size=False)
    packed = [packer.compress(text) for text in _TEXTS for packer in (plain, checked)]
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc"
    return [*packed, packed[2] + skippable + packed[5], skippable * 50, packed[0] * 50]


def _with_right_checksum(body: bytes) -> bytes:
    """Return a gzip member whose checksum and length fit its data again, where the data can be read."""
    raw = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        text = raw.decompress(body[_HEADER_BYTES:], 2 * UNPACKED_BYTES_MAX)
    except zlib.error:
        return body
    if not raw.eof:
        return body
    data = body[: len(body) - len(raw.unused_data)]
    return data + struct.pack("<II", zlib.crc32(text), len(text)) + raw.unused_data[8:]


def _check(encoding: str, reference: Callable[[bytes], bytes], body: bytes) -> bool:
    try:
        unpacked = unpack(encoding, body, UNPACKED_BYTES_MAX)
    except BodyError as error:
        assert error.status in (400, 413)
        return False

    assert len(unpacked) <= UNPACKED_BYTES_MAX
    # The standard library's own decoder takes the square of a large body's members; ours is to be timed.
    assert len(body) > _REFERENCE_BYTES_MAX or unpacked == reference(body)
    return True


def _deflate_reference(body: bytes) -> bytes:
    window_bits = zlib.MAX_WBITS if body[:1] and _is_zlib(body) else -zlib.MAX_WBITS
    parts: list[bytes] = []
    while body:
        stream = zlib.decompressobj(wbits=window_bits)
        parts.append(stream.decompress(body))
        body = stream.unused_data
    return b"".join(parts)


def _is_zlib(body: bytes) -> bool:
    """Tell whether bytes begin as RFC 1950 says: method 8, and a header that 31 divides."""
    return body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0 and len(body) > 1


def _zstd_reference(body: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body), read_across_frames=True)
    return bytes(reader.read(2 * UNPACKED_BYTES_MAX))


GZIP_BODY = Target(
    "gzip_body",
    _gzip_seeds,
    lambda body: _check("gzip", gzip.decompress, body),
    words=(b"\x1f\x8b\x08", gzip.compress(b"", mtime=0), b"\x01\x00\x00\xff\xff", b"\x00\x00\x00\xff\xff"),
    large_bytes=_LARGE_BYTES,
    mend=_with_right_checksum,
)
DEFLATE_BODY = Target(
    "deflate_body",
    lambda: [zlib.compress(text, level) for text in _TEXTS for level in (0, 1, 9)],
    lambda body: _check("deflate", _deflate_reference, body),
    words=(b"\x78\x9c", zlib.compress(b""), b"\x01\x00\x00\xff\xff"),
    large_bytes=_LARGE_BYTES,
)
ZSTD_BODY = Target(
    "zstd_body",
    _zstd_seeds,
    lambda body: _check("zstd", _zstd_reference, body),
    words=(b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18\x00\x00\x00\x00", b"\x01\x00\x00", b"\x02\x00\x10A"),
    large_bytes=_LARGE_BYTES,
)
