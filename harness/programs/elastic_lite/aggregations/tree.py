"""The nouns of aggregations: what one is, several with their names, and a definition being read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from harness.programs.elastic_lite.aggregations.columns import (
    Column,
    FieldColumn,
    Row,
    Table,
    x_content_error,
)
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.errors import ReduceError, illegal_argument, unsupported
from harness.programs.elastic_lite.language.sure_values import INT_MAX

Json = dict[str, Any]


class NoOrderError(Exception):
    """An aggregation has no number that buckets could be ordered by; the text says why."""


class Aggregation(Protocol):
    """One aggregation, ready to be computed."""

    def type_name(self, table: Table) -> str:
        """Its type as `typed_keys` spells it."""
        ...

    def answer(self, rows: list[Row], table: Table) -> Json:
        """Its answer over some of a table's rows.

        Raises:
            ElasticError: 400 when it makes too many buckets or is to be ordered by what has no order.
        """
        ...

    def sort_value(self, answer: Json, key: str) -> float:
        """The number in its answer that buckets around it are ordered by; NaN comes last.

        Raises:
            NoOrderError: there is no such number.
        """
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """An aggregation with its name and what the request wants to be repeated with it."""

    name: str
    aggregation: Aggregation
    meta: Json | None = None


@dataclass(frozen=True, slots=True)
class Aggregations:
    """Aggregations side by side."""

    named: tuple[Named, ...] = ()

    def answers(self, rows: list[Row], table: Table) -> Json:
        """Each one's answer under its name."""
        return {
            self.key(it, table): (
                it.aggregation.answer(rows, table)
                if it.meta is None
                else {"meta": it.meta, **it.aggregation.answer(rows, table)}
            )
            for it in self.named
        }

    def key(self, named: Named, table: Table) -> str:
        """The name under which an answer stands."""
        return f"{named.aggregation.type_name(table)}#{named.name}" if table.typed else named.name

    def sort_value(self, answers: Json, path: str, table: Table) -> float:
        """The number under a path such as `name` or `name.avg`.

        Raises:
            ElasticError: 400 when the path leads to no number.
        """
        name, _, key = path.partition(".")
        for it in self.named:
            if it.name == name:
                try:
                    return it.aggregation.sort_value(answers[self.key(it, table)], key)
                except NoOrderError as error:
                    raise bad_order(path, str(error)) from error
        raise bad_order(path, f"Cannot find aggregation named [{name}]")


def bad_order(path: str, why: str) -> ReduceError:
    """A 400 for an order by what cannot be ordered by."""
    return ReduceError("illegal_argument_exception", f"Invalid aggregation order path [{path}]. {why}")


@dataclass(frozen=True, slots=True)
class Definition:
    """One aggregation as the request defines it.

    Args:
        name: Its name.
        kind: Its type.
        body: Its parameters.
        columns: What all aggregations of the request read; parsing one adds to it.
        inner: The aggregations inside it.
    """

    name: str
    kind: str
    body: Json
    columns: list[Column]
    inner: Aggregations

    def add(self, column: Column) -> int:
        """The place of a column, shared where two aggregations ask the same."""
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)

    def field_column(self, numeric: bool) -> int:
        """The column of the aggregation's field.

        Raises:
            ElasticError: 400 when it names none.
        """
        if "field" not in self.body:
            raise illegal_argument("Required one of fields [field, script], but none were specified.")
        name = self.body["field"]
        if not isinstance(name, str):
            raise x_content_error(f"[{self.kind}] field doesn't support values of type: {token(name)}")
        missing = self.body.get("missing")
        if isinstance(missing, (dict, list)):
            raise x_content_error(f"[{self.kind}] missing doesn't support values of type: {token(missing)}")
        return self.add(FieldColumn(name, self.kind, numeric, missing))

    def integer(self, key: str, default: int, least: int, spelling: str = "") -> int:
        """A whole-number parameter; a text or a fraction is read as Elasticsearch does.

        Raises:
            ElasticError: 400 when it is no number or too small.
        """
        value = self.body.get(key, default)
        if not isinstance(value, (int, float, str)) or isinstance(value, bool):
            raise x_content_error(f"[{self.kind}] {key} doesn't support values of type: {token(value)}")
        failed = f"[{self.kind}] failed to parse field [{key}]"
        try:
            number = int(float(value))
        except (ValueError, OverflowError) as error:
            raise x_content_error(failed, illegal_argument(f'For input string: "{value}"')) from error
        if number > INT_MAX:
            raise unsupported(f"`{key}` of `{value}` in a [{self.kind}] aggregation")
        if number < least:
            bound = "greater than 0" if least else "greater than or equal to 0"
            why = f"[{spelling or key}] must be {bound}. Found [{number}] in [{self.name}]"
            raise x_content_error(failed, illegal_argument(why))
        return number

    def flag(self, key: str, default: bool = False) -> bool:
        """A boolean parameter.

        Raises:
            ElasticError: 400 for another value.
        """
        value = self.body.get(key, default)
        if value not in (True, False, "true", "false"):
            raise x_content_error(f"[{self.kind}] {key} doesn't support values of type: {token(value)}")
        return value in (True, "true")
