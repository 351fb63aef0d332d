"""The cluster over HTTP: health, nodes, settings, who this server is."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from typing import Any

from harness.programs.elastic_lite.api.http import VERSION, Answer, Call, Server
from harness.programs.elastic_lite.api.indices_api import shown_indices
from harness.programs.elastic_lite.api.routes import TARGETS, Route
from harness.programs.elastic_lite.api.search import COUNT_VISIBLE
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import ElasticError, illegal_argument, validation_failed
from harness.programs.elastic_lite.storage.blocks import (
    CLUSTER_SETTINGS,
    Level,
    refuse_blocked,
    refuse_cluster_settings_change,
)
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.settings import check_boolean, flatten, unflatten
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
CLUSTER_NAME = "elastic_lite"
HEALTH = TARGETS | {
    "level", "wait_for_status", "wait_for_nodes", "wait_for_active_shards", "wait_for_no_relocating_shards",
    "wait_for_no_initializing_shards", "wait_for_events",
}  # fmt: skip
POLL_SECONDS = 0.05
RANKS = {"red": 0, "yellow": 1, "green": 2}
KNOWN_PREFIXES = (
    "action.",
    "cluster.",
    "indices.",
    "search.",
    "logger.",
    "ingest.",
    "node.",
    "http.",
    "xpack.",
)


async def info(server: Server, call: Call) -> Answer:
    """Name and version."""
    return Answer(
        {
            "name": CLUSTER_NAME,
            "cluster_name": CLUSTER_NAME,
            "cluster_uuid": "elastic_lite-0000000000",
            "version": {
                "number": VERSION,
                "build_flavor": "default",
                "build_type": "elastic_lite",
                "build_snapshot": False,
                "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            },
            "tagline": "You Know, for Search",
        }
    )


async def health(server: Server, call: Call) -> Answer:
    """Health of all or some indices, waiting for a status as long as the timeout allows."""
    wanted = call.parameters.get("wait_for_status", "red")
    if wanted not in RANKS:
        raise illegal_argument(f"unknown cluster health status [{wanted}]")
    timeout_seconds = seconds(call.parameters.get("timeout", "30s"), "timeout")
    deadline = server.visibility.clock() + timeout_seconds
    missing = missing_target(server, call)
    while RANKS[status_of(targets(server, call), missing)] < RANKS[wanted] or missing:
        if server.visibility.clock() >= deadline:
            return Answer({**health_body(targets(server, call), missing), "timed_out": True}, 408)
        await asyncio.sleep(POLL_SECONDS)
        missing = missing_target(server, call)
    return Answer(health_body(targets(server, call), False))


def missing_target(server: Server, call: Call) -> bool:
    """Whether the request names an index that does not exist: health waits for it."""
    names = call.names.get("index", "").split(",")
    return any(
        name and "*" not in name and not server.catalog.resolve(name, ignore_unavailable=True)
        for name in names
    )


def targets(server: Server, call: Call) -> list[Index]:
    """The indices whose health is asked for."""
    if "index" not in call.names:
        return list(server.catalog.indices.values())
    return server.catalog.resolve(call.names["index"], ignore_unavailable=True)


def status_of(indices: list[Index], missing: bool) -> str:
    """Green, yellow where replicas have no second node to lie on, red where an index is missing."""
    if missing:
        return "red"
    return "yellow" if any(index.copies > index.shards for index in indices) else "green"


def health_body(indices: list[Index], missing: bool) -> Json:
    """The health answer."""
    active = sum(index.shards for index in indices)
    copies = sum(index.copies for index in indices)
    return {
        "cluster_name": CLUSTER_NAME,
        "status": status_of(indices, missing),
        "timed_out": False,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": active,
        "active_shards": active,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": copies - active,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": 100.0 * active / copies if copies else 100.0,
    }


async def nodes(server: Server, call: Call) -> Answer:
    """The one node."""
    node = {
        "name": socket.gethostname(),
        "transport_address": "127.0.0.1:0",
        "host": "127.0.0.1",
        "ip": "127.0.0.1",
        "version": VERSION,
        "build_flavor": "default",
        "build_type": "elastic_lite",
        "roles": ["data", "ingest", "master"],
        "process": {"id": os.getpid()},
    }
    totals = {"total": 1, "successful": 1, "failed": 0}
    return Answer({"_nodes": totals, "cluster_name": CLUSTER_NAME, "nodes": {"elastic_lite-node-0000": node}})


async def get_cluster_settings(server: Server, call: Call) -> Answer:
    """Show cluster settings."""
    shape = (lambda flat: flat) if call.flag("flat_settings") else unflatten
    kept = server.catalog.cluster_settings
    return Answer({scope: shape(dict(kept.get(scope, {}))) for scope in ("persistent", "transient")})


async def put_cluster_settings(server: Server, call: Call) -> Answer:
    """Change cluster settings; null takes one back to its default. Transient ones are kept as well."""
    body = call.json(required=True)
    changes = {scope: settings_in(body, scope) for scope in ("persistent", "transient")}
    if not any(changes.values()):
        raise validation_failed("no settings to update")
    for scope, flat in changes.items():
        check_cluster_settings(scope, flat)

    def work(transaction: Transaction) -> None:
        given = [pair for flat in changes.values() for pair in flat.items()]
        refuse_cluster_settings_change(transaction.catalog, given)
        kept = transaction.catalog.cluster_settings
        merged = {
            scope: {
                name: value for name, value in {**kept.get(scope, {}), **flat}.items() if value is not None
            }
            for scope, flat in changes.items()
        }
        transaction.catalog = replace(transaction.catalog, cluster_settings=merged)

    await server.write(work)
    shown = {
        scope: unflatten({name: value for name, value in flat.items() if value is not None})
        for scope, flat in changes.items()
    }
    return Answer({"acknowledged": True, **shown})


def settings_in(body: Json, scope: str) -> Json:
    """The flat settings of one scope of a request.

    Raises:
        ElasticError: 400 for what is no object.
    """
    given = body.get(scope)
    if given is not None and not isinstance(given, dict):
        reason = (
            f"[1:1] [cluster_update_settings_request] {scope} doesn't support values of type: {token(given)}"
        )
        raise ElasticError(400, "x_content_parse_exception", reason)
    return flatten(given or {})


def check_cluster_settings(scope: str, flat: Json) -> None:
    """Refuse settings that no cluster has, and blocks that are neither up nor down.

    Raises:
        ElasticError: 400.
    """
    for name, value in flat.items():
        block = name.startswith("cluster.blocks.")
        if not name.startswith(KNOWN_PREFIXES) or (block and name not in CLUSTER_SETTINGS):
            raise illegal_argument(f"{scope} setting [{name}], not recognized")
        if block:
            check_boolean(value)


async def cat_indices(server: Server, call: Call) -> Answer:
    """A line for each index: as JSON, or as columns of text."""
    rows = await server.on_thread(lambda: [cat_row(server, index) for index in cat_targets(server, call)])
    columns = call.parameters.get("h")
    if columns:
        rows = [{name: row[name] for name in columns.split(",") if name in row} for row in rows]
    if call.parameters.get("format") == "json":
        return Answer(rows)
    return Answer("".join(" ".join(row.values()) + "\n" for row in rows))


def cat_targets(server: Server, call: Call) -> list[Index]:
    """The indices to list: all of them, hidden ones too, unless the path names some."""
    if "index" not in call.names:
        everything = list(server.catalog.indices.values())
        refuse_blocked(server.catalog, everything, Level.METADATA_READ)
        return everything
    return shown_indices(server, call)


def cat_row(server: Server, index: Index) -> dict[str, str]:
    """One index's line; documents are counted as a search sees them."""
    view = server.visibility.view(index)
    counted = server.connection().execute(
        COUNT_VISIBLE,
        (view.number, view.position, view.position),
    )
    return {
        "health": status_of([index], False),
        "status": "open",
        "index": index.name,
        "uuid": index.uuid,
        "pri": str(index.shards),
        "rep": str(index.copies // index.shards - 1),
        "docs.count": str(counted.fetchone()[0]),
        "docs.deleted": "0",
    }


ROUTES = [
    Route(("GET", "HEAD"), "/", info),
    Route(("GET",), "/_cluster/health", health, HEALTH),
    Route(("GET",), "/_cluster/health/{index}", health, HEALTH),
    Route(("GET",), "/_nodes", nodes, TARGETS | {"flat_settings"}),
    Route(("GET",), "/_nodes/{node}", nodes, TARGETS | {"flat_settings"}),
    Route(("GET",), "/_nodes/{node}/{metric}", nodes, TARGETS | {"flat_settings"}),
    Route(
        ("GET",), "/_cluster/settings", get_cluster_settings, TARGETS | {"flat_settings", "include_defaults"}
    ),
    Route(("PUT",), "/_cluster/settings", put_cluster_settings, TARGETS | {"flat_settings"}),
    Route(
        ("GET",), "/_cat/indices", cat_indices, TARGETS | {"h", "s", "v", "bytes", "health", "pri", "time"}
    ),
    Route(
        ("GET",),
        "/_cat/indices/{index}",
        cat_indices,
        TARGETS | {"h", "s", "v", "bytes", "health", "pri", "time"},
    ),
]
