"""How many documents indices hold and how many bytes they take, or how far each is written and seen."""

from __future__ import annotations

from typing import Any

from harness.programs.elastic_lite.api.health_api import status_of
from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.indices_api import shown_indices
from harness.programs.elastic_lite.api.routes import TARGETS, Route, takes
from harness.programs.elastic_lite.api.search import VISIBLE
from harness.programs.elastic_lite.api.search_api import readable_indices
from harness.programs.elastic_lite.api.states_api import shards_of
from harness.programs.elastic_lite.language.errors import unsupported
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.database import reading

Json = dict[str, Any]
SIZE_METRICS = frozenset({"docs", "store"})
STATS = takes(
    *TARGETS,
    human=True,
    only={"level": ("shards",)},
    inert={
        "forbid_closed_indices": "no index is ever closed",
        "include_segment_file_sizes": "none are shown",
    },
)
# Put together from this constant alone; values are always bound.
SIZES = f"SELECT COUNT(*), TOTAL(LENGTH(source)) FROM documents WHERE {VISIBLE}"  # noqa: S608


async def stats(server: Server, call: Call) -> Answer:
    """Tell documents and bytes of indices, or sequence numbers and refreshes of each shard.

    Raises:
        ElasticError: 400 for anything else.
    """
    metrics, by_shard = set(call.names["metric"].split(",")), call.parameters.get("level") == "shards"
    if metrics == {"refresh"} and by_shard:
        return states(server, call)
    if metrics == SIZE_METRICS and not by_shard:
        return await sizes(server, call)
    raise unsupported(
        f"`_stats/{call.names['metric']}` here; ask for docs,store, or for refresh with level=shards"
    )


def states(server: Server, call: Call) -> Answer:
    """Tell how far each shard is written and seen."""
    indices = shown_indices(server, call)
    found = {index.name: {"uuid": index.uuid, "shards": shards_of(server, index)} for index in indices}
    copies = {"total": sum(it.copies for it in indices), "successful": len(indices), "failed": 0}
    return Answer({"_shards": copies, "indices": found})


async def sizes(server: Server, call: Call) -> Answer:
    """Tell documents and bytes; the bytes are those of the documents, as one file holds all indices."""
    indices = readable_indices(server, call)
    found = await server.on_thread(lambda: {index.name: sizes_of(server, index) for index in indices})
    total = sum(index.copies for index in indices)
    shards = sum(index.shards for index in indices)
    everything = [sum(each) for each in zip(*found.values(), strict=True)] or [0, 0]
    return Answer(
        {
            "_shards": {"total": total, "successful": shards, "failed": 0},
            "_all": as_json(everything[0], everything[1], shards),
            "indices": {
                index.name: {
                    "uuid": index.uuid,
                    "health": status_of([index], False),
                    "status": "open",
                    **as_json(*found[index.name], index.shards),
                }
                for index in indices
            },
        }
    )


def sizes_of(server: Server, index: Index) -> tuple[int, int]:
    """The documents of an index that a search sees, and their bytes."""
    view = server.visibility.view(index)
    with reading(server.connection()) as connection:
        row = connection.execute(SIZES, (view.number, view.position, view.position)).fetchone()
    return int(row[0]), int(row[1])


def as_json(count: int, size_bytes: int, shards: int) -> Json:
    """What is told of an index, or of all; there are no copies beside the first."""
    own = {
        "docs": {"count": count, "deleted": 0, "total_size_in_bytes": size_bytes},
        "shard_stats": {"total_count": shards},
        "store": {
            "size_in_bytes": size_bytes,
            "total_data_set_size_in_bytes": size_bytes,
            "reserved_in_bytes": 0,
        },
    }
    return {"primaries": own, "total": own}


ROUTES = [
    Route(("GET",), "/{index}/_stats/{metric}", stats, STATS, None),
]
