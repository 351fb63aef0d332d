"""The processor `mask`: takes secrets out of a record's fields, labels and names, before it is persisted.

Most records have no secret: their JSON is looked through once, by one set of expressions, and nothing else is
done. Only where that finds something is the record walked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import orjson

from logging_system.masking.denied_names import DeniedNames
from logging_system.masking.rule_set import Count, RecordDroppedError, RuleSet, gate_text
from logging_system.records.document import Edit, Put, Record, Remove
from logging_system.records.document import Path as Place
from logging_system.records.processors import Drop

_PAIR_NAMES = ("name", "key", "header", "field", "parameter", "Name", "Key", "ParameterKey", "k")
_PAIR_VALUES = frozenset({"value", "val", "content", "Value", "stringValue", "ParameterValue", "v"})
_PAIR_ITEMS = 2
_COMMAND_ITEMS = 2
_IDS: Mapping[Place, re.Pattern[str]] = {
    ("trace", "id"): re.compile("[0-9a-f]{32}"),
    ("span", "id"): re.compile("[0-9a-f]{16}"),
}
"""Random numbers of tracing: one in some 50,000 span ids would pass for the number of a card."""
_COUNTS = ("tokens", "pass")
"""Names whose numbers are counts: `max_tokens: 512`, `pass: 12`."""


class Mask:
    """Takes secrets out of records.

    Args:
        rules: What a secret is, and what becomes of it.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._gate = rules.gate

    def leaves(self, documents: Sequence[bytes]) -> bool:
        """Whether no record has a secret: looked at together, each costs half of what it does by itself."""
        return not self._gate(b"\n".join(documents))

    def process(self, record: Record) -> Record | Drop:
        """Return the record without its secrets, or why it is dropped."""
        found = self._gate(record.encoded)
        return self._looked_into(record, self._rules.places(found)) if found else record

    def _looked_into(self, record: Record, hits: list[int]) -> Record | Drop:
        if hits == [self._rules.hidden_place]:
            # A line may write any character by its number: only written out can the gate see it.
            hits = self._rules.hits(gate_text(record.document))
            if hits in ([], [self._rules.hidden_place]):
                return record
        return self.masked(record, _ignore)

    def masked(self, record: Record, count: Count) -> Record | Drop:
        """Return a record without its secrets, having looked at each of its fields.

        Args:
            record: Any.
            count: Told each rule that found something.
        """
        # As it will be stored: of a document, texts and numbers only, whatever is in it now.
        stored = orjson.loads(record.encoded)
        as_stored = record if record.document == stored else Record.of_document(stored)
        walk = _Walk(self._rules, count)
        try:
            return as_stored.edited(list(walk.edits(stored, ())))
        except RecordDroppedError as dropped:
            return Drop(f"masked_{dropped.rule}"[:64])


class _Walk:
    """One record's fields, looked at one by one."""

    def __init__(self, rules: RuleSet, count: Count) -> None:
        self._rules = rules
        self._count = count
        self._names: DeniedNames | None = rules.names

    def edits(self, container: object, path: Place, *, named: bool = False) -> Iterator[Edit]:
        """Yield what must change in an object or a list.

        Args:
            container: The object or list.
            path: Where it is.
            named: Whether a name above it says that all in it is secret.
        """
        if isinstance(container, dict):
            yield from self._edits_of_object(container, path, named=named)
        elif isinstance(container, list):
            told = self._told_together(container)
            for place, value in enumerate(container):
                is_secret = named or (place > 0 and self._names_next(container, place - 1))
                if not is_secret and told[place] is not value:
                    yield Put((*path, place), self._copy(told[place], (*path, place), named=False))
                else:
                    yield from self._edits_of_value(value, (*path, place), named=is_secret)

    def _told_together(self, items: list[object]) -> Sequence[object]:
        """Return texts without what is secret only as an argument of a command: `["mysql", "-p…"]`."""
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) != len(items) or len(texts) < _COMMAND_ITEMS:
            return items
        return self._rules.masked_command(texts, self._count)

    def _edits_of_object(self, members: dict[str, object], path: Place, *, named: bool) -> Iterator[Edit]:
        taken = set(members)
        value_named = self._is_pair_of_secret(members)
        for name, value in members.items():
            is_secret = named or self._denies(name, path) or (value_named and name in _PAIR_VALUES)
            shown = self._text(name)
            if shown == name:
                if path or is_secret or self._may_hold(name, value):
                    yield from self._edits_of_value(value, (*path, name), named=is_secret)
                continue
            shown = _unique(shown, taken)
            taken.add(shown)
            yield Remove((*path, name))
            yield Put((*path, shown), self._copy(value, (*path, name), named=is_secret))

    def _edits_of_value(self, value: object, path: Place, *, named: bool) -> Iterator[Edit]:
        if isinstance(value, dict | list):
            yield from self.edits(value, path, named=named)
        elif (shown := self._leaf(value, path, named=named)) is not value:
            yield Put(path, shown)

    def _copy(self, value: object, path: Place, *, named: bool) -> object:
        """Return a value without its secrets."""
        wrapped: dict[str, object] = {"value": value}
        edits = list(self._edits_of_value(value, ("value",), named=named))
        return Record.of_document(wrapped).edited(edits).document["value"]

    def _leaf(self, value: object, path: Place, *, named: bool) -> object:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if (kind := _IDS.get(path)) is not None and kind.fullmatch(value):
                return value
            shown = self._rules.masked_named(value, self._count) if named else self._text(value)
            return value if shown == value else shown
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        if named and not _is_count(path):
            return self._rules.masked_named(text, self._count)
        shown = self._text(text)
        return value if shown == text else shown

    def _may_hold(self, name: str, value: object) -> bool:
        """Whether there may be a secret in a member of the record itself; of most the gate says no."""
        return not isinstance(value, dict) or bool(self._rules.hits(gate_text({name: value})))

    def _text(self, text: str) -> str:
        return self._rules.masked_text(text, self._count)

    def _denies(self, name: str, path: Place) -> bool:
        return (
            self._names is not None
            and self._names.denies(name)
            and not self._names.exempts(".".join(map(str, (*path, name))))
        )

    def _names_next(self, items: list[object], place: int) -> bool:
        """Whether an item names the one behind it: `["X-Api-Key", …]`, `["app", "--password", …]`."""
        name = items[place]
        if self._names is None or not isinstance(name, str) or " " in name:
            return False
        return (len(items) == _PAIR_ITEMS or name.startswith("-")) and self._names.denies(name)

    def _is_pair_of_secret(self, members: Mapping[str, object]) -> bool:
        """Whether an object gives a name and its value apart: `{"name": "DB_PASSWORD", "value": …}`."""
        if self._names is None:
            return False
        names = (members.get(name) for name in _PAIR_NAMES)
        return any(isinstance(name, str) and self._names.denies(name) for name in names)


def _is_count(path: Place) -> bool:
    return str(path[-1]).lower().endswith(_COUNTS)


def _unique(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}#{number}"
    return free


def _ignore(_rule: str) -> None:
    """Count nothing."""
