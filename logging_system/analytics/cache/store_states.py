"""How far each copy of a target's shards is written and visible, and which copies these are.

`max_seq_no` moves when something is written, whoever writes and even where it deletes; a search sees it only
after a refresh. `refresh.external_total` moves when searches see another reader. Both start again with a new
copy, process or index; what names those comes from the cluster's state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

STATS_FILTER = (
    "_shards.failed,indices.*.shards.*.routing,indices.*.shards.*.seq_no,"
    "indices.*.shards.*.refresh.external_total"
)
CLUSTER_FILTER = (
    "nodes.*.ephemeral_id,metadata.indices.*.version,metadata.indices.*.mapping_version,"
    "metadata.indices.*.settings_version,metadata.indices.*.aliases_version,metadata.indices.*.state,"
    "metadata.indices.*.primary_terms,metadata.indices.*.settings.index.uuid,"
    "metadata.data_stream.data_stream_aliases,routing_table.indices.*.shards.*.state,"
    "routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.node,"
    "routing_table.indices.*.shards.*.allocation_id"
)


@dataclass(frozen=True, slots=True)
class CopyState:
    """How far one copy of a shard is.

    Attributes:
        shard: The shard's number.
        node: The node that holds it.
        written: The highest sequence number given; -1 before the first.
        processed: Up to here every operation is in the copy, if not yet seen by searches.
        refreshes: How often searches have got another reader.
    """

    shard: int
    node: str
    written: int
    processed: int
    refreshes: int


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far an index is.

    Attributes:
        copies: All copies of all shards.
        shards: How many shards it has.
    """

    copies: tuple[CopyState, ...]
    shards: int

    @property
    def written(self) -> int:
        """The highest sequence number given in any shard."""
        return max(copy.written for copy in self.copies)

    @property
    def processed(self) -> int:
        """Up to here every operation is in every copy of every shard."""
        return min(copy.processed for copy in self.copies)


@dataclass(frozen=True, slots=True)
class TargetState:
    """How far all indices of a target are.

    Attributes:
        definition: Which indices, shards and processes these are, and what they are declared to be; whatever
            changes here ends all that is known.
        indices: By name.
    """

    definition: bytes
    indices: Mapping[str, IndexState]


def target_state(stats: Mapping[str, Any], cluster: Mapping[str, Any]) -> TargetState | None:
    """Return how far a target is; None where a copy does not tell, so that nothing follows from the others.

    Args:
        stats: The answer to `GET /<target>/_stats/refresh?level=shards`, filtered by `STATS_FILTER`.
        cluster: That to `GET /_cluster/state/metadata,routing_table,nodes/<target>`, by `CLUSTER_FILTER`.
    """
    if stats.get("_shards", {}).get("failed", 1):
        return None
    tables = cluster.get("routing_table", {}).get("indices", {})
    told = stats.get("indices", {})
    if set(tables) != set(told):
        return None
    indices = {}
    for name in sorted(told):
        state = _index_state(told[name].get("shards", {}), tables[name].get("shards", {}))
        if state is None:
            return None
        indices[name] = state
    return TargetState(orjson.dumps(cluster, option=orjson.OPT_SORT_KEYS), indices)


def _index_state(told: Mapping[str, Any], table: Mapping[str, Any]) -> IndexState | None:
    if not table or set(told) != set(table):
        return None
    copies = []
    for number, listed in table.items():
        started = {each.get("node") for each in listed if each.get("state") == "STARTED"}
        found = [_copy_state(number, each) for each in told[number]]
        if not started or started != {copy.node for copy in found if copy} or None in found:
            return None
        copies += [copy for copy in found if copy]
    return IndexState(tuple(sorted(copies, key=lambda it: (it.shard, it.node))), len(table))


def _copy_state(number: str, told: Mapping[str, Any]) -> CopyState | None:
    try:
        return CopyState(
            int(number),
            str(told["routing"]["node"]),
            int(told["seq_no"]["max_seq_no"]),
            int(told["seq_no"]["local_checkpoint"]),
            int(told["refresh"]["external_total"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
