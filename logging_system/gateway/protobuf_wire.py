"""Takes a protobuf message apart by its bytes, where the message as a whole cannot be read.

Encoding: https://protobuf.dev/programming-guides/encoding/. The outer messages of a request can be taken
apart whatever stands in a record, so that each record is read by itself; and a text that is no UTF-8, which
protobuf refuses, can be written so that it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES: Mapping[int, int] = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES_MAX = 10
_DEPTH_MAX = 100
"""As deep as protobuf itself reads."""


class WireError(ValueError):
    """Bytes are no protobuf message."""


def messages(encoded: bytes, number: int) -> Iterator[bytes]:
    """Yield the bytes of each message that a field holds.

    Args:
        encoded: The message around them.
        number: The field's number.

    Raises:
        WireError: The bytes cannot be taken apart.
    """
    for found, kind, _start, content, end in _fields(encoded):
        if found == number and kind == _BYTES:
            yield encoded[content:end]


def with_utf8(encoded: bytes, kind: Descriptor, depth: int = _DEPTH_MAX) -> bytes:
    r"""Return a message in which every text is UTF-8; a byte that is none becomes `\xe9`.

    Args:
        encoded: The message.
        kind: Its type.
        depth: How many messages may be within each other.

    Raises:
        WireError: The bytes cannot be taken apart, or are nested deeper.
    """
    if depth <= 0:
        raise WireError(f"nested deeper than {_DEPTH_MAX} messages")
    parts: list[bytes] = []
    for number, wire, start, content, end in _fields(encoded):
        field = kind.fields_by_number.get(number)
        if wire != _BYTES or field is None:
            parts.append(encoded[start:end])
            continue
        value = encoded[content:end]
        if field.type == FieldDescriptor.TYPE_STRING:
            value = value.decode("utf-8", "backslashreplace").encode()
        elif field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type is not None:
            value = with_utf8(value, field.message_type, depth - 1)
        parts += (_varint(number << 3 | _BYTES), _varint(len(value)), value)
    return b"".join(parts)


def _fields(encoded: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield each field's number and wire type, and where it, its content and what follows begin."""
    start = 0
    while start < len(encoded):
        tag, content = _read_varint(encoded, start)
        wire = tag & 7
        if wire == _VARINT:
            end = _read_varint(encoded, content)[1]
        elif wire == _BYTES:
            size_bytes, content = _read_varint(encoded, content)
            end = content + size_bytes
        elif wire in _FIXED_BYTES:
            end = content + _FIXED_BYTES[wire]
        else:
            raise WireError(f"wire type {wire} at byte {start}")
        if end > len(encoded) or not tag >> 3:
            raise WireError(f"the field at byte {start} is cut short or has no number")
        yield tag >> 3, wire, start, content, end
        start = end


def _read_varint(encoded: bytes, start: int) -> tuple[int, int]:
    number = 0
    for place, byte in enumerate(encoded[start : start + _VARINT_BYTES_MAX]):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, start + place + 1
    raise WireError(f"the number at byte {start} does not end")


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*written, number))
