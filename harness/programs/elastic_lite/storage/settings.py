"""Settings in their two spellings: nested objects, and flat dotted names with text values."""

from __future__ import annotations

import re
from typing import Any

from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import illegal_argument, parse_error

Json = dict[str, Any]

FINAL = frozenset({"index.number_of_shards", "index.codec", "index.mode", "index.mapping.coerce"})
ALLOCATION = "one node has nowhere else to put a shard"
DISK = "how Elasticsearch lays out its files"
SYNCED = "every write here is synced to disk before it is answered"
WHEN = "when Elasticsearch does what is done at once here"
UNUSED = "a limit of what is refused here anyway"
BLOCKS = frozenset(
    f"index.blocks.{name}" for name in ("read", "write", "metadata", "read_only", "read_only_allow_delete")
)


BOOLEANS = frozenset({"index.hidden", "index.mapping.ignore_malformed", "index.mapping.coerce"})
LIMITS = (("index.max_result_window", 1), ("index.mapping.total_fields.limit", 0))
EXPANDING = re.compile(r"\d+-(\d+|all)")
SETTINGS = declare(
    "as an index setting",
    "index.number_of_shards", "index.number_of_replicas", "index.auto_expand_replicas",
    "index.refresh_interval", "index.hidden", "index.max_result_window", "index.mapping.ignore_malformed",
    "index.mapping.coerce", "index.mapping.total_fields.limit", *sorted(BLOCKS),
    inert={
        "index.codec": DISK,
        "index.store.type": DISK,
        "index.number_of_routing_shards": "shards are not split here",
        "index.lifecycle.name": "nothing is rolled over or deleted by itself here",
        "index.lifecycle.rollover_alias": "nothing is rolled over by itself here",
        "index.lifecycle.prefer_ilm": "nothing is rolled over by itself here",
        "index.lifecycle.parse_origination_date": "nothing is deleted by itself here",
        "index.translog.durability": SYNCED,
        "index.translog.sync_interval": SYNCED,
        "index.translog.flush_threshold_size": SYNCED,
        "index.query.default_field": "queries that name no field are refused",
        "index.routing.allocation.include._tier_preference": ALLOCATION,
        "index.routing.allocation.total_shards_per_node": ALLOCATION,
        "index.unassigned.node_left.delayed_timeout": ALLOCATION,
        "index.priority": "nothing is recovered in an order",
        "index.search.idle.after": WHEN,
        "index.soft_deletes.enabled": DISK,
        "index.soft_deletes.retention_lease.period": DISK,
        "index.merge.policy.max_merged_segment": DISK,
        "index.merge.scheduler.max_thread_count": DISK,
        "index.max_inner_result_window": UNUSED,
        "index.max_docvalue_fields_search": UNUSED,
        "index.max_script_fields": UNUSED,
        "index.max_ngram_diff": UNUSED,
        "index.max_shingle_diff": UNUSED,
        "index.highlight.max_analyzed_offset": UNUSED,
    },
    only={
        "index.mode": ("standard",),
        "index.mapping.source.mode": ("stored",),
        "index.mapping.depth.limit": ("20",),
        "index.mapping.nested_fields.limit": ("50", "100"),
        "index.mapping.total_fields.ignore_dynamic_beyond_limit": ("false",),
        "index.default_pipeline": ("_none",),
        "index.final_pipeline": ("_none",),
    },
)  # fmt: skip


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
    SETTINGS.check({name: value for name, value in flat.items() if not is_inert(name, value)})
    check_values(flat)
    return flat


def is_inert(name: str, value: Any) -> bool:
    """Whether a setting is taken back to its default, or belongs to the slow logs, which are no answers."""
    return (value is None and name in SETTINGS.words) or ".slowlog." in name


def with_expanded_replicas(flat: Json) -> Json:
    """Settings with the number of replicas that `auto_expand_replicas` gives on one node: the lower bound."""
    expanding = str(flat.get("index.auto_expand_replicas", "false"))
    if expanding == "false":
        return flat
    return {**flat, "index.number_of_replicas": expanding.partition("-")[0]}


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
    for name in (BLOCKS | BOOLEANS) & flat.keys():
        check_boolean(flat[name])
    expanding = flat.get("index.auto_expand_replicas")
    if expanding not in (None, "false") and not EXPANDING.fullmatch(str(expanding)):
        raise illegal_argument(f"failed to parse [index.auto_expand_replicas] from value: [{expanding}]")
    seconds(str(flat.get("index.refresh_interval") or "-1"), "index.refresh_interval")
    for name, least in (("index.number_of_shards", 1), ("index.number_of_replicas", 0), *LIMITS):
        value = flat.get(name)
        if value is None:
            continue
        if not str(value).isdigit():
            raise illegal_argument(f"Failed to parse value [{value}] for setting [{name}]")
        if int(value) < least:
            raise illegal_argument(f"Failed to parse value [{value}] for setting [{name}] must be >= {least}")
