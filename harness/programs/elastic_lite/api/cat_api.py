"""Indices as a table: as JSON, or as columns of text."""

from __future__ import annotations

from harness.programs.elastic_lite.api.health_api import status_of
from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.indices_api import shown_indices
from harness.programs.elastic_lite.api.routes import NO_WAIT, Route, takes
from harness.programs.elastic_lite.api.search import COUNT_VISIBLE
from harness.programs.elastic_lite.language.errors import unsupported
from harness.programs.elastic_lite.storage.blocks import Level, refuse_blocked
from harness.programs.elastic_lite.storage.catalog import Index

COLUMNS = ("health", "status", "index", "uuid", "pri", "rep", "docs.count", "docs.deleted")
RIGHT = frozenset({"pri", "rep", "docs.count", "docs.deleted"})


async def cat_indices(server: Server, call: Call) -> Answer:
    """A line for each index; columns that tell sizes on disk are not among them."""
    names = columns_of(call.parameters.get("h"))
    rows = await server.on_thread(lambda: [cat_row(server, index) for index in cat_targets(server, call)])
    rows = [{name: row[name] for name in names} for row in rows]
    if call.parameters.get("format") == "json" or "json" in call.accept:
        return Answer(rows)
    header = [{name: name for name in names}] if call.flag("v") else []
    return Answer(as_table([*header, *rows], names))


def columns_of(wanted: str | None) -> list[str]:
    """The columns to show.

    Raises:
        ElasticError: 400 for one that this server does not have.
    """
    names = wanted.split(",") if wanted else list(COLUMNS)
    for name in names:
        if name not in COLUMNS:
            raise unsupported(f"the column `{name}` of `_cat/indices`")
    return names


def as_table(rows: list[dict[str, str]], names: list[str]) -> str:
    """Rows in columns as wide as their longest cell."""
    wide = {name: max((len(row[name]) for row in rows), default=0) for name in names}
    lines = []
    for row in rows:
        cells = [row[it].rjust(wide[it]) if it in RIGHT else row[it].ljust(wide[it]) for it in names]
        lines.append(" ".join(cells).rstrip() + "\n")
    return "".join(lines)


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


CAT = takes(
    "h",
    "v",
    "expand_wildcards",
    inert={
        **NO_WAIT,
        "bytes": "no column tells a size",
        "time": "no column tells a time",
        "include_unloaded_segments": "there are no frozen indices",
    },
    form=("json", "text"),
)
ROUTES = [
    Route(("GET",), "/_cat/indices", cat_indices, CAT, None),
    Route(("GET",), "/_cat/indices/{index}", cat_indices, CAT, None),
]
