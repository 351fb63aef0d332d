"""Aggregations that give numbers: min, max, avg, sum, value_count, stats, cardinality, percentiles.

Percentiles interpolate between neighbours, as Elasticsearch's digest does for as few values as it keeps all
of; cardinality is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.aggregations.columns import Row, Table, x_content_error
from harness.programs.elastic_lite.aggregations.tree import Aggregation, Definition, NoOrderError
from harness.programs.elastic_lite.language.errors import ElasticError, illegal_argument

Json = dict[str, Any]
PERCENTS = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
NO_NUMBER = {"min": math.inf, "max": -math.inf, "avg": math.nan}
"""What an empty bucket is ordered by."""


def mean(values: list[float]) -> float:
    """The mean, summed without rounding on the way."""
    return math.fsum(values) / len(values)


NUMBERS_OF: dict[str, Callable[[list[float]], float | None]] = {
    "min": lambda values: float(min(values)) if values else None,
    "max": lambda values: float(max(values)) if values else None,
    "avg": lambda values: mean(values) if values else None,
    "sum": math.fsum,
}


@dataclass(frozen=True, slots=True)
class SingleNumber:
    """Min, max, avg or sum."""

    kind: str
    column: int

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return self.kind

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The number, and how the field spells it."""
        value = NUMBERS_OF[self.kind](table.values(self.column, rows))
        out: Json = {"value": value}
        if value is not None and (shown := table.shown(self.column, value)) is not None:
            out["value_as_string"] = shown
        return out

    def sort_value(self, answer: Json, key: str) -> float:
        """The number."""
        return only_value(self.kind, answer, key)


@dataclass(frozen=True, slots=True)
class Counted:
    """value_count or cardinality."""

    kind: str
    column: int

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return self.kind

    def answer(self, rows: list[Row], table: Table) -> Json:
        """How many values there are, or how many different ones."""
        values = table.values(self.column, rows)
        return {"value": len(values) if self.kind == "value_count" else len(set(values))}

    def sort_value(self, answer: Json, key: str) -> float:
        """The count."""
        return only_value(self.kind, answer, key)


def only_value(kind: str, answer: Json, key: str) -> float:
    """The number of an aggregation that has one alone."""
    if key not in ("", "value"):
        why = f"A [{kind}] has one value: use [value] as key or none, not [{key}]"
        raise NoOrderError(why)
    value = answer["value"]
    return NO_NUMBER[kind] if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Stats:
    """Count, min, max, avg and sum at once."""

    column: int

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return "stats"

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The five numbers, and how the field spells the last four where it has values."""
        values = table.values(self.column, rows)
        numbers = {kind: NUMBERS_OF[kind](values) for kind in ("min", "max", "avg", "sum")}
        out: Json = {"count": len(values), **numbers}
        if not values:
            return out
        leaf = table.leaves[self.column]
        for kind, value in numbers.items():
            shown: str | bool | None = table.shown(self.column, value or 0)
            if leaf is not None and leaf.kind == "boolean":
                shown = bool(value)  # here, and only here, Elasticsearch writes no text
            if shown is not None:
                out[f"{kind}_as_string"] = shown
        return out

    def sort_value(self, answer: Json, key: str) -> float:
        """The number named by the key."""
        if not key:
            raise NoOrderError(
                key, "Missing value key in [null] which refers to a multi-value metric aggregation"
            )
        if key not in ("count", "min", "max", "avg", "sum"):
            raise NoOrderError(f"No statistic is named [{key}]")
        value = answer[key]
        return NO_NUMBER[key] if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Values below which given shares of all values lie."""

    column: int
    percents: tuple[float, ...]
    keyed: bool

    def type_name(self, table: Table) -> str:
        """The type with the algorithm that Elasticsearch uses."""
        return "tdigest_percentiles"

    def answer(self, rows: list[Row], table: Table) -> Json:
        """A value for each percent, under its name or in a list."""
        values = sorted(table.values(self.column, rows))
        found = [(percent, percentile(values, percent)) for percent in self.percents]
        if not self.keyed:
            return {"values": [self.listed(percent, value, table) for percent, value in found]}
        out: Json = {}
        for percent, value in found:
            out[str(percent)] = value
            if value is not None and (shown := table.shown(self.column, value)) is not None:
                out[f"{percent}_as_string"] = shown
        return {"values": out}

    def listed(self, percent: float, value: float | None, table: Table) -> Json:
        """One percent as an element of a list."""
        out: Json = {"key": percent, "value": value}
        if value is not None and (shown := table.shown(self.column, value)) is not None:
            out["value_as_string"] = shown
        return out

    def sort_value(self, answer: Json, key: str) -> float:
        """The value of the percent named by the key."""
        values = answer["values"]
        named = values if self.keyed else {str(it["key"]): it["value"] for it in values}
        try:
            value = named[str(float(key))]
        except (KeyError, ValueError) as error:
            raise NoOrderError(f"No percentile is named [{key}]") from error
        return math.nan if value is None else float(value)


def percentile(ordered: list[float], percent: float) -> float | None:
    """The value at a percent of ordered values, between two neighbours in proportion; None of none."""
    if not ordered:
        return None
    place = percent / 100 * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    share = place - low
    return ordered[low] + (ordered[high] - ordered[low]) * share


def build_single(definition: Definition) -> Aggregation:
    """Min, max, avg or sum of a field."""
    return SingleNumber(definition.kind, definition.field_column(numeric=True))


def build_value_count(definition: Definition) -> Aggregation:
    """How many values a field has."""
    return Counted(definition.kind, definition.field_column(numeric=False))


def build_cardinality(definition: Definition) -> Aggregation:
    """How many different values a field has; the precision asked for is always kept."""
    definition.integer("precision_threshold", 3000, 0, "precisionThreshold")
    return Counted(definition.kind, definition.field_column(numeric=False))


def build_stats(definition: Definition) -> Aggregation:
    """Five numbers of a field."""
    return Stats(definition.field_column(numeric=True))


def build_percentiles(definition: Definition) -> Aggregation:
    """Percentiles of a field."""
    return Percentiles(
        definition.field_column(numeric=True), percents_of(definition), definition.flag("keyed", default=True)
    )


def percents_of(definition: Definition) -> tuple[float, ...]:
    """The percents asked for, in order.

    Raises:
        ElasticError: 400 for none, or one that is no number from 0 to 100.
    """
    given = definition.body.get("percents", PERCENTS)
    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    try:
        percents = sorted(float(value) for value in listed)
    except (TypeError, ValueError) as error:
        why = ElasticError(400, "number_format_exception", f'For input string: "{given}"')
        raise x_content_error("[percentiles] failed to parse field [percents]", why) from error
    wrong = [percent for percent in percents if not 0 <= percent <= 100]
    if wrong or not percents:
        reason = f"percent must be in [0,100], got [{wrong[0]}]" if wrong else "[percents] must not be empty"
        told = "Failed to build [percentiles] after last required field arrived"
        cause = illegal_argument(f"{reason}: [{definition.name}]").as_cause()
        raise ElasticError(400, "x_content_parse_exception", told, cause=cause)
    return tuple(percents)
