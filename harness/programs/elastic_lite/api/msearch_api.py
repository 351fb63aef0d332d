"""Several searches in one request: each has a line that says where, and a line that is its body.

Source of the rules: Elasticsearch's multi search API reference and an 8.19 server's answers. What cannot be
read fails the whole request; what a search runs into while it is carried out fails that search alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from harness.programs.elastic_lite.api.http import Answer, Call, Server, read_json
from harness.programs.elastic_lite.api.routes import OwnReading, Route, takes
from harness.programs.elastic_lite.api.search_api import ONE_NODE, exact, run_search
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    ReduceError,
    SearchError,
    illegal_argument,
    unsupported,
    validation_failed,
)
from harness.programs.elastic_lite.language.sure_values import is_flag, is_name_or_names, is_text

Json = dict[str, Any]
SEARCHES_MAX = 1_000
ITS_OWN = frozenset({"index_not_found_exception", "cluster_block_exception"})
"""Errors of a search, beside those of its shards, that leave the others alone."""
HEADER = declare(
    "in a search's line of a multi search",
    "index", "ignore_unavailable", "allow_no_indices", "expand_wildcards",
    inert={"preference": ONE_NODE["preference"], "request_cache": "nothing is cached"},
    only={"search_type": ("query_then_fetch",)},
    sure={
        "index": is_name_or_names,
        "ignore_unavailable": is_flag,
        "allow_no_indices": is_flag,
        "expand_wildcards": is_text,
    },
)  # fmt: skip
PARAMETERS = takes(
    "typed_keys",
    "rest_total_hits_as_int",
    inert={
        "max_concurrent_searches": "the searches are carried out one after the other",
        "max_concurrent_shard_requests": ONE_NODE["max_concurrent_shard_requests"],
        "ccs_minimize_roundtrips": ONE_NODE["ccs_minimize_roundtrips"],
        "pre_filter_shard_size": "no shard is passed over",
    },
)


async def multi_search(server: Server, call: Call) -> Answer:
    """Carry out several searches."""
    started = time.monotonic()
    searches = list(searches_of(call))
    if not searches:
        raise validation_failed("no requests added")
    answers = []
    for where, body in searches:
        answers.append(await server.on_thread(partial(answered, server, where, body)))
    return Answer({"took": int((time.monotonic() - started) * 1000), "responses": answers})


def searches_of(call: Call) -> Iterator[tuple[Call, Json]]:
    """Each search: where it looks, as a request of its own, and its body.

    Raises:
        ElasticError: 400 for a body that does not end with its line, or a line that is none of these.
    """
    if not call.body.endswith(b"\n"):
        raise illegal_argument("The msearch request must be terminated by a newline [\\n]")
    lines = [line.removesuffix(b"\r") for line in call.body[:-1].split(b"\n")]
    if len(lines) % 2 or len(lines) > 2 * SEARCHES_MAX:
        raise unsupported(f"a multi search of {len(lines)} lines")
    for at in range(0, len(lines), 2):
        if not lines[at + 1].strip():
            raise unsupported("a search without a body in a multi search")
        yield where_of(call, lines[at]), object_of(lines[at + 1])


def where_of(call: Call, line: bytes) -> Call:
    """A search's first line as the path and the parameters of a request of its own."""
    header = object_of(line) if line.strip() else {}
    HEADER.check(header)
    named = header.pop("index", None)
    listed = ",".join(named) if isinstance(named, list) else named
    names = call.names if listed is None else {"index": str(listed)}
    own = {key: value if isinstance(value, str) else str(value).lower() for key, value in header.items()}
    return Call("POST", names, {**call.parameters, **own}, b"")


def object_of(line: bytes) -> Json:
    """A line as an object.

    Raises:
        ElasticError: 400 for one that is none.
    """
    parsed = read_json(line)
    if not isinstance(parsed, dict):
        raise illegal_argument(f"expected START_OBJECT but found [{token(parsed)}]")
    return parsed


def answered(server: Server, where: Call, body: Json) -> Json:
    """One search's answer, or its error.

    Raises:
        ElasticError: The search cannot be read, or asks for what is not supported.
    """
    as_int = where.flag("rest_total_hits_as_int")
    if as_int:
        body = {**body, "track_total_hits": exact(body.get("track_total_hits"))}
    try:
        return {**run_search(server, where, body, as_int), "status": 200}
    except ElasticError as error:
        if isinstance(error, SearchError | ReduceError) or error.kind in ITS_OWN:
            return error.as_body()
        raise


MSEARCH_BODY = OwnReading("pairs of lines, read by `api/msearch_api.py`; their keys are declared there")
ROUTES = [
    Route(("GET", "POST"), "/_msearch", multi_search, PARAMETERS, MSEARCH_BODY),
    Route(("GET", "POST"), "/{index}/_msearch", multi_search, PARAMETERS, MSEARCH_BODY),
]
