"""Which types fields have in some indices, and whether they can be searched and aggregated."""

from __future__ import annotations

from typing import Any

from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import TARGETS, Route, takes
from harness.programs.elastic_lite.api.search_api import readable_indices
from harness.programs.elastic_lite.language.errors import unsupported, validation_failed
from harness.programs.elastic_lite.mapping.field_types import NUMBERS, TEXTS, Field
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]
KINDS = NUMBERS | TEXTS | {"keyword", "date", "date_nanos", "boolean", "ip"}
"""Types of which it is known what Elasticsearch says."""
OBJECT = {"type": "object", "metadata_field": False, "searchable": False, "aggregatable": False}


async def field_caps(server: Server, call: Call) -> Answer:
    """Tell of fields, each by its whole name.

    Raises:
        ElasticError: 400 for a pattern, and for types of which this server does not know what to say.
    """
    given = call.parameters.get("fields", "")
    if not given:
        raise validation_failed("no fields specified")
    names = given.split(",")
    if wrong := [name for name in names if "*" in name or name.startswith("_")]:
        raise unsupported(f"`{wrong[0]}` in `fields` of `_field_caps`")
    indices = sorted(readable_indices(server, call), key=lambda index: index.name)
    fields = {name: found for name in names if (found := caps_of(name, indices))}
    # The objects around a field are told with it.
    around = {parent for name in fields for parent in parents_of(name)}
    fields |= {name: {"object": OBJECT} for name in around}
    return Answer({"indices": [index.name for index in indices], "fields": fields})


def caps_of(name: str, indices: list[Index]) -> Json:
    """What is told of one field, by its type; nothing where no index has it."""
    kinds: dict[str, Json] = {}
    for index in indices:
        leaf = index.mapping.leaves.get(name)
        if leaf is None:
            if name in objects_of(index):
                raise unsupported(f"the object `{name}` in `fields` of `_field_caps`")
            continue
        own = caps_of_leaf(leaf)
        known = kinds.setdefault(own["type"], own)
        if known != own or len(kinds) > 1:
            raise unsupported(f"`_field_caps` of `{name}`, which differs between indices")
    return kinds


def objects_of(index: Index) -> set[str]:
    """The objects around the fields of an index."""
    return {parent for name in index.mapping.leaves for parent in parents_of(name)}


def parents_of(name: str) -> set[str]:
    """The objects around a field."""
    parts = name.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


def caps_of_leaf(leaf: Field) -> Json:
    """What is told of a field of one index."""
    if leaf.kind not in KINDS or not leaf.indexed or not (leaf.has_doc_values or leaf.kind in TEXTS):
        raise unsupported(f"`_field_caps` of `{leaf.path}` of type `{leaf.kind}` as it is mapped")
    kind = "text" if leaf.kind == "match_only_text" else leaf.kind
    return {
        "type": kind,
        "metadata_field": False,
        "searchable": True,
        "aggregatable": leaf.kind not in TEXTS,
    }


CAPS = takes(*TARGETS, "fields")
ROUTES = [
    Route(("GET", "POST"), "/_field_caps", field_caps, CAPS, None),
    Route(("GET", "POST"), "/{index}/_field_caps", field_caps, CAPS, None),
]
