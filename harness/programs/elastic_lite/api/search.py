"""Searching and counting: views of indices, a query, an order, a page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

import orjson

from harness.programs.elastic_lite.aggregations.columns import Column, Table
from harness.programs.elastic_lite.aggregations.definitions import parse_aggregations
from harness.programs.elastic_lite.aggregations.tree import Aggregations
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    illegal_argument,
    query_error,
    validation_failed,
)
from harness.programs.elastic_lite.language.filter_path import filter_source
from harness.programs.elastic_lite.query.clauses import Candidate, Matcher, Scope, compile_query, everything
from harness.programs.elastic_lite.query.sorting import (
    PLACES,
    Criterion,
    Key,
    SortField,
    bind,
    is_after,
    parse_sort,
)
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.freshness import View

Json = dict[str, Any]
INT_MAX = 2**31 - 1
WINDOW_MAX = 10_000
TRACKED_DEFAULT = 10_000
SEARCH_KEYS = frozenset(
    {
        "query", "size", "from", "sort", "_source", "track_total_hits", "search_after", "pit", "timeout",
        "version", "seq_no_primary_term", "aggs", "aggregations", "track_scores", "min_score", "explain",
        "profile", "stored_fields",
    }
)  # fmt: skip
# Statements are put together from this constant alone; values are always bound.
VISIBLE = "number=? AND deleted=0 AND position<=? AND (ended IS NULL OR ended>?)"
COUNT_VISIBLE = f"SELECT COUNT(*) FROM documents WHERE {VISIBLE}"  # noqa: S608
READ_VISIBLE = (
    f"SELECT position, version, seq_no, id, source FROM documents WHERE {VISIBLE} AND position>? "  # noqa: S608
    "ORDER BY position"
)


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


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found, with what it is ordered by."""

    view: View
    position: int
    version: int
    seq_no: int
    candidate: Candidate
    keys: tuple[Key, ...]
    criteria: tuple[Criterion, ...]


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
    for key in body:
        if key not in SEARCH_KEYS:
            raise query_error(f"Unknown key for a value in [{key}].")
    size, start = whole_number(body, "size", 10), whole_number(body, "from", 0)
    if size < 0:
        raise illegal_argument(f"[size] parameter cannot be negative, found [{size}]")
    if start < 0:
        raise illegal_argument(f"[from] parameter cannot be negative but was [{start}]")
    after = after_of(body)
    if after is not None and start > 0:
        raise validation_failed("[from] parameter must be set to 0 when [search_after] is used")
    sort = tuple(parse_sort(body.get("sort")))
    check_window(start + size)
    if after is not None and not sort:
        raise SearchError(400, "illegal_argument_exception", "Sort must contain at least one field.")
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


def check_window(last: int) -> None:
    """Refuse a page that ends behind the result window."""
    if last > WINDOW_MAX:
        raise SearchError(
            400,
            "illegal_argument_exception",
            f"Result window is too large, from + size must be less than or equal to: [{WINDOW_MAX}] "
            f"but was [{last}]. "
            "See the scroll api for a more efficient way to request large data sets. This limit can "
            "be set by changing "
            "the [index.max_result_window] index level setting.",
        )


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


@dataclass(frozen=True, slots=True)
class Searcher:
    """One search over some views, on one consistent read of the file.

    Args:
        connection: Inside a read transaction.
        views: What is seen of each index.
        indices: The indices of the views by name.
        now_ms: What `now` means in queries.
        tie_break: Whether hits of equal order are ordered by place, visibly, as under a point in time.
    """

    connection: sqlite3.Connection
    views: tuple[View, ...]
    indices: ReadOnly[str, Index]
    now_ms: int
    tie_break: bool = False

    def count(self, query: Any, limit: int | None = None) -> int:
        """How many documents match; it may stop counting in each view at a limit."""
        return sum(self.count_view(view, self.matcher(query, view), limit) for view in self.views)

    def aggregate(self, request: Request, typed: bool) -> Json:
        """The answers of the request's aggregations over every match, their types before names if asked."""
        table = Table(list(request.columns), typed)
        for view in self.views:
            cells = table.bind(Scope(self.indices[view.name], self.now_ms))
            for _, _, _, candidate in self.matching(view, self.matcher(request.query, view), 0):
                table.add(cells, candidate)
        return request.aggregations.answers(table.rows, table)

    def matcher(self, query: Any, view: View) -> Matcher:
        """The query under the mapping of a view's index."""
        return compile_query(query, Scope(self.indices[view.name], self.now_ms))

    def count_view(self, view: View, matcher: Matcher, limit: int | None) -> int:
        """How many documents of one view match; without reading them when all do."""
        if matcher is everything:
            bounds = (view.number, view.position, view.position)
            row = self.connection.execute(COUNT_VISIBLE, bounds)
            return int(row.fetchone()[0])
        return sum(1 for _ in islice(self.matching(view, matcher, 0), limit))

    def matching(
        self, view: View, matcher: Matcher, behind: int
    ) -> Iterator[tuple[int, int, int, Candidate]]:
        """The matching documents of one view as they were written: position, version, sequence number."""
        rows = self.connection.execute(
            READ_VISIBLE,
            (view.number, view.position, view.position, behind),
        )
        for position, version, seq_no, document_id, source in rows:
            candidate = Candidate(document_id, source)
            if matcher(candidate):
                yield position, version, seq_no, candidate

    def search(self, request: Request) -> tuple[list[Hit], int | None]:
        """The page of hits, and how many match as far as that is tracked (None: not at all)."""
        fields = request.sort
        if self.tie_break and fields and fields[-1].name != "_shard_doc":
            fields = (*fields, SortField("_shard_doc"))
        self.check_after(request, fields)
        by_place = not fields or (fields[0].name in PLACES and not fields[0].descending)
        hits = self.page_by_place(request, fields) if by_place else self.page_sorted(request, fields)
        if request.tracked == 0:
            return hits, None
        total = self.count(request.query, None if request.tracked is None else request.tracked + 1)
        return hits, total

    def check_after(self, request: Request, fields: tuple[SortField, ...]) -> None:
        """Refuse a `search_after` of the wrong length; the tie-break may be left out."""
        if request.after is not None and len(request.after) not in (len(request.sort), len(fields)):
            reason = f"search_after has {len(request.after)} value(s) but sort has {len(request.sort)}."
            raise SearchError(400, "illegal_argument_exception", reason)

    def page_by_place(self, request: Request, fields: tuple[SortField, ...]) -> list[Hit]:
        """The page when hits come as they were written: read no further than its end, view after view."""
        behind = int(request.after[0]) if request.after else 0
        hits: list[Hit] = []
        for view in self.views:
            criteria = tuple(bind(fields, self.indices[view.name]))
            found = self.matching(view, self.matcher(request.query, view), behind)
            hits += [
                Hit(
                    view,
                    place,
                    version,
                    seq_no,
                    candidate,
                    tuple(it.key(candidate, place) for it in criteria),
                    criteria,
                )
                for place, version, seq_no, candidate in islice(found, request.start + request.size)
            ]
        hits.sort(key=lambda hit: hit.position)
        return hits[request.start : request.start + request.size]

    def page_sorted(self, request: Request, fields: tuple[SortField, ...]) -> list[Hit]:
        """The page when hits are ordered by fields: keys of every match, sources of the page only."""
        rows: list[tuple[tuple[Key, ...], int, View, tuple[Criterion, ...], str]] = []
        for view in self.views:
            criteria = tuple(bind(fields, self.indices[view.name]))
            after = (
                None
                if request.after is None
                else [it.read_back(value) for it, value in zip(criteria, request.after, strict=False)]
            )
            for place, _, _, candidate in self.matching(view, self.matcher(request.query, view), 0):
                keys = tuple(it.key(candidate, place) for it in criteria)
                if after is None or is_after(keys, after, fields):
                    rows.append((keys, place, view, criteria, candidate.id))
        rows.sort(key=itemgetter(1))
        for at in range(len(fields) - 1, -1, -1):
            rows.sort(key=lambda row, at=at: row[0][at], reverse=fields[at].descending)  # type: ignore[misc]
        return [self.fetched(row) for row in rows[request.start : request.start + request.size]]

    def fetched(self, row: tuple[tuple[Key, ...], int, View, tuple[Criterion, ...], str]) -> Hit:
        """A hit of a sorted page with its document read again."""
        keys, place, view, criteria, document_id = row
        version, seq_no, source = self.connection.execute(
            "SELECT version, seq_no, source FROM documents WHERE position=?", (place,)
        ).fetchone()
        return Hit(view, place, version, seq_no, Candidate(document_id, source), keys, criteria)


def hit_as_json(hit: Hit, request: Request) -> Json:
    """One hit of an answer."""
    out: Json = {"_index": hit.view.name, "_id": hit.candidate.id}
    if request.with_version:
        out["_version"] = hit.version
    if request.with_seq_no:
        out |= {"_seq_no": hit.seq_no, "_primary_term": 1}
    by_score = not request.sort or request.sort[0].name == "_score"
    out["_score"] = 1.0 if by_score else None
    if request.source.wanted:
        out["_source"] = request.source.apply(hit.candidate)
    if request.sort and [field.name for field in request.sort] != ["_score"]:
        out["sort"] = [criterion.shown(key) for criterion, key in zip(hit.criteria, hit.keys, strict=True)]
    return out


def total_as_json(total: int, tracked: int | None) -> Json:
    """The total of an answer: exact, or the bound up to which hits were counted."""
    if tracked is not None and total > tracked:
        return {"value": tracked, "relation": "gte"}
    return {"value": total, "relation": "eq"}


def shards_as_json(views: tuple[View, ...], indices: ReadOnly[str, Index]) -> Json:
    """The `_shards` of a search: every primary shard answered."""
    total = sum(indices[view.name].shards for view in views)
    return {"total": total, "successful": total, "skipped": 0, "failed": 0}


def missing_views(views: tuple[View, ...], indices: ReadOnly[str, Index]) -> ElasticError | None:
    """The error for a point in time over an index that has been deleted since."""
    for view in views:
        index = indices.get(view.name)
        if index is None or index.number != view.number:
            return SearchError(503, "no_shard_available_action_exception", "", view.name)
    return None
