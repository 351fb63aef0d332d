"""How a value of each field type is read: the same for what a document holds and what a query asks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from harness.programs.elastic_lite.language.dates import DEFAULT_FORMAT, parse_date

INTEGER_BITS = {"byte": 8, "short": 16, "integer": 32, "long": 64}
FLOATS = frozenset({"double", "float", "half_float", "scaled_float"})
NUMBERS = frozenset({*INTEGER_BITS, *FLOATS, "unsigned_long"})
DATES = frozenset({"date", "date_nanos"})
TEXTS = frozenset({"text", "match_only_text"})
KEYWORDS = frozenset({"keyword", "constant_keyword", "wildcard"})
TERM_BYTES_MAX = 32766  # Lucene's longest term
FLATTENED_DEPTH_MAX = 20

Indexed = str | int | float | bool


class BadValueError(ValueError):
    """A value that a field of this type cannot hold; the text is Elasticsearch's reason."""


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a mapping: where it is, its type and its parameters."""

    path: str
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def date_format(self) -> str:
        """The formats that a date field reads."""
        return str(self.parameters.get("format", DEFAULT_FORMAT))


def read_value(leaf: Field, value: Any) -> Indexed | None:
    """One value (neither null nor a list) as the index holds it; None for one that is kept but not indexed.

    Raises:
        BadValueError: The field's type cannot hold it.
    """
    return READERS.get(leaf.kind, _read_opaque)(leaf, value)


def flatten_lists(value: Any) -> Iterator[Any]:
    """The values in nested lists, nulls left out."""
    if isinstance(value, list):
        for element in value:
            yield from flatten_lists(element)
    elif value is not None:
        yield value


def as_text(value: Any) -> str:
    """A scalar as the text a keyword or text field holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        raise BadValueError("Expected text at 1:1 but found START_OBJECT")
    return value if isinstance(value, str) else repr(value)


def _read_keyword(leaf: Field, value: Any) -> str | None:
    text = as_text(value)
    limit = leaf.parameters.get("ignore_above")
    if limit is not None and len(text) > int(limit):
        return None
    check_term_size(leaf, text)
    return text


def check_term_size(leaf: Field, text: str) -> None:
    """Refuse a term that Lucene cannot hold."""
    if len(text) * 4 > TERM_BYTES_MAX and len(text.encode("utf-8", "surrogatepass")) > TERM_BYTES_MAX:
        raise BadValueError(
            f'Document contains at least one immense term in field="{leaf.path}" (whose UTF8 encoding is '
            f"longer than the max length {TERM_BYTES_MAX}), all of which were skipped. Please correct the "
            "analyzer to not "
            "produce such terms."
        )


def _read_text(leaf: Field, value: Any) -> str:
    return as_text(value)


def _read_number(leaf: Field, value: Any) -> int | float | None:
    if isinstance(value, dict):
        raise BadValueError("Cannot parse object as number")
    if isinstance(value, bool):
        raise BadValueError(f"Current token (VALUE_{str(value).upper()}) not numeric")
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = float(value) if not value.strip().lstrip("+-").isdigit() else int(value)
        except ValueError as error:
            raise BadValueError(f'For input string: "{value}"') from error
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValueError(f"[{leaf.kind}] supports only finite values, but got [{value}]")
    if leaf.kind in FLOATS:
        return float(value)
    return _read_integer(leaf, value)


def _read_integer(leaf: Field, value: int | float) -> int:
    whole = int(value)
    if leaf.kind == "unsigned_long":
        low, high = 0, 2**64 - 1
    else:
        bits = INTEGER_BITS[leaf.kind]
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if not low <= whole <= high:
        raise BadValueError(f"Numeric value ({whole}) out of range of {leaf.kind} ({low} - {high})")
    return whole


def _read_boolean(leaf: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false", ""):
        return value == "true"
    raise BadValueError(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")


def _read_date(leaf: Field, value: Any) -> int:
    if isinstance(value, dict):
        raise BadValueError("Expected text at 1:1 but found START_OBJECT")
    if value == "":
        raise BadValueError("cannot parse empty datetime")
    shown = as_text(value)
    found = None if isinstance(value, bool) else parse_date(value, leaf.date_format)
    if found is None:
        raise BadValueError(f"failed to parse date field [{shown}] with format [{leaf.date_format}]")
    return found


def _read_ip(leaf: Field, value: Any) -> str:
    try:
        return ip_address(as_text(value)).exploded
    except ValueError as error:
        raise BadValueError(f"'{value}' is not an IP string literal.") from error


def _read_flattened(leaf: Field, value: Any) -> None:
    """A flattened field holds an object whose leaves are keywords; they are read by `flattened_leaves`."""
    if not isinstance(value, dict):
        found = "VALUE_STRING" if isinstance(value, str) else "VALUE_NUMBER"
        raise BadValueError(
            f"Failed to parse object: expecting token of type [START_OBJECT] but found [{found}]"
        )
    limit = leaf.parameters.get("ignore_above")
    for key, text in flattened_leaves(leaf, value):
        if limit is not None and len(text) > int(limit):
            continue
        if len(key.encode()) + 1 + len(text.encode("utf-8", "surrogatepass")) > TERM_BYTES_MAX:
            raise BadValueError(
                f"Flattened field [{leaf.path}] contains one immense field whose keyed encoding is "
                "longer than the "
                f"allowed max length of {TERM_BYTES_MAX} bytes. Key length: {len(key)}, value length: "
                f"{len(text)} "
                f"for key starting with [{key[:50]}]"
            )


def flattened_leaves(leaf: Field, value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Each leaf of a flattened object: its dotted key and its text."""
    if depth > int(leaf.parameters.get("depth_limit", FLATTENED_DEPTH_MAX)):
        raise BadValueError(
            f"The provided [flattened] field [{leaf.path}] exceeds the maximum depth limit of "
            f"[{FLATTENED_DEPTH_MAX}]."
        )
    if isinstance(value, dict):
        for name, member in value.items():
            yield from flattened_leaves(leaf, member, f"{key}.{name}" if key else name, depth + 1)
    elif isinstance(value, list):
        for element in value:
            yield from flattened_leaves(leaf, element, key, depth)
    elif value is not None:
        yield key, as_text(value)


def _read_opaque(leaf: Field, value: Any) -> None:
    """Types that are kept and not searched here: binary, geo_point and the like."""


READERS: dict[str, Callable[[Field, Any], Indexed | None]] = {
    **dict.fromkeys(KEYWORDS, _read_keyword),
    **dict.fromkeys(TEXTS, _read_text),
    **dict.fromkeys(NUMBERS, _read_number),
    **dict.fromkeys(DATES, _read_date),
    "boolean": _read_boolean,
    "ip": _read_ip,
    "flattened": _read_flattened,
    "binary": _read_opaque,
    "geo_point": _read_opaque,
}
