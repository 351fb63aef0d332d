"""Rolling a data stream over, over HTTP."""

from __future__ import annotations

import time
from typing import Any

from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import NO_WAIT, OFF, ONE_COPY, OwnReading, Route, takes
from harness.programs.elastic_lite.api.search import VISIBLE
from harness.programs.elastic_lite.language.errors import ElasticError, illegal_argument
from harness.programs.elastic_lite.storage.blocks import Level, refuse_blocked
from harness.programs.elastic_lite.storage.catalog import DataStream, Index
from harness.programs.elastic_lite.storage.indices import add_generation, backing_name
from harness.programs.elastic_lite.storage.rollover import Grown, due, parse_rollover
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
MEASURE = f"SELECT COUNT(*), COALESCE(SUM(LENGTH(source)), 0) FROM documents WHERE {VISIBLE}"  # noqa: S608
# What an index without documents weighs in Elasticsearch, for conditions on size.
EMPTY_BYTES = 225


async def rollover(server: Server, call: Call) -> Answer:
    """Give a data stream its next backing index, where conditions ask for it and it is no dry run."""
    conditions = parse_rollover(call.json())
    stream = target_stream(server, call.names["index"])
    index = server.catalog.indices[stream.write_index]
    refuse_blocked(server.catalog, [index], Level.METADATA_WRITE)
    grown = await server.on_thread(lambda: measure(server, index))
    dry = call.flag("dry_run")
    new = None
    if not dry and due(conditions, grown):
        new = await server.write(lambda it: roll(it, stream, conditional=bool(conditions)))
    rolled = new is not None
    return Answer(
        {
            "acknowledged": rolled,
            "shards_acknowledged": rolled,
            "old_index": stream.write_index if new is None else new.backing[-2],
            "new_index": backing_name(stream.name, stream.generation + 1) if new is None else new.write_index,
            "rolled_over": rolled,
            "dry_run": dry,
            "lazy": False,
            "conditions": {condition.label: condition.met(grown) for condition in conditions},
        }
    )


def target_stream(server: Server, name: str) -> DataStream:
    """The data stream of a name.

    Raises:
        ElasticError: 400 for an index, 404 for nothing.
    """
    if name in server.catalog.indices:
        raise illegal_argument(
            "rollover target is a [concrete index] but one of [alias,data_stream] was expected"
        )
    stream = server.catalog.streams.get(name)
    if stream is None:
        raise missing_target(name)
    return stream


def measure(server: Server, index: Index) -> Grown:
    """How far an index has come, as a search sees it."""
    view = server.visibility.view(index)
    row = server.connection().execute(MEASURE, (view.number, view.position, view.position)).fetchone()
    age_ms = time.time_ns() // 1_000_000 - index.created_ms
    return Grown(int(row[0]), EMPTY_BYTES + int(row[1]), age_ms)


def roll(transaction: Transaction, stream: DataStream, conditional: bool) -> DataStream | None:
    """Roll a stream over; None when it had conditions and another rollover came first.

    Raises:
        ElasticError: 403 when its write index is blocked, 404 when the stream is gone.
    """
    latest = transaction.catalog.streams.get(stream.name)
    if latest is None:
        raise missing_target(stream.name)
    if conditional and latest.generation != stream.generation:
        return None
    write_index = transaction.catalog.indices[latest.write_index]
    refuse_blocked(transaction.catalog, [write_index], Level.METADATA_WRITE)
    return add_generation(transaction, latest)


def missing_target(name: str) -> ElasticError:
    """A 404 for a name that can be nobody's target."""
    return ElasticError(404, "resource_not_found_exception", f"rollover target [{name}] does not exist")


async def rollover_to_name(server: Server, call: Call) -> Answer:
    """Refuse a name for the next index, which only an alias could take."""
    target_stream(server, call.names["index"])
    raise illegal_argument("new index name may not be specified when rolling over a data stream")


PARAMETERS = takes("dry_run", inert=NO_WAIT, only={"wait_for_active_shards": ONE_COPY, "lazy": OFF})
BODY = OwnReading("conditions are read by `storage/rollover.py`, which refuses every other key")
ROUTES = [
    Route(("POST",), "/{index}/_rollover", rollover, PARAMETERS, BODY),
    Route(("POST",), "/{index}/_rollover/{new_index}", rollover_to_name, PARAMETERS, BODY),
]
