"""Indices, templates and data streams over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.programs.elastic_lite.api.http import ACKNOWLEDGED, Answer, Call, Server
from harness.programs.elastic_lite.api.routes import NO_WAIT, OFF, ONE_COPY, TARGETS, OwnReading, Route, takes
from harness.programs.elastic_lite.language.errors import (
    illegal_argument,
    index_not_found,
    invalid_index_name,
    unsupported,
)
from harness.programs.elastic_lite.language.names import matches
from harness.programs.elastic_lite.mapping.mappings import shown_mapping
from harness.programs.elastic_lite.storage.blocks import Level, refuse_blocked
from harness.programs.elastic_lite.storage.catalog import Catalog, DataStream, Index, is_dotted, is_hidden
from harness.programs.elastic_lite.storage.indices import (
    create_index,
    create_stream,
    delete_index,
    delete_stream,
    put_mapping,
    put_settings,
)
from harness.programs.elastic_lite.storage.settings import unflatten
from harness.programs.elastic_lite.storage.targets import Targets, refuse_special
from harness.programs.elastic_lite.storage.templates import matching_template
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
CREATE = takes(inert=NO_WAIT, only={"wait_for_active_shards": ONE_COPY})
SHOW = takes(*TARGETS, "flat_settings", inert=NO_WAIT, human=True, only={"include_defaults": OFF})
SHOW_MAPPING = takes(*TARGETS, inert=NO_WAIT)
CHANGE_MAPPING = takes(*TARGETS, inert=NO_WAIT, only={"write_index_only": OFF})
CHANGE_SETTINGS = takes(
    *TARGETS,
    inert={**NO_WAIT, "flat_settings": "the answer shows no settings"},
    only={"preserve_existing": OFF, "reopen": OFF},
)
DELETE = takes(*TARGETS, inert=NO_WAIT)
RESOLVE = takes(inert=NO_WAIT, only={"expand_wildcards": ("open",)})
SHOW_STREAMS = takes(
    "expand_wildcards", inert=NO_WAIT, human=True, only={"include_defaults": OFF, "verbose": OFF}
)
CHANGE_STREAMS = takes("expand_wildcards", inert=NO_WAIT)
INDEX_BODY = OwnReading("an index is read by `storage/indices.py`, where its keys are declared")
MAPPING_BODY = OwnReading("a mapping is read by `mapping/declared.py`, where its keys are declared")
SETTINGS_BODY = OwnReading("settings are read by `storage/settings.py`, where each is declared")
VERSION_ID = "8536000"
WILDCARDS_REFUSED = "Wildcard expressions or all indices are not allowed"


def shown_indices(server: Server, call: Call) -> list[Index]:
    """The indices of the path, for a request that shows their metadata.

    Raises:
        ElasticError: 403 when that of one of them may not be read.
    """
    indices = named(server, call)
    refuse_blocked(server.catalog, indices, Level.METADATA_READ)
    return indices


def named(server: Server, call: Call) -> list[Index]:
    """The indices of the path, for an administrative request."""
    expression = call.names.get("index", "")
    if expression.startswith("_") and expression != "_all":
        raise invalid_index_name(expression, "must not start with '_'.")
    return server.catalog.resolve(expression, call.targets())


async def put_index(server: Server, call: Call) -> Answer:
    """Make an index."""
    name, body = call.names["index"], call.json()
    await server.write(lambda transaction: create_index(transaction, name, body))
    return Answer({"acknowledged": True, "shards_acknowledged": True, "index": name})


async def get_index(server: Server, call: Call) -> Answer:
    """Show indices whole; a HEAD of this tells whether they exist."""
    flat = call.flag("flat_settings")
    found = {}
    for index in shown_indices(server, call):
        body: Json = {
            "aliases": {},
            "mappings": shown_mapping(index.mapping),
            "settings": settings_of(index, flat),
        }
        if index.data_stream is not None:
            body["data_stream"] = index.data_stream
        found[index.name] = body
    return Answer(found)


def settings_of(index: Index, flat: bool) -> Json:
    """An index's settings, with those that the server gives."""
    settings = {
        **index.settings,
        "index.provided_name": index.name,
        "index.creation_date": str(index.created_ms),
        "index.uuid": index.uuid,
        "index.version.created": VERSION_ID,
    }
    return settings if flat else unflatten(settings)


async def remove_index(server: Server, call: Call) -> Answer:
    """Delete indices by name; patterns only when the cluster setting allows them."""
    expression = call.names["index"]
    strict = server.catalog.setting("action.destructive_requires_name", "true") == "true"
    if strict and (expression == "_all" or "*" in expression):
        raise illegal_argument(WILDCARDS_REFUSED)
    targets = call.targets()

    def work(transaction: Transaction) -> None:
        found = deletable(transaction.catalog, expression, targets)
        refuse_blocked(transaction.catalog, found, Level.METADATA_WRITE, deleting=True)
        for index in found:
            delete_index(transaction, index)

    await server.write(work)
    return ACKNOWLEDGED


def deletable(catalog: Catalog, expression: str, targets: Targets) -> list[Index]:
    """The indices that a delete means: data streams are none.

    Raises:
        ElasticError: 404 for a name that is no index, before anything is deleted.
    """
    found: list[Index] = []
    for part in expression.split(","):
        refuse_special(part)
        if part.startswith("-"):
            raise unsupported(f"the exclusion `{part}` in a deletion")
        if "*" in part or part == "_all":
            pattern = "*" if part == "_all" else part
            fitting = [
                it
                for it in catalog.meant_by(pattern, targets)
                if it.data_stream is None or is_dotted(pattern, it)
            ]
            if not fitting and not targets.allow_no_indices:
                raise index_not_found(part)
            found += fitting
        elif part in catalog.indices or not targets.ignore_unavailable:
            found.append(catalog.concrete(part))
    return found


async def get_mapping(server: Server, call: Call) -> Answer:
    """Show mappings."""
    indices = shown_indices(server, call)
    return Answer({index.name: {"mappings": shown_mapping(index.mapping)} for index in indices})


async def change_mapping(server: Server, call: Call) -> Answer:
    """Add fields."""
    return await _changed(server, call, put_mapping)


async def _changed(
    server: Server, call: Call, change: Callable[[Transaction, list[Index], Json], None]
) -> Answer:
    """Make a change to all the indices that the call names, in one transaction."""
    body = call.json(required=True)
    indices = [index.name for index in named(server, call)]

    def work(transaction: Transaction) -> None:
        change(transaction, [transaction.catalog.concrete(name) for name in indices], body)

    await server.write(work)
    return ACKNOWLEDGED


async def get_settings(server: Server, call: Call) -> Answer:
    """Show settings, all or those whose names fit a pattern."""
    flat = call.flag("flat_settings")
    pattern = call.names.get("name", "*")
    found: Json = {}
    for index in shown_indices(server, call):
        chosen = {
            name: value
            for name, value in settings_of(index, flat=True).items()
            if any(matches(part, name) for part in pattern.split(","))
        }
        if chosen:
            found[index.name] = {"settings": chosen if flat else unflatten(chosen)}
    return Answer(found)


async def change_settings(server: Server, call: Call) -> Answer:
    """Change settings."""
    return await _changed(server, call, put_settings)


async def resolve_index(server: Server, call: Call) -> Answer:
    """Tell what names and patterns mean."""
    catalog = server.catalog
    indices: dict[str, Json] = {}
    streams: dict[str, Json] = {}
    wild = False
    for part in call.names["name"].split(","):
        refuse_special(part)
        if part.startswith("-") and wild:
            raise unsupported(f"the exclusion `{part}` of names to resolve")
        wild = wild or "*" in part
        found = [it for it in catalog.streams.values() if matches(part, it.name)]
        streams |= {stream.name: stream_as_resolved(stream) for stream in found}
        plain = [it for it in catalog.indices.values() if matches(part, it.name)]
        if "*" in part and not part.startswith("."):
            plain = [it for it in plain if not is_hidden(it)]
        if not plain and not found and "*" not in part:
            raise index_not_found(part)
        indices |= {index.name: index_as_resolved(index) for index in plain}
    by_name = {"indices": [indices[name] for name in sorted(indices)], "aliases": []}
    return Answer({**by_name, "data_streams": [streams[name] for name in sorted(streams)]})


def index_as_resolved(index: Index) -> Json:
    """One index as `_resolve` shows it."""
    out: Json = {"name": index.name, "attributes": ["open"]}
    if is_hidden(index):
        out["attributes"] = ["hidden", "open"]
    if index.data_stream is not None:
        out["data_stream"] = index.data_stream
    return out


def stream_as_resolved(stream: DataStream) -> Json:
    """One data stream as `_resolve` shows it."""
    return {"name": stream.name, "backing_indices": list(stream.backing), "timestamp_field": "@timestamp"}


async def get_streams(server: Server, call: Call) -> Answer:
    """Show data streams."""
    pattern = call.names.get("name", "*")
    call.targets()  # no data stream is hidden or closed, so only a malformed parameter matters
    catalog = server.catalog
    found = [
        it
        for name, it in sorted(catalog.streams.items())
        if any(matches(p, name) for p in pattern.split(","))
    ]
    if not found and "*" not in pattern:
        raise index_not_found(pattern)
    return Answer({"data_streams": [stream_as_json(catalog, stream) for stream in found]})


def stream_as_json(catalog: Catalog, stream: DataStream) -> Json:
    """One data stream as `_data_stream` shows it."""
    backing = [{"index_name": name, "index_uuid": catalog.indices[name].uuid} for name in stream.backing]
    return {
        "name": stream.name,
        "timestamp_field": {"name": "@timestamp"},
        "indices": backing,
        "generation": stream.generation,
        "status": "YELLOW",
        "template": stream.template,
        "hidden": False,
        "system": False,
        "replicated": False,
    }


async def put_stream(server: Server, call: Call) -> Answer:
    """Make a data stream."""
    name = call.names["name"]

    def work(transaction: Transaction) -> None:
        template = matching_template(transaction.catalog, name)
        if template is None or template[1].get("data_stream") is None:
            raise illegal_argument(f"no matching index template found for data stream [{name}]")
        create_stream(transaction, name, template[0])

    await server.write(work)
    return ACKNOWLEDGED


async def remove_stream(server: Server, call: Call) -> Answer:
    """Delete data streams with all their documents."""
    pattern = call.names["name"]
    call.targets()

    def work(transaction: Transaction) -> None:
        for part in pattern.split(","):
            names = [name for name in transaction.catalog.streams if matches(part, name)]
            for name in names if "*" in part else [part]:
                delete_stream(transaction, name)

    await server.write(work)
    return ACKNOWLEDGED


ROUTES = [
    Route(("GET", "HEAD"), "/{index}", get_index, SHOW, None),
    Route(("PUT",), "/{index}", put_index, CREATE, INDEX_BODY),
    Route(("DELETE",), "/{index}", remove_index, DELETE, None),
    Route(("GET",), "/_mapping", get_mapping, SHOW_MAPPING, None),
    Route(("GET",), "/{index}/_mapping", get_mapping, SHOW_MAPPING, None),
    Route(("PUT", "POST"), "/{index}/_mapping", change_mapping, CHANGE_MAPPING, MAPPING_BODY),
    Route(("GET",), "/_settings", get_settings, SHOW, None),
    Route(("GET",), "/{index}/_settings", get_settings, SHOW, None),
    Route(("GET",), "/{index}/_settings/{name}", get_settings, SHOW, None),
    Route(("PUT",), "/{index}/_settings", change_settings, CHANGE_SETTINGS, SETTINGS_BODY),
    Route(("GET",), "/_resolve/index/{name}", resolve_index, RESOLVE, None),
    Route(("GET",), "/_data_stream", get_streams, SHOW_STREAMS, None),
    Route(("GET",), "/_data_stream/{name}", get_streams, SHOW_STREAMS, None),
    Route(("PUT",), "/_data_stream/{name}", put_stream, CHANGE_STREAMS, None),
    Route(("DELETE",), "/_data_stream/{name}", remove_stream, CHANGE_STREAMS, None),
]
