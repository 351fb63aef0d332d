"""Which records a rule looks at: level, logger, fields and text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from logging_system.alerting.facts import Labels
from logging_system.records.levels import level_rank, spelled_where

LABEL_CHARACTERS_MAX = 200
MISSING = "(none)"
"""What stands for a field that a record lacks."""
OTHER = "(other)"
"""The value of every label in the series that takes what finds no room of its own."""

Document = Mapping[str, Any]


def field_of(document: Document, path: str) -> object:
    """Return the value at a path, whether objects are nested or names dotted; None where there is none.

    Args:
        document: A record, as it is stored; it may mix both forms.
        path: Names with dots between them, such as `labels.tenant`.
    """
    if path in document:
        return document[path]
    head, dot, rest = path.partition(".")
    while dot:
        inner = document.get(head)
        if isinstance(inner, Mapping):
            found = field_of(inner, rest)
            if found is not None:
                return found
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def labels_of(document: Document, names: tuple[str, ...]) -> Labels:
    """Return the values by which alerts are told apart.

    Args:
        document: A record, as it is stored.
        names: Paths of the fields, in order. One that it lacks has the value `MISSING`; a value is cut after
            `LABEL_CHARACTERS_MAX` characters.
    """
    return tuple((name, label_text(field_of(document, name))) for name in names)


def label_text(value: object) -> str:
    """Return a field's value as the value of a label."""
    return MISSING if value is None else str(value)[:LABEL_CHARACTERS_MAX]


def event_seconds(document: Document) -> float | None:
    """Return when a record says that it was logged, in seconds since 1970; None where it does not say.

    Args:
        document: The record. Its `@timestamp` is a text in ISO 8601, in local time where it has no offset, or
            a number of milliseconds since 1970.
    """
    moment = document.get("@timestamp")
    try:
        if isinstance(moment, str):
            return datetime.fromisoformat(moment).timestamp()
        if isinstance(moment, int | float):
            return moment / 1000  # Elasticsearch reads numbers as milliseconds
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _level(name: str) -> str:
    if not level_rank(name):
        raise ValueError("must be a level, such as warning, error or critical")
    return name.lower()


class RecordMatch(BaseModel):
    """What a record must have; what is left out does not matter."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    level: Annotated[str | None, AfterValidator(lambda name: None if name is None else _level(name))] = Field(
        None, description="Minimum level."
    )
    logger: str | None = Field(
        None,
        min_length=1,
        description="Name of the logger; loggers below it, such as `shop.cart`, match too.",
    )
    fields: dict[str, str] = Field({}, description="Values of fields, by path, such as `labels.tenant`.")
    message: str | None = Field(None, min_length=1, description="A text that the message contains.")

    def matches(self, document: Document) -> bool:
        """Whether a record has all of it.

        Args:
            document: The record, as it is stored. A level that says nothing is below all, and a field that it
                lacks equals `MISSING`.
        """
        return (
            self._level_matches(document)
            and self._logger_matches(document)
            and all(label_text(field_of(document, path)) == value for path, value in self.fields.items())
            and (self.message is None or self.message in str(document.get("message", "")))
        )

    def _level_matches(self, document: Document) -> bool:
        return self.level is None or level_rank(field_of(document, "log.level")) >= level_rank(self.level)

    def _logger_matches(self, document: Document) -> bool:
        if self.logger is None:
            return True
        name = str(field_of(document, "log.logger") or "")
        return name == self.logger or name.startswith(f"{self.logger}.")

    def query(self) -> str:
        """Return what finds such records in the store, in KQL."""
        terms = []
        if self.level is not None:
            lowest = level_rank(self.level)
            levels = " or ".join(spelled_where(lambda rank: rank >= lowest))
            terms.append(f"log.level: ({levels})")
        if self.logger is not None:
            terms.append(f"(log.logger: {quoted(self.logger)} or log.logger: {self.logger}.*)")
        terms += [f"{path}: {quoted(value)}" for path, value in self.fields.items()]
        if self.message is not None:
            terms.append(f"message: {quoted(self.message)}")
        return " and ".join(terms)


def query_of(query: str, labels: Labels) -> str:
    """Return what finds an alert's records, in KQL: a rule's query, and the alert's labels."""
    terms = [
        f"not {name}: *" if value == MISSING else f"{name}: {quoted(value)}"
        for name, value in labels
        if value != OTHER
    ]
    return " and ".join(filter(None, [query, *terms]))


def quoted(text: str) -> str:
    """Return a text as KQL takes it literally."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
