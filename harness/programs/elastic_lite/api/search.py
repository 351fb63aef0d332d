"""Searching and counting: views of indices, a query, an order, a page."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as ReadOnly
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from harness.programs.elastic_lite.aggregations.columns import Table
from harness.programs.elastic_lite.api.search_request import Request
from harness.programs.elastic_lite.language.declarations import spelled
from harness.programs.elastic_lite.language.errors import ElasticError, SearchError, unsupported
from harness.programs.elastic_lite.language.sure_values import INT_MAX, is_whole
from harness.programs.elastic_lite.mapping.mappings import compile_mapping
from harness.programs.elastic_lite.query.clauses import compile_query
from harness.programs.elastic_lite.query.documents import Candidate, Matcher, everything, ignored_as_json
from harness.programs.elastic_lite.query.relevance import is_ranked
from harness.programs.elastic_lite.query.scope import Scope
from harness.programs.elastic_lite.query.sorting import (
    PLACES,
    SEQ_NO,
    Criterion,
    Key,
    SortField,
    bind,
    check_alike,
    is_after,
)
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.freshness import View

Json = dict[str, Any]
Found = TypeVar("Found")
WINDOW_MAX = 10_000
NOWHERE = Index(0, "", "", 0, {}, compile_mapping({}))
"""An index that holds nothing and maps nothing."""

# Statements are put together from this constant alone; values are always bound.
VISIBLE = "number=? AND deleted=0 AND position<=? AND (ended IS NULL OR ended>?)"
COUNT_VISIBLE = f"SELECT COUNT(*) FROM documents WHERE {VISIBLE}"  # noqa: S608
READ_VISIBLE = (
    f"SELECT position, version, seq_no, id, source, ignored FROM documents WHERE {VISIBLE} AND position>? "  # noqa: S608
    "ORDER BY position"
)
READ_LATEST = f"{READ_VISIBLE} DESC"
NEXT_NUMBERED = (
    "SELECT position, seq_no FROM documents WHERE number=? AND position>? ORDER BY position LIMIT 1"
)


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


def from_every_index(
    searcher: Searcher, ask: Callable[[Searcher], Found], query: Any, nothing: Found
) -> Found:
    """What is asked of all views. Where some of them fail, Elasticsearch answers from the others.

    Those in which nothing matches may not fail there: it passes over some of them before it asks them. Where
    there is none, a pattern names no index: no shard is asked, so none finds fault with what it is asked.

    Args:
        searcher: Has the views.
        ask: Asks them, some or all.
        query: What is looked for.
        nothing: What is told where there is none.

    Raises:
        SearchError: All of them fail.
        ElasticError: 400: some of them fail.
    """
    if not searcher.views:
        return nothing
    try:
        return ask(searcher)
    except SearchError as error:
        for view in searcher.views if searcher.shards > 1 else ():
            alone = replace(searcher, views=(view,))
            try:
                ask(alone)
            except SearchError:
                if not alone.finds_nothing(query):
                    continue
            raise unsupported(
                f"an answer from some indices where others fail (in [{error.index}]: {error.reason})"
            ) from error
        raise


def check_window(last: int, views: tuple[View, ...], indices: ReadOnly[str, Index]) -> None:
    """Refuse a page that ends behind the result window of an index.

    Raises:
        ElasticError: 400.
    """
    limit = min(window_of(indices[view.name]) for view in views)
    if last > limit:
        raise SearchError(
            400,
            "illegal_argument_exception",
            f"Result window is too large, from + size must be less than or equal to: [{limit}] "
            f"but was [{last}]. "
            "See the scroll api for a more efficient way to request large data sets. This limit can "
            "be set by changing "
            "the [index.max_result_window] index level setting.",
        )


def window_of(index: Index) -> int:
    """How deep a search may page into an index."""
    return int(index.settings.get("index.max_result_window", WINDOW_MAX))


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

    @property
    def shards(self) -> int:
        """How many shards Elasticsearch would ask."""
        return sum(self.indices[view.name].shards for view in self.views)

    def read_nowhere(self, queries: Iterable[Any]) -> None:
        """Read queries as they are read before any shard is asked, where none is.

        Raises:
            ElasticError: 400 for one that cannot be read.
        """
        for query in queries if not self.views else ():
            with suppress(SearchError):
                compile_query(query, Scope(NOWHERE, self.now_ms))

    def finds_nothing(self, query: Any) -> bool:
        """Whether a query that can be read matches no document."""
        try:
            return not self.count(query, 1)
        except SearchError:
            return False

    def count(self, query: Any, limit: int | None = None) -> int:
        """How many documents match; it may stop counting in each view at a limit."""
        return sum(self.count_view(view, self.matcher(query, view), limit) for view in self.views)

    def aggregate(self, request: Request, typed: bool) -> Json:
        """The answers of the request's aggregations over every match, their types before names if asked."""
        if not request.aggregations.named:
            return {}  # a page of a search reads no further than its end
        table = Table(list(request.columns), typed, shards=self.shards)
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
        self, view: View, matcher: Matcher, behind: int, latest_first: bool = False
    ) -> Iterator[tuple[int, int, int, Candidate]]:
        """The matching documents of one view as they were written: position, version, sequence number."""
        rows = self.connection.execute(
            READ_LATEST if latest_first else READ_VISIBLE,
            (view.number, view.position, view.position, behind),
        )
        for position, version, seq_no, document_id, source, ignored in rows:
            candidate = Candidate(document_id, source, ignored, seq_no)
            if matcher(candidate):
                yield position, version, seq_no, candidate

    def search(self, request: Request) -> tuple[list[Hit], int | None]:
        """The page of hits, and how many match as far as that is tracked (None: not at all)."""
        fields = request.sort
        placed = request.after is None or len(request.after) > len(fields)
        if self.tie_break and placed and fields and fields[-1].name != "_shard_doc":
            fields = (*fields, SortField("_shard_doc"))
        self.check_after(request, len(fields))
        for view in self.views:
            self.matcher(request.query, view)  # what is malformed is told before what cannot be ordered
        self.refuse_ranking(request)
        check_alike([bind(fields, self.indices[view.name]) for view in self.views])
        by_place = not fields or self.is_placed(fields[0], request)
        hits = self.page_by_place(request, fields) if by_place else self.page_sorted(request, fields)
        if request.tracked == 0:
            return hits, None
        total = self.count(request.query, None if request.tracked is None else request.tracked + 1)
        return hits, total

    def is_placed(self, field: SortField, request: Request) -> bool:
        """Whether hits ordered by a field come as they were written, or the other way round."""
        if field.descending and (request.after or len(self.views) > 1):
            return False
        return field.name in PLACES or (field.name == SEQ_NO and len(self.views) == 1)

    def place_after(self, request: Request, fields: tuple[SortField, ...]) -> int:
        """The position behind which the page begins."""
        if not request.after:
            return 0
        after = whole_place(request.after[0], fields[0].name)
        if fields[0].name in PLACES:
            return after
        view = self.views[0]
        low, high = 0, view.position
        while low < high:  # both rise with each write, so their order is one
            middle = (low + high) // 2
            row = self.connection.execute(NEXT_NUMBERED, (view.number, middle)).fetchone()
            if row is not None and row[1] <= after:
                low = row[0]
            else:
                high = middle
        return low

    def refuse_ranking(self, request: Request) -> None:
        """Refuse to order several hits by how well they match, which this server does not know.

        Raises:
            ElasticError: 400.
        """
        if request.sort or not request.size:
            return
        for view in self.views:
            self.matcher(request.query, view)  # what is malformed is refused as such
            if is_ranked(request.query, Scope(self.indices[view.name], self.now_ms), self.shards > 1):
                if self.count(request.query, 2) > 1:
                    raise unsupported(
                        "ordering by relevance: give a `sort`, or put the query into a `filter`"
                    )
                return

    def places(self, request: Request) -> list[tuple[int, int]]:
        """Every match in its order, as the number of its view and its position: what a scroll gives."""
        rows: list[tuple[tuple[Key, ...], int, int]] = []
        check_alike([bind(request.sort, self.indices[view.name]) for view in self.views])
        for number, view in enumerate(self.views):
            criteria = tuple(bind(request.sort, self.indices[view.name]))
            for place, _, _, candidate in self.matching(view, self.matcher(request.query, view), 0):
                rows.append((tuple(it.key(candidate, place) for it in criteria), place, number))
        rows.sort(key=itemgetter(1))
        for at in range(len(request.sort) - 1, -1, -1):
            down = request.sort[at].descending
            rows.sort(key=lambda row, at=at: row[0][at], reverse=down)  # type: ignore[misc]
        return [(number, place) for _, place, number in rows]

    def at(self, request: Request, places: Iterable[tuple[int, int]]) -> list[Hit]:
        """The hits at some places of a scroll."""
        bound = [tuple(bind(request.sort, self.indices[view.name])) for view in self.views]
        hits = []
        for number, place in places:
            document_id, version, seq_no, source, ignored = self.connection.execute(
                "SELECT id, version, seq_no, source, ignored FROM documents WHERE position=?", (place,)
            ).fetchone()
            candidate = Candidate(document_id, source, ignored, seq_no)
            keys = tuple(it.key(candidate, place) for it in bound[number])
            hits.append(Hit(self.views[number], place, version, seq_no, candidate, keys, bound[number]))
        return hits

    def check_after(self, request: Request, length: int) -> None:
        """Refuse a `search_after` without a sort, or of another length; without a value, no tie-break."""
        if request.after is None:
            return
        if not request.sort:
            raise SearchError(400, "illegal_argument_exception", "Sort must contain at least one field.")
        if len(request.after) != length:
            reason = f"search_after has {len(request.after)} value(s) but sort has {len(request.sort)}."
            raise SearchError(400, "illegal_argument_exception", reason)

    def page_by_place(self, request: Request, fields: tuple[SortField, ...]) -> list[Hit]:
        """The page when hits come as they were written: read no further than its end, view after view."""
        behind = self.place_after(request, fields)
        latest_first = bool(fields) and fields[0].descending
        hits: list[Hit] = []
        for view in self.views:
            criteria = tuple(bind(fields, self.indices[view.name]))
            found = self.matching(view, self.matcher(request.query, view), behind, latest_first)
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
        hits.sort(key=lambda hit: hit.position, reverse=latest_first)
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
        version, seq_no, source, ignored = self.connection.execute(
            "SELECT version, seq_no, source, ignored FROM documents WHERE position=?", (place,)
        ).fetchone()
        return Hit(
            view, place, version, seq_no, Candidate(document_id, source, ignored, seq_no), keys, criteria
        )


def whole_place(value: Any, name: str) -> int:
    """A place, or the number of a write, that `search_after` names.

    Raises:
        ElasticError: 400 for what none can be.
    """
    if not is_whole(value) or abs(value) > INT_MAX:
        raise unsupported(f"`{spelled(value)}` in `search_after` for `{name}`")
    return int(value)


def hit_as_json(hit: Hit, request: Request) -> Json:
    """One hit of an answer."""
    out: Json = {"_index": hit.view.name, "_id": hit.candidate.id}
    if request.with_version:
        out["_version"] = hit.version
    if request.with_seq_no:
        out |= {"_seq_no": hit.seq_no, "_primary_term": 1}
    out["_score"] = None if request.sort else 1.0
    out |= ignored_as_json(hit.candidate.ignored)
    if request.source.wanted:
        out["_source"] = request.source.apply(hit.candidate)
    if request.sort:
        out["sort"] = [criterion.shown(key) for criterion, key in zip(hit.criteria, hit.keys, strict=True)]
    return out


def hits_as_json(hits: list[Hit], total: int | None, request: Request, as_int: bool, nowhere: bool) -> Json:
    """The `hits` of an answer."""
    out: Json = {}
    if total is not None:
        shown = total_as_json(total, request.tracked)
        out["total"] = shown["value"] if as_int else shown
    elif as_int:
        out["total"] = -1
    listed = [hit_as_json(hit, request) for hit in hits]
    scores = [hit["_score"] for hit in listed if hit["_score"] is not None]
    out["max_score"] = 0.0 if nowhere else max(scores, default=None)
    out["hits"] = listed
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
