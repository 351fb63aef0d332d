"""How a value of each field type is read: the same for what a document holds and what a query asks for."""

from __future__ import annotations

import math
import re
import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Any

import orjson

from harness.programs.elastic_lite.language.dates import DEFAULT_FORMAT, NS_IN_MS, is_odd, parse_date_ns
from harness.programs.elastic_lite.language.errors import unsupported
from harness.programs.elastic_lite.language.spelled_json import OddFloat, OddInt

INTEGER_BITS = {"byte": 8, "short": 16, "integer": 32, "long": 64}
FLOATS = frozenset({"double", "float", "half_float", "scaled_float"})
NUMBERS = frozenset({*INTEGER_BITS, *FLOATS, "unsigned_long"})
DATES = frozenset({"date", "date_nanos"})
TEXTS = frozenset({"text", "match_only_text"})
KEYWORDS = frozenset({"keyword", "constant_keyword", "wildcard"})
TERM_BYTES_MAX = 32766  # Lucene's longest term
FLATTENED_DEPTH_MAX = 20

NANOS_FORMAT = "strict_date_optional_time_nanos||epoch_millis"
NANOS_MAX = 2**63 - 1
FLOAT_BITS = 24
UNSEARCHABLE = frozenset({"binary", "geo_point", "geo_shape", "histogram", "version"})
"""Types that a mapping may declare and a document may hold, and that no search here looks into."""

Indexed = str | int | float | bool | bytes


class BadValueError(ValueError):
    """A value that a field of this type cannot hold; the text is Elasticsearch's reason."""


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of a mapping.

    Args:
        path: Its dotted name.
        kind: Its type.
        parameters: What it was declared with.
        holder: Where its values lie in a document, where that is not its name: a multi-field's holder.
        sources: Other fields whose values are copied to it.
        nested: Whether it lies inside nested objects, which a search outside of them does not see.
    """

    path: str
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    holder: str = ""
    sources: tuple[str, ...] = ()
    nested: bool = False

    @property
    def date_format(self) -> str:
        """The formats that a date field reads."""
        default = NANOS_FORMAT if self.kind == "date_nanos" else DEFAULT_FORMAT
        return str(self.parameters.get("format", default))

    @property
    def unit_ns(self) -> int:
        """What a number of a date field counts, in nanoseconds."""
        return 1 if self.kind == "date_nanos" else NS_IN_MS

    @property
    def indexed(self) -> bool:
        """Whether its values can be looked up."""
        return self.parameters.get("index", True) in (True, "true")

    @property
    def has_doc_values(self) -> bool:
        """Whether it keeps a value for each document, to sort and count by."""
        return self.kind not in TEXTS and self.parameters.get("doc_values", True) in (True, "true")

    @property
    def coerces(self) -> bool:
        """Whether a text or a fraction may stand for a whole number."""
        return self.parameters.get("coerce", True) in (True, "true")

    @property
    def null_value(self) -> Any:
        """What an explicit null counts as; None leaves it out."""
        return self.parameters.get("null_value")


def read_value(leaf: Field, value: Any) -> Indexed | None:
    """One value (neither null nor a list) as the index holds it; None for one that is kept but not indexed.

    Raises:
        BadValueError: The field's type cannot hold it.
    """
    return READERS[leaf.kind](leaf, value)


def flatten_lists(value: Any, null_value: Any = None) -> Iterator[Any]:
    """The values in nested lists; nulls are left out, or count as the value given for them."""
    if isinstance(value, list):
        for element in value:
            yield from flatten_lists(element, null_value)
    elif value is not None:
        yield value
    elif null_value is not None:
        yield null_value


def as_text(value: Any) -> str:
    """A scalar as the text a keyword or text field holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        raise BadValueError("Expected text at 1:1 but found START_OBJECT")
    if isinstance(value, (OddFloat, OddInt)):
        raise unsupported(f"the number `{value.text}` as a text: it would be written in another way")
    return whole_characters(value) if isinstance(value, str) else orjson.dumps(value).decode()


HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def whole_characters(text: str, mark: str = "?") -> str:
    """A text as Elasticsearch keeps it as a term: with a mark for each half of a surrogate pair."""
    return text if text.isascii() else HALF_CHARACTER.sub(mark, text)


def java_length(text: str) -> int:
    """How long a text is to Elasticsearch, which counts characters beyond 16 bits twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _read_keyword(leaf: Field, value: Any) -> str | None:
    text = as_text(value)
    limit = leaf.parameters.get("ignore_above")
    if limit is not None and java_length(text) > int(limit):
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
    """A text as it was sent: half of a surrogate pair is no word's, as a question mark is not."""
    return value if isinstance(value, str) else as_text(value)


def _read_number(leaf: Field, value: Any) -> int | float | None:
    if isinstance(value, dict):
        raise BadValueError("Cannot parse object as number")
    if isinstance(value, bool):
        raise BadValueError(f"Current token (VALUE_{str(value).upper()}) not numeric")
    if isinstance(value, str):
        if not leaf.coerces:
            raise BadValueError(f"{leaf.kind.title()} value passed as String")
        if not value:
            return None
        value = number_in(leaf, value)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValueError(f"[{leaf.kind}] supports only finite values, but got [{value}]")
    return kept_float(leaf, float(value)) if leaf.kind in FLOATS else _read_integer(leaf, value)


def number_in(leaf: Field, text: str) -> int | float:
    """A number spelled as a text: white space around it is left out by all types but the long ones.

    Raises:
        BadValueError: It is none.
        ElasticError: 400 for what only Java takes for a number, as `0x1p3` or `1.5d`.
    """
    is_long = leaf.kind in ("long", "unsigned_long")
    spelled = text if is_long else text.strip(JAVA_SPACES)
    found = DECIMAL.fullmatch(spelled)
    if found is not None:
        is_fraction = found[1] or "." in spelled or leaf.kind in FLOATS
        return float(spelled) if is_fraction else int(spelled)
    if leaf.kind in FLOATS and NOT_FINITE.fullmatch(spelled):
        raise BadValueError(f"[{leaf.kind}] supports only finite values, but got [{spelled}]")
    if not spelled.isascii() or (not is_long and JAVA_NUMBER.fullmatch(spelled)):
        raise unsupported(f"the number `{text}` in `{leaf.path}`")
    raise BadValueError(f'For input string: "{text}"')


DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
NOT_FINITE = re.compile(r"[+-]?(?:NaN|Infinity)")
JAVA_NUMBER = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:0[xX][0-9a-fA-F.]+[pP][+-]?[0-9]+|[0-9.]+(?:[eE][+-]?[0-9]+)?)[dDfF]?)"
)
JAVA_SPACES = "".join(map(chr, range(0x21)))


def kept_float(leaf: Field, value: float) -> float:
    """What a type keeps of a number that it does not keep whole.

    Raises:
        BadValueError: The type cannot hold it.
        ElasticError: 400 for a zero below zero, which Elasticsearch tells from zero.
    """
    kept = _kept_float(leaf, value)
    if kept == 0 and math.copysign(1.0, kept) < 0:
        raise unsupported(f"the number `-0.0` in `{leaf.path}`")
    return kept


def _kept_float(leaf: Field, value: float) -> float:
    letter = {"float": "<f", "half_float": "<e"}.get(leaf.kind)
    if letter is not None:
        try:
            return float(struct.unpack(letter, struct.pack(letter, value))[0])
        except OverflowError as error:
            raise BadValueError(f"[{leaf.kind}] supports only finite values, but got [{value}]") from error
    if leaf.kind == "scaled_float":
        factor = float(leaf.parameters["scaling_factor"])
        return round(value * factor) / factor  # a whole number between, so never below zero at zero
    return value


def shortest(kind: str, value: float) -> float:
    """A number of a short type as the fewest digits that mean it."""
    if kind not in ("float", "half_float") or not math.isfinite(value):
        return value
    if value.is_integer() and abs(value) < 2**62:
        return whole_digits(abs(int(value))) * math.copysign(1.0, value)
    for digits in range(1, 10):
        shown = float(f"{value:.{digits}g}")
        if struct.pack("f", shown) == struct.pack("f", value):
            return shown
    return value


def whole_digits(value: int) -> float:
    """A whole number of a short type as Java 17 spells it: all the digits before those that mean nothing."""
    unsure_bits = value.bit_length() - 1 - FLOAT_BITS - 1
    if unsure_bits <= 1:
        return float(value)
    unit = 10 ** math.floor(unsure_bits * math.log10(2))
    kept, rest = divmod(value, unit)
    return float((kept + (rest >= unit // 2)) * unit) if unit > 1 else float(value)


def _read_integer(leaf: Field, value: int | float) -> int:
    whole = int(value)
    if whole != value and not leaf.coerces:
        raise BadValueError(f"{value} cannot be converted to {leaf.kind.title()} without data loss")
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
    found = None if isinstance(value, bool) else parse_date_ns(shown, leaf.date_format)
    if found is None:
        refuse_odd_date(shown, leaf.date_format)
        raise BadValueError(f"failed to parse date field [{shown}] with format [{leaf.date_format}]")
    if leaf.kind == "date_nanos":
        check_nanos(found)
    return found // leaf.unit_ns


NAMED_ZONE = re.compile(r"T[0-9]{2}:[0-9]{2}.*[A-Za-z]{2}")


def refuse_odd_date(text: str, date_format: str) -> None:
    """Refuse what could not be read here and may be a date to Elasticsearch.

    Raises:
        ElasticError: 400 that names it.
    """
    if NAMED_ZONE.search(text):
        raise unsupported(f"the time zone in the date `{text}`")
    if is_odd(text, date_format):
        raise unsupported(f"the date `{text}`")


def check_nanos(value_ns: int) -> None:
    """Refuse a date that nanoseconds of 64 bits cannot tell.

    Raises:
        BadValueError: It is before 1970 or after 2262.
    """
    if not 0 <= value_ns <= NANOS_MAX:
        when = "before the epoch in 1970" if value_ns < 0 else "after 2262-04-11T23:47:16.854775807"
        raise BadValueError(f"date[{value_ns}] is {when} and cannot be stored in nanosecond resolution")


def _read_ip(leaf: Field, value: Any) -> bytes:
    return read_ip(as_text(value))


def read_ip(text: str) -> bytes:
    """An address as 16 bytes that are in the order of addresses; IPv4 is mapped into IPv6.

    Raises:
        BadValueError: It is no address.
    """
    if ODD_ADDRESS.search(text):
        raise unsupported(f"the address `{text}`")
    try:
        found = ip_address(text)
    except ValueError as error:
        raise BadValueError(f"'{text}' is not an IP string literal.") from error
    return found.packed if found.version == 6 else V4_PREFIX + found.packed


def ip_text(packed: bytes) -> str:
    """An address as Elasticsearch shows it."""
    address = IPv6Address(packed)
    return str(address if address.ipv4_mapped is None else address.ipv4_mapped)


# Which Elasticsearch reads: a zone, which it leaves out, and zeros before a group's four digits.
ODD_ADDRESS = re.compile(r":.*%|(?:^|:)0[0-9a-fA-F]{4,}(?::|$)")
V4_PREFIX = b"\0" * 10 + b"\xff" * 2


def _read_constant(leaf: Field, value: Any) -> str:
    declared = leaf.parameters.get("value")
    if declared is None:
        raise unsupported(f"a value in the constant_keyword `{leaf.path}`, whose mapping declares none")
    if as_text(value) != as_text(declared):
        raise BadValueError(
            f"[constant_keyword] field [{leaf.path}] only accepts values that are equal to the value defined "
            f"in the mappings [{declared}], but got [{as_text(value)}]"
        )
    return as_text(declared)


def _read_flattened(leaf: Field, value: Any) -> None:
    """A flattened field holds an object whose leaves are keywords; they are read by `flattened_leaves`."""
    if not isinstance(value, dict):
        found = "VALUE_STRING" if isinstance(value, str) else "VALUE_NUMBER"
        raise BadValueError(
            f"Failed to parse object: expecting token of type [START_OBJECT] but found [{found}]"
        )
    limit = leaf.parameters.get("ignore_above")
    for key, text in flattened_leaves(leaf, value):
        if limit is not None and java_length(text) > int(limit):
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
    elif isinstance(value, str):
        yield key, whole_characters(value, "\ufffd")
    elif value is not None:
        yield key, as_text(value)


def _read_binary(leaf: Field, value: Any) -> None:
    """Base64, which is kept and never searched."""
    try:
        b64decode(as_text(value), validate=True)
    except ValueError as error:
        raise BadValueError(f"Failed to parse base64: {error}") from error


def _read_point(leaf: Field, value: Any) -> None:
    """A place on earth in the spelling that nobody doubts: `{"lat": …, "lon": …}` or `"lat,lon"`."""
    try:
        if isinstance(value, str):
            lat, lon = (float(part) for part in value.split(","))
        elif isinstance(value, dict) and value.keys() == {"lat", "lon"}:
            lat, lon = float(value["lat"]), float(value["lon"])
        else:
            raise ValueError(value)  # noqa: TRY301 - one answer to every other spelling
    except (ValueError, TypeError) as error:
        raise unsupported(f"the geo_point `{value}` in `{leaf.path}`") from error
    if abs(lat) > 90 or abs(lon) > 180:
        raise BadValueError(f"illegal latitude or longitude value [{lat},{lon}] for {leaf.path}")


def _refuse_value(leaf: Field, value: Any) -> None:
    raise unsupported(f"a value in the field `{leaf.path}` of type `{leaf.kind}`")


READERS: dict[str, Callable[[Field, Any], Indexed | None]] = {
    **dict.fromkeys(KEYWORDS, _read_keyword),
    **dict.fromkeys(TEXTS, _read_text),
    **dict.fromkeys(NUMBERS, _read_number),
    **dict.fromkeys(DATES, _read_date),
    **dict.fromkeys(UNSEARCHABLE, _refuse_value),
    "constant_keyword": _read_constant,
    "boolean": _read_boolean,
    "ip": _read_ip,
    "flattened": _read_flattened,
    "binary": _read_binary,
    "geo_point": _read_point,
}
