"""Searching over HTTP: search, count, refresh, points in time."""

from __future__ import annotations

import time
from typing import Any

from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import NO_WAIT, OFF, TARGETS, OwnReading, Route, takes
from harness.programs.elastic_lite.api.scroll_api import check_scroll, first_page
from harness.programs.elastic_lite.api.search import (
    Hit,
    Searcher,
    check_window,
    from_every_index,
    hits_as_json,
    missing_views,
    shards_as_json,
)
from harness.programs.elastic_lite.api.search_request import POINT_KEYS, Request, parse_request
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    validation_failed,
)
from harness.programs.elastic_lite.storage.blocks import Level, refuse_blocked
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.database import reading
from harness.programs.elastic_lite.storage.freshness import View

Json = dict[str, Any]
ONE_NODE = {
    "preference": "one node holds the only copy",
    "ignore_throttled": "there are no frozen indices",
    "allow_partial_search_results": "a search here succeeds whole or fails",
    "batched_reduce_size": "there is nothing to reduce in batches",
    "max_concurrent_shard_requests": "the documents lie in one place",
    "ccs_minimize_roundtrips": "there are no other clusters",
}
SEARCH = takes(
    *TARGETS,
    "size", "from", "sort", "_source", "_source_includes", "_source_excludes", "track_total_hits", "version",
    "seq_no_primary_term", "rest_total_hits_as_int", "typed_keys", "scroll",
    inert={
        **ONE_NODE,
        "timeout": "a search here never stops before it is done",
        "request_cache": "nothing is cached",
    },
    only={"search_type": ("query_then_fetch",), "track_scores": OFF, "explain": OFF},
)  # fmt: skip
COUNT = takes(
    *TARGETS,
    inert={key: ONE_NODE[key] for key in ("preference", "ignore_throttled")},
)
REFRESH = takes(*TARGETS, inert=NO_WAIT)
POINT = takes(
    *TARGETS,
    "keep_alive",
    inert={
        key: ONE_NODE[key]
        for key in ("preference", "max_concurrent_shard_requests", "allow_partial_search_results")
    },
)
SEARCH_BODY = OwnReading(
    "read by `api/search_request.py` together with the parameters; its keys are declared there"
)
COUNT_KEYS = declare("in a count request", "query", kind="parsing_exception")
OPEN_POINT_KEYS = declare("in a request that opens a point in time", kind="x_content_parse_exception")
CLOSE_POINT_KEYS = declare("in a request that closes a point in time", "id", kind="x_content_parse_exception")


def readable_indices(server: Server, call: Call) -> list[Index]:
    """The indices that a path names, to be read.

    Raises:
        ElasticError: 403 when one of them may not be.
    """
    indices = target_indices(server, call)
    refuse_blocked(server.catalog, indices, Level.READ)
    return indices


def target_indices(server: Server, call: Call) -> list[Index]:
    """The indices that a path names."""
    return server.catalog.resolve(call.names.get("index", ""), call.targets())


async def search(server: Server, call: Call) -> Answer:
    """Search indices, data streams or a point in time."""
    body = call.json()
    given = body_of_parameters(call)
    if "sort" in given and body.get("sort") is not None:
        own = body["sort"]
        given["sort"] = [*(own if isinstance(own, list) else [own]), *given["sort"]]
    body |= given
    as_int = call.flag("rest_total_hits_as_int")
    if as_int:
        body["track_total_hits"] = exact(body.get("track_total_hits"))
    return Answer(await server.on_thread(lambda: run_search(server, call, body, as_int)))


def exact(tracked: Any) -> bool:
    """What `rest_total_hits_as_int` makes of `track_total_hits`: a plain number is exact, or not there.

    Raises:
        ElasticError: 400 for a bound up to which hits are counted.
    """
    if tracked not in (None, True, False, -1):
        raise illegal_argument(
            "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, "
            f"got {tracked}"
        )
    return tracked is not False


def body_of_parameters(call: Call) -> Json:
    """The parts of a search that stand in the path's parameters; they win over the body."""
    given = call.parameters
    body: Json = {name: number(given[name], name) for name in ("size", "from") if name in given}
    if "sort" in given:
        body["sort"] = [sort_of(part) for part in given["sort"].split(",")]
    for name in ("version", "seq_no_primary_term"):
        if name in given:
            body[name] = call.flag(name)
    if "track_total_hits" in given:
        value = given["track_total_hits"]
        body["track_total_hits"] = (
            value == "true" if value in ("true", "false") else number(value, "track_total_hits")
        )
    return body | source_of_parameters(given)


def source_of_parameters(given: dict[str, str]) -> Json:
    """The `_source` that the parameters ask for."""
    value = given.get("_source")
    if value in ("true", "false"):
        return {"_source": value == "true"}
    include = given.get("_source_includes", value)
    exclude = given.get("_source_excludes")
    if include is None and exclude is None:
        return {}
    return {
        "_source": {
            "includes": include.split(",") if include else [],
            "excludes": exclude.split(",") if exclude else [],
        }
    }


def number(value: str, name: str) -> int:
    """A numeric parameter."""
    try:
        return int(value)
    except ValueError as error:
        raise illegal_argument(f"Failed to parse int parameter [{name}] with value [{value}]") from error


def sort_of(part: str) -> Any:
    """One `field:order` of a sort parameter."""
    name, _, order = part.partition(":")
    return {name: order} if order else name


def run_search(server: Server, call: Call, body: Json, as_int: bool) -> Json:
    """A search on a reading thread."""
    started = time.monotonic()
    request = parse_request(body)
    point = body.get("pit")
    scroll, typed = call.parameters.get("scroll"), call.flag("typed_keys")
    head: Json = {}
    with reading(server.connection()) as connection:
        if point is None:
            readable = readable_indices(server, call)
            indices = {index.name: index for index in readable}
            views = tuple(server.visibility.view(index) for index in readable)
        else:
            views = views_of_point(server, call, point)
            indices = dict(server.catalog.indices)
            head["pit_id"] = point["id"]
        searcher = Searcher(connection, views, indices, now_ms(), point is not None)
        last, query = request.start + request.size, request.query
        searcher.read_nowhere(request.queries)
        from_every_index(searcher, lambda it: check_window(last, it.views, indices), query, None)
        if scroll is None:
            hits, total, found = from_every_index(
                searcher, lambda it: found_by(it, request, typed), query, found_nowhere(request)
            )
        else:
            check_scroll(request, point is not None)
            head["_scroll_id"], hits, total = first_page(server, searcher, request, scroll, as_int)
            found = from_every_index(searcher, lambda it: it.aggregate(request, typed), query, {})
    answer = hits_as_json(hits, total, request, as_int, not views)
    took = int((time.monotonic() - started) * 1000)
    shards = shards_as_json(views, indices)
    tail = {"aggregations": found} if found else {}
    return {**head, "took": took, "timed_out": False, "_shards": shards, "hits": answer, **tail}


def found_by(searcher: Searcher, request: Request, typed: bool) -> tuple[list[Hit], int | None, Json]:
    """The page of hits, how many match, and the answers of the aggregations."""
    hits, total = searcher.search(request)
    return hits, total, searcher.aggregate(request, typed)


def found_nowhere(request: Request) -> tuple[list[Hit], int | None, Json]:
    """The same where there is no index."""
    return [], None if request.tracked == 0 else 0, {}


def now_ms() -> int:
    """The time that `now` means in queries."""
    return time.time_ns() // 1_000_000


def views_of_point(server: Server, call: Call, point: Any) -> tuple[View, ...]:
    """The frozen views of the point in time that a search names.

    Raises:
        ElasticError: 400 for a malformed one, 404 for one that is gone, 503 when its index was deleted.
    """
    if "index" in call.names:
        raise validation_failed(
            "[indices] cannot be used with point in time. Do not specify any index with point in time."
        )
    if not isinstance(point, dict) or not point.get("id"):
        raise illegal_argument("point in time id is not provided")
    POINT_KEYS.check(point)
    keep_alive = point.get("keep_alive")
    if not isinstance(keep_alive, (str, type(None))):
        reason = f"[1:1] [pit] keep_alive doesn't support values of type: {token(keep_alive)}"
        raise ElasticError(400, "x_content_parse_exception", reason)
    point_id = str(point["id"])
    # Where a shard was is asked first, and whether it still knows the point after that.
    gone = missing_views(server.visibility.views_of_gone(point_id), server.catalog.indices)
    if gone is not None:
        raise gone
    views = server.visibility.use_point(point_id, keep_alive).views
    missing = missing_views(views, server.catalog.indices)
    if missing is not None:
        raise missing
    return views


async def count(server: Server, call: Call) -> Answer:
    """Count matching documents."""
    query = call.json().get("query", {"match_all": {}})
    return Answer(await server.on_thread(lambda: run_count(server, call, query)))


def run_count(server: Server, call: Call, query: Any) -> Json:
    """A count on a reading thread."""
    with reading(server.connection()) as connection:
        indices = {index.name: index for index in readable_indices(server, call)}
        views = tuple(server.visibility.view(index) for index in indices.values())
        searcher = Searcher(connection, views, indices, now_ms())
        searcher.read_nowhere([query])
        counted = from_every_index(searcher, lambda it: it.count(query), query, 0)
    return {"count": counted, "_shards": shards_as_json(views, indices)}


async def refresh(server: Server, call: Call) -> Answer:
    """Make everything written so far searchable."""
    indices = target_indices(server, call)
    server.visibility.refresh(index.number for index in indices)
    total = sum(index.copies for index in indices)
    successful = sum(index.shards for index in indices)
    return Answer({"_shards": {"total": total, "successful": successful, "failed": 0}})


async def open_point(server: Server, call: Call) -> Answer:
    """Open a point in time."""
    keep_alive = call.parameters.get("keep_alive")
    if keep_alive is None:
        raise validation_failed("[keep_alive] is not specified")
    call.json()
    indices = readable_indices(server, call)
    point_id = server.visibility.open_point(indices, keep_alive)
    total = sum(index.shards for index in indices)
    shards = {"total": total, "successful": total, "skipped": 0, "failed": 0}
    return Answer({"id": point_id, "_shards": shards})


async def close_point(server: Server, call: Call) -> Answer:
    """Close a point in time."""
    point_id = call.json(required=True).get("id")
    if not point_id:
        raise illegal_argument("search context id is is not provided")
    point = server.visibility.close_point(str(point_id))
    if point is None:
        return Answer({"succeeded": False, "num_freed": 0}, 404)
    return Answer({"succeeded": True, "num_freed": len(point.views)})


ROUTES = [
    Route(("GET", "POST"), "/_search", search, SEARCH, SEARCH_BODY),
    Route(("GET", "POST"), "/{index}/_search", search, SEARCH, SEARCH_BODY),
    Route(("GET", "POST"), "/_count", count, COUNT, COUNT_KEYS),
    Route(("GET", "POST"), "/{index}/_count", count, COUNT, COUNT_KEYS),
    Route(("GET", "POST"), "/_refresh", refresh, REFRESH, None),
    Route(("GET", "POST"), "/{index}/_refresh", refresh, REFRESH, None),
    Route(("POST",), "/{index}/_pit", open_point, POINT, OPEN_POINT_KEYS),
    Route(("DELETE",), "/_pit", close_point, takes(), CLOSE_POINT_KEYS),
]
