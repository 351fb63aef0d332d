"""The health of the cluster over HTTP, and waiting for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from harness.programs.elastic_lite.api.cluster_api import CLUSTER_NAME
from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import Route, takes
from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import illegal_argument
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.targets import Targets

Json = dict[str, Any]
POLL_SECONDS = 0.05
RANKS = {"red": 0, "yellow": 1, "green": 2}
NODES = re.compile(r"(>=|<=|>|<|ge\(|le\(|gt\(|lt\()?(\d+)\)?")
COMPARED: dict[str, Callable[[int], bool]] = {
    "": lambda wanted: wanted == 1,
    ">=": lambda wanted: wanted <= 1,
    "<=": lambda wanted: wanted >= 1,
    ">": lambda wanted: wanted < 1,
    "<": lambda wanted: wanted > 1,
}
LENIENT = Targets(ignore_unavailable=True, wildcards=frozenset({"all"}))
SPELLED = {"ge(": ">=", "le(": "<=", "gt(": ">", "lt(": "<"}


async def health(server: Server, call: Call) -> Answer:
    """Health of all or some indices, waiting for what is asked as long as the timeout allows."""
    wanted = call.parameters.get("wait_for_status", "red").lower()
    if wanted not in RANKS:
        raise illegal_argument(f"unknown cluster health status [{wanted}]")
    nodes_fit = has_nodes(call.parameters.get("wait_for_nodes"))
    active = call.parameters.get("wait_for_active_shards", "0")
    if active != "all" and not active.isdigit():
        raise illegal_argument(f"cannot parse ActiveShardCount[{active}]")
    timeout_seconds = seconds(call.parameters.get("timeout", "30s"), "timeout")
    deadline = server.visibility.clock() + timeout_seconds
    while True:  # ends with what is waited for, or with the time
        missing = missing_target(server, call)
        indices = targets(server, call)
        ready = nodes_fit and not missing and RANKS[status_of(indices, missing)] >= RANKS[wanted]
        if ready and has_active(indices, active):
            return Answer(health_body(indices, False))
        if server.visibility.clock() >= deadline:
            return Answer({**health_body(indices, missing), "timed_out": True}, 408)
        await asyncio.sleep(POLL_SECONDS)


def has_nodes(wanted: str | None) -> bool:
    """Whether one node is as many as `wait_for_nodes` asks for.

    Raises:
        ElasticError: 400 for a malformed number.
    """
    if wanted is None:
        return True
    found = NODES.fullmatch(wanted)
    if found is None:
        raise illegal_argument(f"cannot parse [wait_for_nodes] of [{wanted}]")
    sign = found[1] or ""
    return COMPARED[SPELLED.get(sign, sign)](int(found[2]))


def has_active(indices: list[Index], wanted: str) -> bool:
    """Whether as many shards are active as asked for; replicas never are."""
    active = sum(index.shards for index in indices)
    return active >= (sum(index.copies for index in indices) if wanted == "all" else int(wanted))


def missing_target(server: Server, call: Call) -> bool:
    """Whether the request names an index that does not exist: health waits for it."""
    names = call.names.get("index", "").split(",")
    missing = False
    for at, name in enumerate(names):
        excluded = name.startswith("-") and any("*" in earlier for earlier in names[:at])
        if name and "*" not in name and not excluded:
            missing = missing or not server.catalog.resolve(name, LENIENT)
    return missing


def targets(server: Server, call: Call) -> list[Index]:
    """The indices whose health is asked for."""
    if "index" not in call.names:
        return list(server.catalog.indices.values())
    return server.catalog.resolve(call.names["index"], LENIENT)


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


HEALTH = takes(
    "wait_for_status",
    "wait_for_nodes",
    "wait_for_active_shards",
    "timeout",
    human=True,
    inert={
        "local": "one node has one state",
        "master_timeout": "there is no other node to wait for",
        "wait_for_no_relocating_shards": "no shard ever moves",
        "wait_for_no_initializing_shards": "a shard is there as soon as its index is",
        "wait_for_events": "nothing is queued",
    },
    only={"level": ("cluster",), "expand_wildcards": ("all", "open,hidden")},
)
ROUTES = [
    Route(("GET",), "/_cluster/health", health, HEALTH, None),
    Route(("GET",), "/_cluster/health/{index}", health, HEALTH, None),
]
