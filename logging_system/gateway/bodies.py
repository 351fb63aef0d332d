"""Unpacks request bodies in bounded memory: what a compressed body claims to be is never believed."""

from __future__ import annotations

import zlib
from collections.abc import Callable

_STEP_BYTES = 256 * 1024
_ZLIB_STEP_BYTES = 4 * 1024
_ZSTD_STEP_BYTES = 256
"""A block of four bytes may stand for 128 KiB, so that one step unpacks to 8 MiB at most."""
_WINDOW_BYTES_MAX = 8 * 1024 * 1024
"""RFC 8878, section 3.1.1.1.2: a decoder should support windows of 8 MiB; more is refused here."""


class BodyError(Exception):
    """A body cannot be used.

    Args:
        status: The HTTP status that says so.
        reason: What is wrong with it, for the sender to read.

    Attributes:
        status: The HTTP status that says so: 400 broken, 413 too large, 415 a form not known here.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def unpack(encoding: str, body: bytes, bytes_max: int) -> bytes:
    """Return a body without its compression.

    Args:
        encoding: The request's Content-Encoding; empty for none.
        body: The bytes as sent.
        bytes_max: How large the result may be; not one step more is unpacked.

    Raises:
        BodyError: The encoding is unknown, the data is broken or cut short, or the result is too large.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    unpackers: dict[str, Callable[[bytes, int], bytes]] = {
        "gzip": _gunzip,
        "deflate": _inflate,
        "zstd": _unzstd,
    }
    if name not in unpackers:
        known = "gzip, deflate, zstd or none"
        raise BodyError(415, f"this Content-Encoding is not supported; use {known}")
    return unpackers[name](body, bytes_max)


def _gunzip(body: bytes, bytes_max: int) -> bytes:
    # RFC 1952, section 2.2: a file is a series of members
    return _members("gzip", zlib.MAX_WBITS | 16, body, bytes_max)


def _inflate(body: bytes, bytes_max: int) -> bytes:
    """Return what a zlib stream holds (RFC 9110, section 8.4.1.2), or a bare one, as some clients send it."""
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _members("deflate", zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS, body, bytes_max)


def _members(name: str, window_bits: int, body: bytes, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    room_bytes = bytes_max
    # The library copies whatever it leaves of its input: small steps keep many tiny members from costing
    # the square of the body's size.
    unread = memoryview(body)
    data = b""
    try:
        while data or unread:
            member = zlib.decompressobj(wbits=window_bits)
            while (data or unread) and not member.eof:
                if not data:
                    data, unread = bytes(unread[:_ZLIB_STEP_BYTES]), unread[_ZLIB_STEP_BYTES:]
                part = member.decompress(data, min(_STEP_BYTES, room_bytes + 1))
                room_bytes -= len(part)
                if room_bytes < 0:
                    raise _too_large(bytes_max)
                parts.append(part)
                data = member.unused_data if member.eof else member.unconsumed_tail
            if not member.eof:
                raise BodyError(400, f"the {name} body is incomplete")
    except zlib.error as error:
        raise BodyError(400, f"the body is not valid {name}: {error}") from error
    return b"".join(parts)


def _unzstd(body: bytes, bytes_max: int) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise BodyError(
            415, "zstandard is not installed here; pip install 'logquake[gateway]', or send gzip"
        ) from error
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX)
    parts: list[bytes] = []
    room_bytes = bytes_max
    data = memoryview(body)
    try:
        while data:  # RFC 8878, section 3: frames may follow each other
            # Not the library's stream reader: it takes a frame that was cut short for a whole one.
            frame = decompressor.decompressobj()
            while data and not frame.eof:
                step, data = data[:_ZSTD_STEP_BYTES], data[_ZSTD_STEP_BYTES:]
                part = frame.decompress(step)
                room_bytes -= len(part)
                if room_bytes < 0:
                    raise _too_large(bytes_max)
                parts.append(part)
            if not frame.eof:
                raise BodyError(400, "the zstd body is incomplete")
            if frame.unused_data:
                data = memoryview(body)[len(body) - len(data) - len(frame.unused_data) :]
    except zstandard.ZstdError as error:
        raise BodyError(400, f"the body is not valid or not accepted zstd: {error}") from error
    return b"".join(parts)


def _too_large(bytes_max: int) -> BodyError:
    return BodyError(413, f"the body unpacks to more than {bytes_max} bytes; send smaller batches")
