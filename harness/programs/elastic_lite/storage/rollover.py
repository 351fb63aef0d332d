"""Rollover conditions: what a write index must have reached before a data stream gets its next one.

A rollover happens when any `max_*` condition is met and every `min_*` condition is; without conditions at
once. Source: Elasticsearch's rollover API reference and an 8.19 server's answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    parse_error,
    validation_failed,
)

Json = dict[str, Any]
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(b|k|kb|m|mb|g|gb|t|tb|p|pb)")
SIZE_UNITS = ("b", "kb", "mb", "gb", "tb", "pb")
AGE_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))
KEYS = frozenset({"conditions", "settings", "mappings", "aliases"})


@dataclass(frozen=True, slots=True)
class Grown:
    """How far a write index has come: documents that a search finds, their bytes, and its age."""

    documents: int
    size_bytes: int
    age_ms: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: its name, its bound as a number, and how an answer spells that."""

    name: str
    bound: float
    shown: str

    @property
    def label(self) -> str:
        """Its key in an answer."""
        return f"[{self.name}: {self.shown}]"

    def met(self, grown: Grown) -> bool:
        """Whether the index has reached the bound; a least bound is reached in the same way."""
        return MEASURES[kind_of(self.name)](grown) >= self.bound


MEASURES: dict[str, Callable[[Grown], int]] = {
    "docs": lambda grown: grown.documents,
    "primary_shard_docs": lambda grown: grown.documents,
    "size": lambda grown: grown.size_bytes,
    "primary_shard_size": lambda grown: grown.size_bytes,
    "age": lambda grown: grown.age_ms,
}


def kind_of(name: str) -> str:
    """What a condition measures."""
    return name.partition("_")[2]


def due(conditions: Iterable[Condition], grown: Grown) -> bool:
    """Whether conditions ask for a rollover now."""
    listed = list(conditions)
    most = [it for it in listed if it.name.startswith("max_")]
    least = [it for it in listed if it.name.startswith("min_")]
    return not listed or (any(it.met(grown) for it in most) and all(it.met(grown) for it in least))


def parse_rollover(body: Json) -> tuple[Condition, ...]:
    """The conditions of a rollover request.

    Raises:
        ElasticError: 400 for an unknown key or condition, a value that is none, or least bounds alone.
    """
    for key in body:
        if key not in KEYS:
            raise content_error(f"[rollover] unknown field [{key}]")
    given = body.get("conditions", {})
    if not isinstance(given, dict):
        raise content_error(f"[rollover] conditions doesn't support values of type: {token(given)}")
    if any(body.get(key) for key in ("settings", "mappings", "aliases")):
        raise illegal_argument(
            "aliases, mappings, and index settings may not be specified when rolling over a data stream"
        )
    conditions = tuple(condition_of(name, value) for name, value in given.items())
    if conditions and not any(it.name.startswith("max_") for it in conditions):
        raise validation_failed(
            "at least one max_* rollover condition must be set when using min_* conditions"
        )
    return conditions


def condition_of(name: str, value: Any) -> Condition:
    """One condition as the request gives it."""
    kind = kind_of(name)
    if not name.startswith(("max_", "min_")) or kind not in MEASURES:
        raise content_error(f"[rollover_conditions] unknown field [{name}]")
    numeric = kind.endswith("docs")
    lawful = isinstance(value, (int, float, str)) if numeric else isinstance(value, str)
    if not lawful or isinstance(value, bool):
        raise content_error(f"[rollover_conditions] {name} doesn't support values of type: {token(value)}")
    reader = docs_condition if numeric else age_condition if kind == "age" else size_condition
    try:
        return reader(name, value)
    except OverflowError as error:
        raise content_error(f"[rollover_conditions] failed to parse field [{name}]") from error


def docs_condition(name: str, value: Any) -> Condition:
    """A number of documents; a fraction is cut off."""
    try:
        bound = int(float(value)) if isinstance(value, (float, str)) else int(value)
    except ValueError as error:
        raise content_error(f"[rollover_conditions] failed to parse field [{name}]") from error
    return Condition(name, bound, str(bound))


def size_condition(name: str, value: str) -> Condition:
    """A size in bytes, which needs a unit."""
    found = SIZE.fullmatch(value.strip().lower())
    if found is None:
        raise parse_error(
            f"failed to parse setting [{name}] with value [{value}] as a size in bytes: unit is missing or "
            "unrecognized"
        )
    power = SIZE_UNITS.index(found[2] if found[2].endswith("b") else f"{found[2]}b")
    bound = math.floor(float(found[1]) * 1024**power)
    return Condition(name, bound, size_text(bound))


def size_text(size_bytes: int) -> str:
    """A size in the largest unit that it reaches, with at most one decimal."""
    power = next((at for at in range(len(SIZE_UNITS) - 1, 0, -1) if size_bytes >= 1024**at), 0)
    number = math.floor(size_bytes / 1024**power * 10) / 10
    return f"{number:.1f}".removesuffix(".0") + SIZE_UNITS[power]


def age_condition(name: str, value: str) -> Condition:
    """An age, which needs a unit; `-1` is always reached."""
    try:
        bound = seconds(value, name) * 1000
    except ElasticError as error:
        raise content_error(f"[rollover_conditions] failed to parse field [{name}]", error) from error
    if value.strip() == "-1":
        return Condition(name, -1, "-1")
    return Condition(name, bound, age_text(round(bound), value))


def age_text(age_ms: int, given: str) -> str:
    """An age in the largest unit that it reaches; nothing keeps the unit it was given in."""
    for unit_ms, name in AGE_UNITS:
        if age_ms >= unit_ms:
            return f"{math.floor(age_ms / unit_ms * 10) / 10:.1f}".removesuffix(".0") + name
    return given.strip()


def content_error(reason: str, cause: ElasticError | None = None) -> ElasticError:
    """A 400 for a body with what does not belong there."""
    told = None if cause is None else cause.as_cause()
    return ElasticError(400, "x_content_parse_exception", f"[1:1] {reason}", cause=told)
