"""How far each index is written and seen, and which indices and processes these are."""

from __future__ import annotations

import zlib
from typing import Any
from uuid import uuid4

import orjson

from harness.programs.elastic_lite.api.cluster_api import CLUSTER_NAME, NODE_ID
from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.indices_api import shown_indices
from harness.programs.elastic_lite.api.routes import NO_WAIT, TARGETS, Route, takes
from harness.programs.elastic_lite.language.errors import unsupported
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]
EPHEMERAL_ID = uuid4().hex
"""Another one with each process, as Elasticsearch's nodes have."""

STATS = takes(
    *TARGETS,
    only={"level": ("shards",)},
    inert={
        "forbid_closed_indices": "no index is ever closed",
        "include_segment_file_sizes": "none are shown",
    },
)
STATE = takes(*TARGETS, inert={**NO_WAIT, "flat_settings": "one setting is shown"})
METRICS = frozenset({"metadata", "routing_table", "nodes"})


async def stats(server: Server, call: Call) -> Answer:
    """Sequence numbers and refreshes of each shard.

    Raises:
        ElasticError: 400 for those of whole indices alone.
    """
    if call.parameters.get("level") != "shards":
        raise unsupported("`_stats/refresh` without `level=shards`")
    indices = shown_indices(server, call)
    found = {index.name: {"uuid": index.uuid, "shards": shards_of(server, index)} for index in indices}
    copies = {"total": sum(it.copies for it in indices), "successful": len(indices), "failed": 0}
    return Answer({"_shards": copies, "indices": found})


def shards_of(server: Server, index: Index) -> Json:
    """The one place in which the documents of an index lie, as a shard."""
    # Asked first: a write that is old enough becomes visible by it, as a search would make it.
    server.visibility.view(index)
    written = index.seq_no_next - 1
    return {
        "0": [
            {
                "routing": {"state": "STARTED", "primary": True, "node": NODE_ID, "relocating_node": None},
                "refresh": {"external_total": server.visibility.refreshes(index.number)},
                "seq_no": {
                    "max_seq_no": written,
                    "local_checkpoint": written,
                    "global_checkpoint": written,
                },
            }
        ]
    }


async def cluster_state(server: Server, call: Call) -> Answer:
    """Which indices, shards and processes there are.

    Raises:
        ElasticError: 400 for a part of the state that is not here.
    """
    metrics = set(call.names["metric"].split(","))
    if not metrics <= METRICS:
        raise unsupported(f"`_cluster/state` of `{call.names['metric']}`")
    indices = shown_indices(server, call)
    out: Json = {"cluster_name": CLUSTER_NAME}
    if "nodes" in metrics:
        out["nodes"] = {NODE_ID: {"name": CLUSTER_NAME, "ephemeral_id": EPHEMERAL_ID}}
    if "metadata" in metrics:
        out["metadata"] = {"indices": {index.name: metadata_of(index) for index in indices}}
    if "routing_table" in metrics:
        out["routing_table"] = {"indices": {index.name: routing_of(index) for index in indices}}
    return Answer(out)


def metadata_of(index: Index) -> Json:
    """What an index is declared to be; each version is a checksum of it."""
    settings, mapping = (zlib.crc32(orjson.dumps(it)) for it in (index.settings, index.mapping.body))
    return {
        "version": settings ^ mapping,
        "mapping_version": mapping,
        "settings_version": settings,
        "aliases_version": 1,
        "state": "open",
        "settings": {"index": {"uuid": index.uuid}},
        "primary_terms": {"0": 1},
    }


def routing_of(index: Index) -> Json:
    """Where the documents of an index lie."""
    copy = {"state": "STARTED", "primary": True, "node": NODE_ID, "relocating_node": None, "shard": 0}
    return {"shards": {"0": [{**copy, "index": index.name, "allocation_id": {"id": index.uuid}}]}}


ROUTES = [
    Route(("GET",), "/{index}/_stats/refresh", stats, STATS, None),
    Route(("GET",), "/_cluster/state/{metric}/{index}", cluster_state, STATE, None),
]
