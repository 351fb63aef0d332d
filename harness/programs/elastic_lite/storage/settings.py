"""Settings in their two spellings: nested objects, and flat dotted names with text values."""

from __future__ import annotations

from typing import Any

from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import illegal_argument, parse_error

Json = dict[str, Any]

FINAL = frozenset(
    {"index.number_of_shards", "index.codec", "index.mode", "index.sort.field", "index.sort.order"}
)
KNOWN_PREFIXES = (
    "index.number_of_",
    "index.refresh_interval",
    "index.hidden",
    "index.mapping.",
    "index.codec",
    "index.mode",
    "index.sort.",
    "index.lifecycle.",
    "index.translog.",
    "index.max_",
    "index.query.",
    "index.routing",
    "index.auto_expand_replicas",
    "index.merge.",
    "index.analysis.",
    "index.default_pipeline",
    "index.final_pipeline",
    "index.gc_deletes",
    "index.priority",
    "index.search.",
    "index.unassigned.",
    "index.indexing.",
    "index.soft_deletes.",
    "index.store.",
)


BLOCKS = frozenset(
    f"index.blocks.{name}" for name in ("read", "write", "metadata", "read_only", "read_only_allow_delete")
)


def flatten(nested: Json, prefix: str = "") -> Json:
    """Dotted names with text values; null stays null (it means: back to the default)."""
    flat: Json = {}
    for name, value in nested.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            flat |= flatten(value, f"{path}.")
        else:
            flat[path] = as_text(value)
    return flat


def as_text(value: Any) -> Any:
    """A setting's value as Elasticsearch shows it: text, or a list of texts."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return [as_text(element) for element in value]
    return value if value is None else str(value)


def unflatten(flat: Json) -> Json:
    """Nested objects from dotted names."""
    nested: Json = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        here = nested
        for name in parents:
            here = here.setdefault(name, {})
            if not isinstance(here, dict):
                raise illegal_argument(f"setting [{path}] is both a value and a group")
        here[last] = value
    return nested


def index_settings(body: Any) -> Json:
    """An index's settings from a request, flat and each under `index.`.

    Raises:
        ElasticError: 400 for a setting that no index has.
    """
    if body is not None and not isinstance(body, dict):
        raise parse_error("key [settings] must be an object")
    flat = {
        name if name.startswith("index.") else f"index.{name}": value
        for name, value in flatten(body or {}).items()
    }
    for name in flat:
        if not name.startswith(KNOWN_PREFIXES) and name not in BLOCKS:
            raise illegal_argument(
                f"unknown setting [{name}] please check that any required plugins are installed, or "
                "check the "
                "breaking changes documentation for removed settings"
            )
    check_values(flat)
    return flat


def check_boolean(value: Any) -> None:
    """Refuse a value of a setting that is on or off; null takes it back to its default.

    Raises:
        ElasticError: 400 for any other.
    """
    if value not in (None, "true", "false"):
        raise illegal_argument(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")


def check_values(flat: Json) -> None:
    """Refuse values that this server would stumble over later.

    Raises:
        ElasticError: 400 that names the setting.
    """
    for name in BLOCKS & flat.keys():
        check_boolean(flat[name])
    seconds(str(flat.get("index.refresh_interval") or "-1"), "index.refresh_interval")
    for name, least in (("index.number_of_shards", 1), ("index.number_of_replicas", 0)):
        value = flat.get(name)
        if value is None:
            continue
        if not str(value).isdigit():
            raise illegal_argument(f"Failed to parse value [{value}] for setting [{name}]")
        if int(value) < least:
            raise illegal_argument(f"Failed to parse value [{value}] for setting [{name}] must be >= {least}")
