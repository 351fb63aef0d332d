"""A search as asked: its body and parameters checked, key by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from harness.programs.elastic_lite.aggregations.columns import Column, QueryColumn
from harness.programs.elastic_lite.aggregations.definitions import parse_aggregations
from harness.programs.elastic_lite.aggregations.tree import Aggregations
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    query_error,
    validation_failed,
)
from harness.programs.elastic_lite.language.filter_path import filter_source
from harness.programs.elastic_lite.language.spelled_json import refuse_long_numbers
from harness.programs.elastic_lite.language.sure_values import (
    INT_MAX,
    is_duration,
    is_filled_list,
    is_flag,
    is_given,
    is_name_or_names,
    is_whole,
)
from harness.programs.elastic_lite.query.documents import Candidate
from harness.programs.elastic_lite.query.sorting import SortField, parse_sort

Json = dict[str, Any]
TRACKED_DEFAULT = 10_000


def is_sort(value: Any) -> bool:
    """Whether it is the name of a field, an object or a list."""
    return isinstance(value, (str, dict, list))


def is_source(value: Any) -> bool:
    """Whether it is a flag, a name, names or an object."""
    return isinstance(value, (bool, dict)) or value == [] or is_name_or_names(value)


SEARCH_KEYS = declare(
    "in a search request",
    "query", "size", "from", "sort", "_source", "track_total_hits", "search_after", "pit", "version",
    "seq_no_primary_term", "aggs", "aggregations",
    inert={"timeout": "a search here never stops before it is done"},
    only={
        "track_scores": ("false",),
        "explain": ("false",),
        "profile": ("false",),
    },
    kind="parsing_exception",
    sure={
        "query": is_given,
        "sort": is_sort,
        "search_after": is_filled_list,
        "version": is_flag,
        "seq_no_primary_term": is_flag,
        "timeout": is_duration,
        "track_total_hits": lambda value: isinstance(value, bool) or is_whole(value),
        "_source": is_source,
    },
)  # fmt: skip
SOURCE_WORDS = ("includes", "include", "excludes", "exclude")
SOURCE_KEYS = declare(
    "in `_source`",
    *SOURCE_WORDS,
    kind="parsing_exception",
    sure=dict.fromkeys(SOURCE_WORDS, is_name_or_names),
)
POINT_KEYS = declare("in `pit`", "id", "keep_alive", kind="x_content_parse_exception")


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Which parts of a document an answer carries."""

    wanted: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def apply(self, candidate: Candidate) -> Any:
        """The document as the answer shows it: its own bytes when nothing is filtered."""
        if not self.include and not self.exclude:
            return orjson.Fragment(candidate.raw)
        refuse_long_numbers(candidate.raw)
        return filter_source(candidate.source, list(self.include), list(self.exclude))


@dataclass(frozen=True, slots=True)
class Request:
    """A search as asked."""

    query: Any
    size: int
    start: int
    sort: tuple[SortField, ...]
    source: SourceFilter
    tracked: int | None
    after: tuple[Any, ...] | None
    with_version: bool
    with_seq_no: bool
    aggregations: Aggregations
    columns: tuple[Column, ...]

    @property
    def queries(self) -> list[Any]:
        """Every query in it: what is looked for, and what aggregations count."""
        return [self.query, *(each.query for each in self.columns if isinstance(each, QueryColumn))]


def parse_source_filter(value: Any) -> SourceFilter:
    """`_source` as a flag, a name, names, or names to include and exclude.

    Raises:
        ElasticError: 400 for anything else.
    """
    if value is None or isinstance(value, bool):
        return SourceFilter(value is not False)
    if isinstance(value, str):
        return SourceFilter(True, (value,))
    if isinstance(value, list):
        return SourceFilter(True, tuple(map(str, value)))
    if not isinstance(value, dict):
        raise query_error(
            "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] but found another"
        )
    SOURCE_KEYS.check(value)
    return SourceFilter(
        True,
        names_of(value.get("includes", value.get("include"))),
        names_of(value.get("excludes", value.get("exclude"))),
    )


def names_of(value: Any) -> tuple[str, ...]:
    """One name, several or none."""
    if value is None:
        return ()
    if not isinstance(value, (str, list)):
        raise query_error(f"Unknown key for a {token(value)} in [_source].")
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def parse_request(body: Json) -> Request:
    """A search body.

    Raises:
        ElasticError: 400 for an unknown key, a window above 10,000, or values that make no sense together.
    """
    SEARCH_KEYS.check(body)
    size, start = whole_number(body, "size", 10), whole_number(body, "from", 0)
    if size < 0:
        raise illegal_argument(f"[size] parameter cannot be negative, found [{size}]")
    if start < 0:
        raise illegal_argument(f"[from] parameter cannot be negative but was [{start}]")
    after = after_of(body)
    if after is not None and start > 0:
        raise validation_failed("[from] parameter must be set to 0 when [search_after] is used")
    sort = tuple(parse_sort(body.get("sort")))
    columns: list[Column] = []
    given = [body[key] for key in body if key in ("aggs", "aggregations")]
    aggregations = parse_aggregations(given[-1] if given else {}, columns)
    return Request(
        body.get("query", {"match_all": {}}), size, start, sort, parse_source_filter(body.get("_source")),
        tracked_of(body.get("track_total_hits", TRACKED_DEFAULT)), after,
        bool(body.get("version")), bool(body.get("seq_no_primary_term")),
        aggregations, tuple(columns),
    )  # fmt: skip


def after_of(body: Json) -> tuple[Any, ...] | None:
    """The values of `search_after`, None without it.

    Raises:
        ElasticError: 400 for anything but a list of plain values.
    """
    after = body.get("search_after")
    if after is None:
        return None
    if not isinstance(after, list):
        raise query_error(f"Unknown key for a {token(after)} in [search_after].")
    for value in after:
        if isinstance(value, (dict, list)):
            raise query_error(
                "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found "
                f"[{token(value)}] inside search_after."
            )
    return tuple(after)


def whole_number(body: Json, key: str, default: int) -> int:
    """A number of a search body; a text or a fraction is read as Elasticsearch does.

    Raises:
        ElasticError: 400 for anything else, or a number beyond 32 bits.
    """
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise query_error(f"Unknown key for a {token(value)} in [{key}].")
    try:
        number = int(value)
    except (ValueError, OverflowError) as error:
        raise ElasticError(400, "number_format_exception", f'For input string: "{value}"') from error
    if abs(number) > INT_MAX:
        reason = f"[1:1] Numeric value ({number}) out of range of int (-2147483648 - {INT_MAX})"
        raise ElasticError(400, "x_content_parse_exception", reason)
    return number


def tracked_of(value: Any) -> int | None:
    """Up to how many hits are counted; None counts all, 0 none."""
    if value is True or value == -1:
        return None
    if value is False:
        return 0
    tracked = whole_number({"track_total_hits": value}, "track_total_hits", TRACKED_DEFAULT)
    if tracked < 0:
        raise illegal_argument(
            f"[track_total_hits] parameter must be positive or equals to -1, got {tracked}"
        )
    return tracked
