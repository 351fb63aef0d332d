"""Says what the rules do to lines of a file: which fields change, into what, and by which rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from logging_system.masking.processor import Mask
from logging_system.records.document import Document, Record
from logging_system.records.processors import Drop

_CONTEXT_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One text before and after.

    Attributes:
        place: Where it is in the record (`labels.user`), or nothing where the line is no JSON object.
        before: As it was; nothing where only the other one has the field.
        after: As it would be stored.
    """

    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """What becomes of one line.

    Attributes:
        masked: The line as it would be stored; None where its record would be dropped.
        changes: What differs.
        rules: How many secrets each rule found.
        reason: Why its record would be dropped.
    """

    masked: bytes | None
    changes: tuple[FieldChange, ...] = ()
    rules: Counter[str] = field(default_factory=Counter)
    reason: str = ""


def explain(line: bytes, mask: Mask) -> ExplainedLine:
    """Return what becomes of a line, as a record where it is a JSON object, else as a message.

    Args:
        line: Without its end.
        mask: The processor.
    """
    document = _object(line)
    if document is not None:
        return _explained(Record.of_line(line, document), document, mask, is_text=False)
    text = {"message": line.decode("utf-8", "backslashreplace")}
    return _explained(Record.of_document(dict(text)), dict(text), mask, is_text=True)


def _object(line: bytes) -> Document | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _explained(record: Record, document: Document, mask: Mask, *, is_text: bool) -> ExplainedLine:
    rules: Counter[str] = Counter()
    outcome = mask.masked(record, lambda rule: rules.update((rule,)))
    if isinstance(outcome, Drop):
        return ExplainedLine(None, rules=rules, reason=outcome.reason)
    after = orjson.loads(outcome.encoded)
    masked = str(after["message"]).encode() if is_text else outcome.encoded
    changes = _changes(dict(_leaves(document, "")), dict(_leaves(after, "")))
    if is_text:
        changes = (FieldChange("", each.before, each.after) for each in changes)
    return ExplainedLine(masked, tuple(changes), rules)


def _changes(before: dict[str, str], after: dict[str, str]) -> Iterator[FieldChange]:
    for place in dict.fromkeys([*before, *after]):
        if before.get(place) != after.get(place):
            yield FieldChange(place, before.get(place, ""), after.get(place, ""))


def _leaves(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{number}]")
    else:
        yield place, value if isinstance(value, str) else orjson.dumps(value).decode()


def around_the_difference(change: FieldChange) -> tuple[str, str]:
    """Return both texts without what they begin and end with alike, but for some characters of context."""
    before, after = change.before, change.after
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if before[-1 - at] != after[-1 - at]), left)
    return _part(before, start, len(before) - end), _part(after, start, len(after) - end)


def _part(text: str, start: int, end: int) -> str:
    begin, stop = max(0, start - _CONTEXT_CHARACTERS), min(len(text), end + _CONTEXT_CHARACTERS)
    shown = text[begin:stop]
    return f"{'…' if begin else ''}{shown}{'…' if stop < len(text) else ''}"
