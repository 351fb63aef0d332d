"""Mappings as requests declare them: which types and parameters are taken, and dotted names spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.programs.elastic_lite.language.dates import FORMATS
from harness.programs.elastic_lite.language.declarations import Declaration, declare
from harness.programs.elastic_lite.language.errors import ElasticError, parse_error, unsupported

Json = dict[str, Any]
PARSING = "mapper_parsing_exception"
OBJECTS = ("object", "nested")
FLAG = ("true", "false")
FLAGS = frozenset({"index", "doc_values", "coerce", "ignore_malformed", "enabled"})
SCORES = "changes scores only, and searches here do not rank"
STORED = {
    "meta": "a remark on the field",
    "store": "searches here give no stored fields, the source alone",
    "synthetic_source_keep": "the source is always kept as it was sent",
}
SEARCHED = {
    **STORED,
    "similarity": SCORES,
    "norms": SCORES,
    "eager_global_ordinals": "when Elasticsearch loads something into memory",
}
ONE_LANGUAGE = {"locale": ("", "ROOT", "en")}
NO_DIMENSION = {"time_series_dimension": ("false",)}


def field_type(
    kind: str,
    *served: str,
    inert: Mapping[str, str] | None = None,
    only: Mapping[str, tuple[str, ...]] | None = None,
) -> Declaration:
    """The parameters of a field of one type."""
    return declare(
        f"on a field of type `{kind}`", "type", *served, inert=inert or STORED, only=only, kind=PARSING
    )


def number(kind: str, *more: str) -> Declaration:
    """The parameters of a number."""
    return field_type(kind, *LEAF, "coerce", "ignore_malformed", "null_value", *more, only=NO_DIMENSION)


LEAF = ("fields", "copy_to", "index", "doc_values")
TYPES: dict[str, Declaration] = {
    "keyword": field_type(
        "keyword", *LEAF, "ignore_above", "null_value",
        inert={**SEARCHED, "index_options": SCORES},
        only={"split_queries_on_whitespace": ("false",), **NO_DIMENSION},
    ),
    "constant_keyword": field_type("constant_keyword", "value"),
    "wildcard": field_type("wildcard", "fields", "copy_to", "ignore_above", "null_value"),
    "text": field_type(
        "text", "fields", "copy_to", "index",
        inert={
            **SEARCHED,
            "term_vector": "searches here highlight nothing",
            "index_prefixes": "how Elasticsearch finds prefixes fast",
            "index_phrases": "how Elasticsearch finds phrases fast",
        },
        only={
            "analyzer": ("standard", "default"),
            "search_analyzer": ("standard", "default"),
            "search_quote_analyzer": ("standard", "default"),
            "fielddata": ("false",),
            "index_options": ("positions", "offsets"),
            "position_increment_gap": ("100",),
        },
    ),
    "match_only_text": field_type("match_only_text", "fields", "copy_to"),
    **{kind: number(kind) for kind in ("byte", "short", "integer", "long", "unsigned_long")},
    **{kind: number(kind) for kind in ("double", "float", "half_float")},
    "scaled_float": number("scaled_float", "scaling_factor"),
    **{
        kind: field_type(kind, *LEAF, "format", "ignore_malformed", "null_value", only=ONE_LANGUAGE)
        for kind in ("date", "date_nanos")
    },
    **{
        kind: field_type(kind, *LEAF, "ignore_malformed", "null_value", only=NO_DIMENSION)
        for kind in ("boolean", "ip")
    },
    "flattened": field_type(
        "flattened", "index", "doc_values", "ignore_above", "depth_limit", "null_value",
        inert={**SEARCHED, "index_options": SCORES},
        only={"split_queries_on_whitespace": ("false",)},
    ),
    "binary": field_type("binary", only={"doc_values": ("false",)}),
    "geo_point": field_type(
        "geo_point", "index", "doc_values",
        only={"ignore_malformed": ("false",), "ignore_z_value": FLAG},
    ),
    **{kind: field_type(kind) for kind in ("geo_shape", "histogram", "version")},
    "alias": field_type("alias", "path"),
    "object": field_type("object", "properties", "dynamic", "enabled", only={"subobjects": ("true",)}),
    "nested": field_type(
        "nested", "properties", "dynamic", "enabled",
        only={"include_in_parent": ("false",), "include_in_root": ("false",)},
    ),
}  # fmt: skip
ROOT = declare(
    "in a mapping",
    "properties", "dynamic", "date_detection", "numeric_detection", "dynamic_templates", "_source",
    "_routing", "_data_stream_timestamp", "type",
    inert={"_meta": "a remark on the mapping"},
    only={"subobjects": ("true",), "runtime": ("{}",)},
    kind=PARSING,
)  # fmt: skip
METADATA = {
    "_source": declare(
        "in `_source` of a mapping", only={"enabled": ("true",), "mode": ("stored",)}, kind=PARSING
    ),
    "_routing": declare("in `_routing` of a mapping", only={"required": ("false",)}, kind=PARSING),
    "_data_stream_timestamp": declare(
        "in `_data_stream_timestamp`", only={"enabled": ("true",)}, kind=PARSING
    ),
}


def mapping_of(value: Any) -> Json:
    """The mapping of a request, checked, in a shape that can be merged and compiled; none is an empty one.

    Raises:
        ElasticError: 400 where something else stands than an object, a field's type or a number, and for
            whatever is not declared here.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise parse_error("key [mappings] must be an object")
    check_members(value)
    ROOT.check(value)
    for name, declaration in METADATA.items():
        part = value.get(name)
        if part is not None and not isinstance(part, dict):
            raise mapper_error(f"[{name}] config must be an object")
        declaration.check(part or {})
    check_dynamic(value)
    for name, inner in (value.get("properties") or {}).items():
        check_field(name, inner)
    out = dict(value)
    if "properties" in out:
        out["properties"] = spelled_out(out["properties"] or {})
    return out


def check_members(declared: Json) -> None:
    """Refuse members of an object, or multi-fields of a field, that declare nothing."""
    for key in ("properties", "fields"):
        members = declared.get(key) or {}
        if not isinstance(members, dict):
            raise parse_error(f"{key} must be a map type")
        for name, inner in members.items():
            if not isinstance(inner, dict):
                raise mapper_error(f"Expected map for property [{key}] on field [{name}]")
            if not isinstance(inner.get("type", ""), str):
                raise unsupported(f"the field type `{inner['type']}` of `{name}`", PARSING)
            check_limit(inner.get("ignore_above"), name)
            check_members(inner)


def check_limit(value: Any, name: str) -> None:
    """Refuse an `ignore_above` that is no number."""
    try:
        int(0 if value is None else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise mapper_error(f"Failed to parse value [{value}] of [ignore_above] on field [{name}]") from error


def check_field(name: str, declared: Json) -> None:
    """Refuse a field whose type or parameters are not declared, with all that is inside it.

    Raises:
        ElasticError: 400 that names the word and the type.
    """
    kind = declared.get("type", "object")
    known = TYPES.get(kind)
    if known is None:
        raise unsupported(f"the field type `{kind}` of `{name}`", PARSING)
    known.check(declared)
    check_dynamic(declared)
    check_values(name, kind, declared)
    for inner_name, inner in (declared.get("properties") or {}).items():
        check_field(inner_name, inner)
    for inner_name, inner in (declared.get("fields") or {}).items():
        if inner.get("type", "object") in (*OBJECTS, "alias"):
            raise mapper_error(f"Type [{inner.get('type')}] cannot be used in multi field")
        if "copy_to" in inner:
            raise mapper_error(f"copy_to in multi fields is not allowed. Found it in field [{inner_name}]")
        if "." in inner_name:
            raise mapper_error(
                f"Field name [{inner_name}] which is a multi field of [{name}] cannot contain '.'"
            )
        check_field(inner_name, inner)


def check_values(name: str, kind: str, declared: Json) -> None:
    """Refuse values that a parameter cannot have.

    Raises:
        ElasticError: 400 that names the parameter and the field.
    """
    for key, value in declared.items():
        if value is None and key not in ("null_value", "properties", "fields"):
            raise mapper_error(f"[{key}] on mapper [{name}] of type [{kind}] must not have a [null] value")
        if key in FLAGS and value not in (True, False, "true", "false"):
            raise mapper_error(f"Failed to parse value [{value}] of [{key}] on field [{name}]")
    if kind == "scaled_float" and not isinstance(declared.get("scaling_factor"), (int, float)):
        raise mapper_error(f"Field [scaling_factor] is required on field [{name}]")
    if kind == "alias" and not isinstance(declared.get("path"), str):
        raise mapper_error(f"The [path] property must be specified for field [{name}].")
    for date_format in str(declared.get("format", "strict_date")).split("||"):
        if date_format not in FORMATS:
            raise unsupported(f"the date format `{date_format}` of `{name}`", PARSING)


def check_dynamic(declared: Json) -> None:
    """Refuse a `dynamic` that this server does not do.

    Raises:
        ElasticError: 400.
    """
    value = str(declared.get("dynamic", "true")).lower()
    if value not in ("true", "false", "strict"):
        raise unsupported(f"`dynamic` of `{value}` in a mapping", PARSING)


def spelled_out(properties: Json) -> Json:
    """Properties in which no name has a dot: `a.b` is `b` inside the object `a`.

    Raises:
        ElasticError: 400 for a name with nothing between two dots.
    """
    out: Json = {}
    for name, declared in properties.items():
        inner = dict(declared)
        if inner.get("properties"):
            inner["properties"] = spelled_out(inner["properties"])
        first, *rest = name.split(".")
        if not all(part.strip() for part in (first, *rest)):
            if name.rstrip("."):
                raise unsupported(f"a field name with nothing before or behind a dot, as `{name}`", PARSING)
            raise mapper_error(f"field name [{name}] cannot have an empty part")
        for part in reversed(rest):
            inner = {"properties": {part: inner}}
        out[first] = joined(first, out[first], inner) if first in out else inner
    return out


def joined(name: str, one: Json, other: Json) -> Json:
    """Two declarations of one name in one request, both of them objects.

    Raises:
        ElasticError: 400 where one of them is a leaf.
    """
    if one.get("type", "object") not in OBJECTS or other.get("type", "object") not in OBJECTS:
        raise mapper_error(f"the field [{name}] is declared twice")
    both = {**(one.get("properties") or {})}
    for inner, declared in (other.get("properties") or {}).items():
        both[inner] = joined(inner, both[inner], declared) if inner in both else declared
    return {**one, **other, "properties": both}


def mapper_error(reason: str) -> ElasticError:
    """A 400 for a mapping that cannot be parsed."""
    cause = {"type": PARSING, "reason": reason}
    return ElasticError(400, PARSING, f"Failed to parse mapping: {reason}", cause=cause)
