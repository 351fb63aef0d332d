"""Reads the values of OTLP's JSON: as its mapping says, and else for what they are."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from logging_system.gateway.otlp_labels import put
from logging_system.records.document import encode_document

DEPTH_MAX = 32

_HEXADECIMAL = re.compile("[0-9a-fA-F]*")


class TooDeepError(ValueError):
    """A value is nested deeper than `DEPTH_MAX` levels."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {DEPTH_MAX} levels")


def member(parent: Mapping[str, object], name: str) -> object:
    """Return a field, under its name in JSON or that in the .proto file; None where it is not there.

    Args:
        parent: The object that may have it, of either form.
        name: Its name in JSON, such as `timeUnixNano`.
    """
    value = parent.get(name)
    return parent.get(proto_name(name)) if value is None else value


@lru_cache(maxsize=64)
def proto_name(name: str) -> str:
    """Return what the .proto file calls a field: `time_unix_nano` for `timeUnixNano`.

    Args:
        name: The field's name in OTLP's JSON.
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def any_value(value: object, depth: int = DEPTH_MAX) -> object:
    """Return what an AnyValue holds; one written without its kind is taken for what it is.

    Args:
        value: What the sender's JSON has in its place, of any type.
        depth: How many levels it may be nested.

    Raises:
        TooDeepError: It is nested deeper than `depth` levels.
    """
    if not isinstance(value, Mapping):
        return _plain(value, depth)
    if depth <= 0:
        raise TooDeepError
    for kind, read in _KINDS.items():
        if (inner := member(value, kind)) is not None:
            return read(inner, depth)
    # An object of nulls is a value that is not set: JavaScript writes NaN as null.
    return _plain(value, depth) if any(inner is not None for inner in value.values()) else None


def key_values(pairs: object, depth: int = DEPTH_MAX) -> dict[str, object]:
    """Return attributes: a list of keys with values, or an object of values.

    Args:
        pairs: What the sender's JSON has in their place, of any type; what is no pair has an empty key.
        depth: How many levels the attributes may be nested, themselves included.

    Raises:
        TooDeepError: One is nested deeper than `depth` levels.
    """
    found: dict[str, object] = {}
    if isinstance(pairs, Mapping):
        return {str(key): any_value(value, depth - 1) for key, value in pairs.items()}
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        if isinstance(pair, Mapping) and ("key" in pair or "value" in pair or not pair):
            key = pair.get("key")
            put(found, "" if key is None else _name(key), any_value(pair.get("value"), depth - 1))
        elif pair is not None:
            put(found, "", _plain(pair, depth - 1))
    return found


def as_sent(value: object) -> object:
    """Return a value that belongs to no field of its own, or what is wrong with it; never raises."""
    try:
        return any_value(value)
    except TooDeepError as error:
        return f"[{error}]"


def integer(value: object) -> int | None:
    """Return a whole number, however it is written; None where it is none.

    Args:
        value: What the sender's JSON has: a number, or text of one, as protobuf's JSON writes 64 bits.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) <= 20 and value.removeprefix("-").isdecimal():
            return int(value)
        value = _number(value)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    return value if isinstance(value, int) else None


def identity(value: str, size_bytes: int) -> str:
    """Return a trace's or span's id in hexadecimal; base64, as plain protobuf JSON has it, is understood.

    Args:
        value: As it was sent.
        size_bytes: How long the id is. What is no such id is kept as it is.
    """
    if _HEXADECIMAL.fullmatch(value):
        return value.lower()
    standard = value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4)
    try:
        decoded = base64.b64decode(standard, validate=True)
    except ValueError:
        return value
    return decoded.hex() if len(decoded) == size_bytes else value


def decimal(number: float) -> float | str:
    """Return a decimal; where JSON has no word for it, the one that protobuf's JSON uses.

    Args:
        number: Any float, also one that is not finite.
    """
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def _name(key: object) -> str:
    return key if isinstance(key, str) else encode_document(as_sent(key)).decode()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain(value: object, depth: int) -> object:
    if depth <= 0 and isinstance(value, list | Mapping):
        raise TooDeepError
    if isinstance(value, float):
        return decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _wide(value)
    if isinstance(value, list):
        return [any_value(inner, depth - 1) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): any_value(inner, depth - 1) for key, inner in value.items()}
    return value


def _wide(number: int) -> int | str:
    # What no JSON encoder writes as a number is kept as text.
    return number if -(2**63) <= number < 2**64 else str(number)


def _bool(value: object, depth: int) -> object:
    return (
        {"true": True, "false": False}.get(value, value) if isinstance(value, str) else _plain(value, depth)
    )


def _int(value: object, depth: int) -> object:
    number = integer(value)
    return _plain(value, depth) if number is None else _wide(number)


def _double(value: object, depth: int) -> object:
    number = _number(value) if isinstance(value, str) else None
    return _plain(value if number is None else number, depth)


def _array(value: object, depth: int) -> object:
    values = member(value, "values") if isinstance(value, Mapping) else value
    if values is None:
        values = value or []
    return _plain(values if isinstance(values, list) else [values], depth)


def _kvlist(value: object, depth: int) -> object:
    if isinstance(value, Mapping) and set(value) <= {"values"}:
        values = value.get("values")
        return {} if values is None else key_values(values, depth)
    return key_values(value, depth) if isinstance(value, Mapping | list) else _plain(value, depth)


_KINDS: Mapping[str, Callable[[object, int], object]] = {
    "stringValue": _plain,
    "boolValue": _bool,
    "intValue": _int,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _plain,
}
