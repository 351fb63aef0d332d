"""Making and removing indices and data streams inside a transaction."""

from __future__ import annotations

import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    index_not_found,
    validation_failed,
)
from harness.programs.elastic_lite.language.names import check_index_name
from harness.programs.elastic_lite.mapping.declared import mapping_of
from harness.programs.elastic_lite.mapping.mappings import compile_mapping, merge_mappings
from harness.programs.elastic_lite.storage.blocks import (
    Level,
    refuse_blocked,
    refuse_blocked_cluster,
    refuse_settings_change,
)
from harness.programs.elastic_lite.storage.catalog import Catalog, DataStream, Index, options_of
from harness.programs.elastic_lite.storage.settings import FINAL, index_settings, with_expanded_replicas
from harness.programs.elastic_lite.storage.templates import composed, matching_template
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
CREATE_KEYS = declare(
    "in a request that creates an index",
    "settings",
    "mappings",
    only={"aliases": ("{}", "null")},
    kind="parse_exception",
)
SHARDS_MAX = 1000
TIMESTAMP = "@timestamp"


def create_index(transaction: Transaction, name: str, body: Json) -> Index:
    """Make an index by request.

    Raises:
        ElasticError: 400 for a bad name or body, a name that is taken, or one meant for data streams.
    """
    check_index_name(name)
    refuse_blocked_cluster(transaction.catalog, Level.METADATA_WRITE, f"index [{name}] ")
    CREATE_KEYS.check(body)
    template = matching_template(transaction.catalog, name)
    if template is not None and template[1].get("data_stream") is not None:
        raise illegal_argument(
            f"cannot create index with name [{name}], because it matches with template "
            f"[{template[0]}] that creates "
            "data streams only, use create data stream api instead"
        )
    refuse_existing(transaction, name)
    settings, mapping = composed(transaction.catalog, template[1] if template else {})
    settings = {**settings, **index_settings(body.get("settings"))}
    return add_index(
        transaction, name, settings, merge_mappings(mapping, mapping_of(body.get("mappings")), True)
    )


def refuse_existing(transaction: Transaction, name: str) -> None:
    """A 400 when the name is taken."""
    index = transaction.catalog.indices.get(name)
    if index is not None:
        extra = {"index_uuid": index.uuid, "index": name}
        reason = f"index [{name}/{index.uuid}] already exists"
        raise ElasticError(400, "resource_already_exists_exception", reason, extra)
    if name in transaction.catalog.streams:
        raise illegal_argument(f"data_stream [{name}] already exists")


def add_index(
    transaction: Transaction, name: str, settings: Json, mapping: Json, data_stream: str | None = None
) -> Index:
    """Put an index with everything composed into the catalog."""
    # A number is never given twice, or an old point in time would see a new index.
    now_us = time.time_ns() // 1000
    given = with_expanded_replicas({key: value for key, value in settings.items() if value is not None})
    index = Index(
        number=max(
            now_us, 1 + max((other.number for other in transaction.catalog.indices.values()), default=0)
        ),
        name=name,
        uuid=urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode(),
        created_ms=now_us // 1000,
        settings={"index.number_of_shards": "1", "index.number_of_replicas": "1", **given},
        mapping=compile_mapping(mapping, options_of(settings)),
        data_stream=data_stream,
    )
    refuse_crowd(transaction.catalog, index)
    transaction.catalog = transaction.catalog.with_index(index)
    return index


def refuse_crowd(catalog: Catalog, index: Index) -> None:
    """A 400 when the cluster would hold more shards than its setting allows."""
    limit = int(catalog.setting("cluster.max_shards_per_node", str(SHARDS_MAX)))
    held = sum(other.copies for other in catalog.indices.values())
    if held + index.copies > limit:
        reason = (
            f"this action would add [{index.copies}] shards, but this cluster currently has "
            f"[{held}]/[{limit}] maximum normal shards open"
        )
        raise ElasticError(400, "validation_exception", f"Validation Failed: 1: {reason};")


def auto_create(transaction: Transaction, name: str) -> None:
    """Make the index or data stream that a write to an unknown name asks for.

    Raises:
        ElasticError: 400 for a bad name, 404 when the cluster does not make indices by itself.
    """
    check_index_name(name)
    allowed = transaction.catalog.setting("action.auto_create_index", "true")
    template = matching_template(transaction.catalog, name)
    wished = template is not None and template[1].get("allow_auto_create") in (True, "true")
    if allowed == "false" and not wished:
        extra = {"index_uuid": "_na_", "index": name}
        reason = f"no such index [{name}] and [action.auto_create_index] is [false]"
        raise ElasticError(404, "index_not_found_exception", reason, extra)
    if template is None or template[1].get("data_stream") is None:
        create_index(transaction, name, {})
    else:
        create_stream(transaction, name, template[0])


def create_stream(transaction: Transaction, name: str, template: str) -> DataStream:
    """Make a data stream with its first backing index."""
    refuse_blocked_cluster(transaction.catalog, Level.METADATA_WRITE, f"index [{name}] ")
    refuse_existing(transaction, name)
    stream = DataStream(name, template, 0, ())
    return add_generation(transaction, stream)


def add_generation(transaction: Transaction, stream: DataStream) -> DataStream:
    """Give a data stream its next backing index, which takes the writes from now on."""
    body = transaction.catalog.index_templates[stream.template]
    settings, mapping = composed(transaction.catalog, body)
    mapping = merge_mappings({"properties": {TIMESTAMP: {"type": "date"}}}, mapping, change_types=True)
    name = backing_name(stream.name, stream.generation + 1)
    mapping = {"_data_stream_timestamp": {"enabled": True}, **mapping}
    add_index(transaction, name, {"index.hidden": "true", **settings}, mapping, stream.name)
    grown = replace(stream, generation=stream.generation + 1, backing=(*stream.backing, name))
    transaction.catalog = transaction.catalog.with_stream(grown)
    return grown


def backing_name(stream: str, generation: int) -> str:
    """The name of a backing index made today."""
    return f".ds-{stream}-{datetime.now(UTC):%Y.%m.%d}-{generation:06d}"


def delete_index(transaction: Transaction, index: Index) -> None:
    """Remove an index and its documents.

    Raises:
        ElasticError: 400 for the write index of a data stream.
    """
    stream = transaction.catalog.streams.get(index.data_stream or "")
    if stream is not None:
        if stream.write_index == index.name:
            raise illegal_argument(
                f"index [{index.name}] is the write index for data stream [{stream.name}] and cannot "
                "be deleted"
            )
        rest = tuple(name for name in stream.backing if name != index.name)
        transaction.catalog = transaction.catalog.with_stream(replace(stream, backing=rest))
    drop_rows(transaction, index)


def drop_rows(transaction: Transaction, index: Index) -> None:
    """Remove an index from the catalog and its rows from the file."""
    indices = {name: other for name, other in transaction.catalog.indices.items() if name != index.name}
    transaction.catalog = replace(transaction.catalog, indices=indices)
    transaction.connection.execute("DELETE FROM documents WHERE number=?", (index.number,))


def delete_stream(transaction: Transaction, name: str) -> None:
    """Remove a data stream and all its backing indices.

    Raises:
        ElasticError: 404 when there is none of that name.
    """
    stream = transaction.catalog.streams.get(name)
    if stream is None:
        raise index_not_found(name)
    indices = [transaction.catalog.indices[backing] for backing in stream.backing]
    refuse_blocked(transaction.catalog, indices, Level.METADATA_WRITE, deleting=True)
    for index in indices:
        drop_rows(transaction, index)
    streams = {other: body for other, body in transaction.catalog.streams.items() if other != name}
    transaction.catalog = replace(transaction.catalog, streams=streams)


def put_mapping(transaction: Transaction, indices: list[Index], body: Json) -> None:
    """Add fields to indices.

    Raises:
        ElasticError: 400 when a field would change its type, 403 when an index is blocked.
    """
    refuse_blocked(transaction.catalog, indices, Level.METADATA_WRITE)
    for index in indices:
        merged = merge_mappings(index.mapping.body, mapping_of(body))
        mapping = compile_mapping(merged, index.mapping.options)
        transaction.catalog = transaction.catalog.with_index(replace(index, mapping=mapping))


def put_settings(transaction: Transaction, indices: list[Index], body: Json) -> None:
    """Change settings of open indices; null takes one back to its default.

    Raises:
        ElasticError: 400 for one that only a new index can have, 403 when an index is blocked.
    """
    changes = index_settings(body.get("settings", body))
    if not changes:
        raise validation_failed("no settings to update")
    refuse_settings_change(transaction.catalog, indices, changes)
    for index in indices:
        final = sorted(FINAL & changes.keys())
        if final:
            raise illegal_argument(
                f"Can't update non dynamic settings [[{', '.join(final)}]] for open indices "  # noqa: S608 - no SQL
                f"[[{index.name}/{index.uuid}]] unless the `reopen` query parameter is set to true. "
                "Alternatively, close the indices, apply the settings changes, and reopen the indices"
            )
        merged = with_expanded_replicas(
            {name: value for name, value in {**index.settings, **changes}.items() if value is not None}
        )
        options = options_of(merged)
        mapping = replace(index.mapping, options=options)
        transaction.catalog = transaction.catalog.with_index(replace(index, settings=merged, mapping=mapping))
