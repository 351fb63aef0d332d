"""Index and component templates: which one a new index gets, and what they declare together."""

from __future__ import annotations

from typing import Any

import orjson

from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import Declaration, declare
from harness.programs.elastic_lite.language.errors import ElasticError, illegal_argument, validation_failed
from harness.programs.elastic_lite.language.names import matches, overlap
from harness.programs.elastic_lite.mapping.declared import mapping_of
from harness.programs.elastic_lite.mapping.mappings import compile_mapping, merge_mappings
from harness.programs.elastic_lite.storage.catalog import Catalog
from harness.programs.elastic_lite.storage.settings import index_settings, unflatten

Json = dict[str, Any]
LONG_MAX = 2**63 - 1
CONTENT = "x_content_parse_exception"
REMARKS = {
    "version": "a number for whoever manages the template",
    "_meta": "a remark on the template",
    "deprecated": "a warning in a header",
}
INDEX_KEYS = declare(
    "in an index template",
    "index_patterns",
    "template",
    "composed_of",
    "priority",
    "data_stream",
    "ignore_missing_component_templates",
    inert=REMARKS,
    only={"allow_auto_create": ("true", "null")},
    kind=CONTENT,
)
COMPONENT_KEYS = declare("in a component template", "template", inert=REMARKS, kind=CONTENT)
TEMPLATE_KEYS = declare(
    "in the `template` of a template", "settings", "mappings", only={"aliases": ("{}", "null")}, kind=CONTENT
)
STREAM_KEYS = declare(
    "in `data_stream` of an index template",
    only={"hidden": ("false",), "allow_custom_routing": ("false",)},
    kind=CONTENT,
)


def matching_template(catalog: Catalog, name: str) -> tuple[str, Json] | None:
    """The template of highest priority whose patterns fit an index's name."""
    fitting = [
        (int(body.get("priority") or 0), template, body)
        for template, body in catalog.index_templates.items()
        if any(matches(pattern, name) for pattern in body["index_patterns"])
    ]
    if not fitting:
        return None
    _, template, body = max(fitting, key=lambda found: found[0])
    return template, body


def composed(catalog: Catalog, body: Json) -> tuple[Json, Json]:
    """The flat settings and the mapping of a template: its components in order, then its own part."""
    settings: Json = {}
    mapping: Json = {}
    parts = [catalog.component_templates.get(name, {}) for name in body.get("composed_of") or []]
    for part in [*parts, body]:
        template = part.get("template") or {}
        settings |= index_settings(template.get("settings"))
        mapping = merge_mappings(mapping, mapping_of(template.get("mappings")), change_types=True)
    return settings, mapping


def normal_index_template(catalog: Catalog, name: str, body: Json) -> Json:
    """An index template as it is kept, checked against the ones that exist.

    Raises:
        ElasticError: 400 for a bad name, an unknown key, no pattern, a missing component, or a clash of
            priorities.
    """
    if name.startswith("_"):
        # So that a request meant for an interface missing here, like `_simulate`, stores no template.
        why = "Validation Failed: 1: name must not start with '_';"
        kind = "invalid_index_template_exception"
        raise ElasticError(400, kind, f"index_template [{name}] invalid, cause [{why}]")
    refuse_unknown(body, INDEX_KEYS, "index_template")
    if "index_patterns" not in body:
        raise illegal_argument("Required [index_patterns]")
    patterns = texts_of(body, "index_patterns")
    if not patterns:
        raise illegal_argument("There must be at least one pattern, zero given")
    kept: Json = {"index_patterns": patterns}
    if "template" in body:
        kept["template"] = normal_template_part(body["template"])
    kept["composed_of"] = texts_of(body, "composed_of")
    lenient = set(texts_of(body, "ignore_missing_component_templates"))
    absent = [
        part
        for part in kept["composed_of"]
        if part not in catalog.component_templates and part not in lenient
    ]
    if absent:
        why = f"index template [{name}] specifies component templates [{', '.join(absent)}] that do not exist"
        kind = "invalid_index_template_exception"
        raise ElasticError(400, kind, f"index_template [{name}] invalid, cause [{why}]")
    kept |= {
        key: body[key]
        for key in body
        if key not in ("index_patterns", "template", "composed_of", "data_stream")
    }
    check_priority(body.get("priority"))
    stream = body.get("data_stream")
    if stream is not None:
        if not isinstance(stream, dict):
            raise unreadable("data_stream", stream)
        STREAM_KEYS.check(stream)
        kept["data_stream"] = {"hidden": False, "allow_custom_routing": False, **stream}
    refuse_clash(catalog, name, kept)
    compile_mapping(composed(catalog, kept)[1])
    return kept


def normal_component_template(body: Json) -> Json:
    """A component template as it is kept.

    Raises:
        ElasticError: 400 for an unknown key, no template, or a mapping that cannot be parsed.
    """
    refuse_unknown(body, COMPONENT_KEYS, "component_template")
    if "template" not in body:
        raise illegal_argument("Required [template]")
    return {**body, "template": normal_template_part(body["template"])}


def normal_template_part(part: Json) -> Json:
    """The `template` of either kind, its settings nested with text values as Elasticsearch shows them."""
    refuse_unknown(part, TEMPLATE_KEYS, "template")
    kept = dict(part)
    if "settings" in part:
        kept["settings"] = unflatten(index_settings(part["settings"]))
    compile_mapping(mapping_of(part.get("mappings")))
    return kept


def texts_of(body: Json, key: str) -> list[str]:
    """One text or several of a template; none where nothing is given.

    Raises:
        ElasticError: 400 for anything else.
    """
    value = body.get(key)
    listed = value if isinstance(value, list) else [] if value is None else [value]
    if isinstance(value, (bool, int, float)) or any(
        isinstance(it, (dict, list, type(None))) for it in listed
    ):
        raise unreadable(key, value)
    return [it if isinstance(it, str) else orjson.dumps(it).decode() for it in listed]


def check_priority(value: Any) -> None:
    """A 400 for a priority that is no whole number."""
    try:
        readable = not isinstance(value, bool) and abs(int(0 if value is None else value)) <= LONG_MAX
    except (TypeError, ValueError, OverflowError):
        readable = False
    if not readable:
        raise unreadable("priority", value)
    if value is not None and int(value) < 0:
        raise validation_failed("index template priority must be >= 0")


def unreadable(key: str, value: Any) -> ElasticError:
    """A 400 for a value of a type that a template has no use for."""
    reason = f"[1:1] [index_template] {key} doesn't support values of type: {token(value)}"
    return ElasticError(400, "x_content_parse_exception", reason)


def refuse_unknown(body: Any, known: Declaration, where: str) -> None:
    """A 400 for a key that this kind of template does not take."""
    if not isinstance(body, dict):
        raise ElasticError(400, CONTENT, f"[1:1] [{where}] expected START_OBJECT")
    known.check(body)


def refuse_clash(catalog: Catalog, name: str, kept: Json) -> None:
    """A 400 when another template of the same priority could fit the same index."""
    priority = int(kept.get("priority") or 0)
    clashes = {
        other: body["index_patterns"]
        for other, body in catalog.index_templates.items()
        if other != name
        and int(body.get("priority") or 0) == priority
        and any(overlap(mine, theirs) for mine in kept["index_patterns"] for theirs in body["index_patterns"])
    }
    if not clashes:
        return
    shown = ", ".join(f"{other} => [{', '.join(patterns)}]" for other, patterns in clashes.items())
    raise illegal_argument(
        f"index template [{name}] has index patterns [{', '.join(kept['index_patterns'])}] matching "
        "patterns from "
        f"existing templates [{','.join(clashes)}] with patterns ({shown}) that have the same "
        f"priority [{priority}], "
        "multiple index templates may not match during index creation, please use a different priority"
    )


def template_in_use(catalog: Catalog, name: str) -> list[str]:
    """The data streams that an index template has made and still serves."""
    return sorted(stream.name for stream in catalog.streams.values() if stream.template == name)
