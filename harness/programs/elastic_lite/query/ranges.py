"""The range query: bounds that are in it or not, dates rounded to the end of what they leave out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.programs.elastic_lite.language.dates import FORMATS
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    SearchError,
    query_error,
    unsupported,
)
from harness.programs.elastic_lite.language.sure_values import OF_QUERIES
from harness.programs.elastic_lite.mapping.field_types import INTEGER_BITS, Field, as_text
from harness.programs.elastic_lite.query.documents import Matcher, nothing
from harness.programs.elastic_lite.query.exact import build_exists
from harness.programs.elastic_lite.query.scope import (
    NUMBER_FORMAT,
    Scope,
    asked_value,
    date_bound,
    flag_of,
    is_date,
    one_field,
    plain,
)

Json = dict[str, Any]
SEQ_NO = "_seq_no"


def is_format(value: Any) -> bool:
    """Whether it names formats of dates that are known here."""
    return isinstance(value, str) and all(name in FORMATS for name in value.split("||"))


RANGE = declare(
    "in a [range] query",
    "gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper", "format",
    inert={"boost": "changes scores only, and searches here do not rank"},
    kind="parsing_exception",
    sure={**OF_QUERIES, "format": is_format},
)  # fmt: skip
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, bound: bool(value > bound),
    "gte": lambda value, bound: bool(value >= bound),
    "lt": lambda value, bound: bool(value < bound),
    "lte": lambda value, bound: bool(value <= bound),
}


# Bounds are not as coarse as the values: 0.1 is above the half_float that is nearest to it.
UNROUNDED = {"half_float": "float", "scaled_float": "double"}


@dataclass(slots=True)
class Bounds:
    """The two bounds of a range as asked; None is open."""

    low: Any = None
    high: Any = None
    with_low: bool = True
    with_high: bool = True


def refuse_two_of_a_side(asked: Json) -> None:
    """Refuse two bounds of one side, of which Elasticsearch takes now the one and now the other."""
    for side in (("gt", "gte", "from"), ("lt", "lte", "to")):
        both = [key for key in side if asked.get(key) is not None]
        if len(both) > 1:
            raise unsupported(f"`{both[0]}` beside `{both[1]}` in a [range] query")


def bounds_of(asked: Json) -> Bounds:
    """The bounds of a range.

    Raises:
        ElasticError: 400 for two of one side.
    """
    refuse_two_of_a_side(asked)
    out = Bounds()
    for key, value in asked.items():
        if key in ("gt", "gte", "from"):
            out.low = plain(value)
        elif key in ("lt", "lte", "to"):
            out.high = plain(value)
        if key in ("gt", "gte"):
            out.with_low = key == "gte"
        elif key in ("lt", "lte"):
            out.with_high = key == "lte"
        elif key == "include_lower":
            out.with_low = flag_of(asked, key, True)
        elif key == "include_upper":
            out.with_high = flag_of(asked, key, True)
    return out


def build_range(body: Json, scope: Scope) -> Matcher:
    """The documents with a value between two bounds."""
    name, asked = one_field(RANGE, "range", body)
    if not isinstance(asked, dict):
        raise query_error("[range] query malformed, no start_object after field name")
    bounds = bounds_of(asked)
    if name in ("_id", "_index"):
        raise unsupported(f"a [range] query on `{name}`")
    if name == SEQ_NO:
        return numbered(asked, bounds)
    if bounds.low is None and bounds.high is None:
        return nothing if name in scope.index.mapping.objects else build_exists({"field": name}, scope)
    reader = scope.reader(name)
    if reader is None:
        return nothing
    leaf = reader.leaf
    if reader.key is not None and (bounds.low is None) is not (bounds.high is None):
        raise scope.error(
            "failed to create query: [range] queries on keyed [flattened] fields must include both an "
            "upper and a lower bound."
        )
    leaf = in_own_format(leaf, asked.get("format"), bounds, scope)
    tests = [
        (TESTS[test], bound_of(leaf, value, test, scope))
        for test, value in (
            ("gte" if bounds.with_low else "gt", bounds.low),
            ("lte" if bounds.with_high else "lt", bounds.high),
        )
        if value is not None
    ]
    return lambda candidate: any(
        all(test(value, bound) for test, bound in tests) for value in reader.read(candidate.source)
    )


def numbered(asked: Json, bounds: Bounds) -> Matcher:
    """The documents whose sequence number lies between two bounds.

    Raises:
        ElasticError: 400 for bounds that are no whole numbers, or a format beside them.
    """
    low, high = bounds.low, bounds.high
    if "format" in asked or not all(type(it) is int or it is None for it in (low, high)):
        raise unsupported(f"a [range] query on `{SEQ_NO}` with anything but whole numbers")
    tests = [
        (TESTS[test], bound)
        for test, bound in (
            ("gte" if bounds.with_low else "gt", low),
            ("lte" if bounds.with_high else "lt", high),
        )
        if bound is not None
    ]
    return lambda candidate: all(test(candidate.seq_no, bound) for test, bound in tests)


def bound_of(leaf: Field, value: Any, test: str, scope: Scope) -> Any:
    """One bound as the field's values are compared with it."""
    if is_date(leaf):
        # What lies behind a day lies behind its end; what lies up to a day lies before its end, too.
        text = str(value) if type(value) is int else value
        return range_date(leaf, text, scope, round_up=test in ("gt", "lte"))
    if leaf.kind == "ip" and "/" in as_text(value):
        raise scope.error(f"failed to create query: '{value}' is not an IP string literal.")
    if leaf.kind in UNROUNDED:
        leaf = replace(leaf, kind=UNROUNDED[leaf.kind])
    bound = asked_value(leaf, value, scope)
    if leaf.kind in INTEGER_BITS and isinstance(bound, (int, float)):
        bits = max(INTEGER_BITS[leaf.kind], 32)
        if not -(2 ** (bits - 1)) <= bound < 2 ** (bits - 1):
            raise scope.error(f"failed to create query: Value [{value}] is out of range for a {leaf.kind}")
    return bound


def range_date(leaf: Field, value: Any, scope: Scope, round_up: bool) -> int:
    """A date as a bound.

    Raises:
        ElasticError: 400 for what is no date: Elasticsearch reads a bound only where a shard holds values of
            the field, and finds nothing elsewhere.
    """
    try:
        return date_bound(leaf, value, scope, round_up)
    except SearchError as error:
        why = f"a [range] query whose bound on `{leaf.path}` is no date ({error.reason})"
        raise unsupported(why, error.kind) from error


def in_own_format(leaf: Field, own: Any, bounds: Bounds, scope: Scope) -> Field:
    """The field as the bounds are read: in the query's own format, or as numbers where one of them is one."""
    numeric = any(isinstance(it, (int, float)) for it in (bounds.low, bounds.high))
    if own is None and not (numeric and is_date(leaf)):
        return leaf
    return with_format(leaf, NUMBER_FORMAT if own is None else own, scope)


def with_format(leaf: Field, value: Any, scope: Scope) -> Field:
    """A date field whose bounds are read in the query's own format.

    Raises:
        ElasticError: 400 for a field that holds no dates.
    """
    if not is_date(leaf):
        raise unsupported(f"`format` in a [range] query on a field of type `{leaf.kind}`")
    return replace(leaf, parameters={**leaf.parameters, "format": value})
