"""Scrolling: a search whose hits are fetched page by page, each of them once."""

from __future__ import annotations

import re
import time
from typing import Any

from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import Route, takes
from harness.programs.elastic_lite.api.search import (
    Hit,
    Searcher,
    from_every_index,
    hits_as_json,
    missing_views,
    shards_as_json,
)
from harness.programs.elastic_lite.api.search_request import Request
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    SearchError,
    illegal_argument,
    validation_failed,
)
from harness.programs.elastic_lite.storage.database import reading
from harness.programs.elastic_lite.storage.scrolls import Scroll

Json = dict[str, Any]
ID = re.compile(r"[A-Za-z0-9_-]+={0,2}")


def check_scroll(request: Request, in_point: bool) -> None:
    """Refuse what a search that opens a scroll may not ask for.

    Raises:
        ElasticError: 400 with every reason.
    """
    reasons = []
    if request.tracked == 0:
        reasons.append("disabling [track_total_hits] is not allowed in a scroll context")
    if request.start > 0:
        reasons.append("using [from] is not allowed in a scroll context")
    if request.size == 0:
        reasons.append("[size] cannot be [0] in a scroll context")
    if request.after is not None:
        reasons.append("`search_after` cannot be used in a scroll context.")
    if in_point:
        reasons.append("using [point in time] is not allowed in a scroll context")
    if reasons:
        raise validation_failed(*reasons)


def first_page(
    server: Server, searcher: Searcher, request: Request, keep_alive: str, as_int: bool
) -> tuple[str, list[Hit], int]:
    """Open a scroll: its id, its first hits and how many there are in all."""
    nowhere: list[tuple[int, int]] = []
    places = from_every_index(searcher, lambda it: it.places(request), request.query, nowhere)
    searcher.refuse_ranking(request)
    point_id = server.visibility.hold(searcher.views, keep_alive)
    scroll = Scroll(point_id, request, as_int, places)
    hits = searcher.at(request, scroll.take(request.size))
    return server.scrolls.add(scroll, server.visibility.open_points()), hits, len(places)


async def next_page(server: Server, call: Call) -> Answer:
    """The next hits of a scroll."""
    body = {**call.parameters, **call.names, **call.json()}
    scroll_id = body.get("scroll_id")
    if not isinstance(scroll_id, str) or not scroll_id:
        raise validation_failed("scrollId is missing")
    keep_alive = body.get("scroll")
    return Answer(
        await server.on_thread(
            lambda: run_page(server, call, scroll_id, None if keep_alive is None else str(keep_alive))
        )
    )


def run_page(server: Server, call: Call, scroll_id: str, keep_alive: str | None) -> Json:
    """A page on a reading thread.

    Raises:
        ElasticError: 404 for a scroll that is closed or has expired.
    """
    started = time.monotonic()
    scroll = server.scrolls.find(scroll_id)
    if scroll is None:
        check_id(scroll_id)
        raise gone(scroll_id)
    views = server.visibility.use_point(scroll.point_id, keep_alive).views
    indices = server.catalog.indices
    missing = missing_views(views, indices)
    if missing is not None:
        raise missing
    request: Request = scroll.request
    with reading(server.connection()) as connection:
        searcher = Searcher(connection, views, indices, time.time_ns() // 1_000_000)
        hits = searcher.at(request, scroll.take(request.size))
    as_int = call.flag("rest_total_hits_as_int") or scroll.as_int
    answer = hits_as_json(hits, len(scroll.places), request, as_int, not views)
    took = int((time.monotonic() - started) * 1000)
    head = {"_scroll_id": scroll_id, "took": took, "timed_out": False}
    return {**head, "_shards": shards_as_json(views, indices), "hits": answer}


def check_id(scroll_id: str) -> None:
    """Refuse what no scroll can have for an id.

    Raises:
        ElasticError: 400.
    """
    if not ID.fullmatch(scroll_id):
        raise illegal_argument("Cannot parse scroll id")


def gone(scroll_id: str) -> SearchError:
    """A 404 for a scroll that is not there."""
    reason = f"No search context found for id [{scroll_id}]"
    return SearchError(404, "search_context_missing_exception", reason)


async def close_scrolls(server: Server, call: Call) -> Answer:
    """Close scrolls, those named or all of them."""
    body = {**call.parameters, **call.names, **call.json()}
    named = body.get("scroll_id")
    listed = named if isinstance(named, list) else str(named).split(",") if named else []
    if not listed:
        raise validation_failed("no scroll ids specified")
    for each in listed if listed != ["_all"] else ():
        check_id(str(each))
    wanted = server.scrolls.ids() if listed == ["_all"] else [str(each) for each in listed]
    closed = [scroll for each in wanted if (scroll := server.scrolls.drop(each)) is not None]
    for scroll in closed:
        server.visibility.close_point(scroll.point_id)
    return Answer({"succeeded": True, "num_freed": len(closed)}, 200 if closed or listed == ["_all"] else 404)


PAGE = takes("scroll", "scroll_id", "rest_total_hits_as_int")
CLOSE = takes("scroll_id")
PAGE_KEYS = declare(
    "in a request for the next page of a scroll", "scroll", "scroll_id", kind="x_content_parse_exception"
)
CLOSE_KEYS = declare("in a request that closes scrolls", "scroll_id", kind="x_content_parse_exception")
ROUTES = [
    Route(("GET", "POST"), "/_search/scroll", next_page, PAGE, PAGE_KEYS),
    Route(("GET", "POST"), "/_search/scroll/{scroll_id}", next_page, PAGE, PAGE_KEYS),
    Route(("DELETE",), "/_search/scroll", close_scrolls, CLOSE, CLOSE_KEYS),
    Route(("DELETE",), "/_search/scroll/{scroll_id}", close_scrolls, CLOSE, CLOSE_KEYS),
]
