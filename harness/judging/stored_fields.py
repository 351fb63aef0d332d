"""Whether a stored record has the level, the time, the logger and the number that it was sent with.

Its text is known by the identity in it; that its other fields belong to the same record shows only here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from harness.judging.readings import level_read, scale_of, time_text, times_read_ns
from harness.judging.timeline import Entry, Timeline
from harness.model.declarations import Fields, Scalar
from harness.model.facts import Found
from harness.model.nanoseconds import SECOND_NS

_NEIGHBOURS = 50
"""How far from a record another is looked for whose fields it may have."""


class _Field(Protocol):
    """How one field is read and compared."""

    def sent(self, entry: Entry) -> str:
        """Return what was sent, for a person; empty where the load does not tell."""
        ...

    def readable(self, value: Scalar | None) -> bool:
        """Return whether a stored value can be read as such a thing at all."""
        ...

    def fits(self, entry: Entry, value: Scalar | None) -> bool:
        """Return whether a stored value is what was sent."""
        ...


@dataclass(frozen=True, slots=True)
class _Level:
    scale: str

    def sent(self, entry: Entry) -> str:
        return entry.level

    def readable(self, value: Scalar | None) -> bool:
        return level_read(value, self.scale) is not None

    def fits(self, entry: Entry, value: Scalar | None) -> bool:
        return level_read(value, self.scale) == entry.level


@dataclass(frozen=True, slots=True)
class _Time:
    tolerance_ns: int

    def sent(self, entry: Entry) -> str:
        return time_text(entry.sent_unix_ns) if entry.sent_unix_ns else ""

    def readable(self, value: Scalar | None) -> bool:
        return bool(times_read_ns(value))

    def fits(self, entry: Entry, value: Scalar | None) -> bool:
        """Take any moment of the log call, and the tolerance on both sides."""
        took_ns = max(0, (entry.returned_ns or 0) - (entry.sent_ns or 0))
        from_ns = entry.sent_unix_ns - self.tolerance_ns
        to_ns = entry.sent_unix_ns + took_ns + self.tolerance_ns
        return any(from_ns <= at_ns <= to_ns for at_ns in times_read_ns(value))


@dataclass(frozen=True, slots=True)
class _Text:
    expected: Callable[[Entry], str]

    def sent(self, entry: Entry) -> str:
        return self.expected(entry)

    def readable(self, value: Scalar | None) -> bool:
        return value is not None

    def fits(self, entry: Entry, value: Scalar | None) -> bool:
        return str(value) == self.expected(entry)


@dataclass(frozen=True, slots=True)
class _Copy:
    found: Found
    entry: Entry
    values: Mapping[str, Scalar | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing: copies whose fields differ, and what nothing can be said of.

    Attributes:
        names: the fields that were compared.
        differing: copies with other fields than were sent; the first has the story.
        differs: how many copies differ, by the name of the field.
        story: what the first of them has, beside what was sent.
        misnamed: fields that not one copy has a readable value for, each with its path.
        untold: fields of which the load does not tell what it sent.
    """

    names: tuple[str, ...] = ()
    differing: tuple[Found, ...] = ()
    differs: Mapping[str, int] | None = None
    story: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    def told(self) -> str:
        """Say how many copies differ in which field."""
        parts = ", ".join(f"{name} in {number:,}" for name, number in (self.differs or {}).items() if number)
        return f"have other fields than were sent ({parts})"


def compare_fields(timeline: Timeline, found: Iterable[Found], fields: Fields) -> Comparison:
    """Compare the declared fields of stored copies with what was sent.

    Args:
        timeline: of the scenario.
        found: the copies whose text is right.
        fields: what the stack file declares.

    Returns:
        Which fields were compared, the copies that differ and how many by field. Where the path of a field
        shows nothing readable in any copy, that alone is told.
    """
    copies = [
        _Copy(each, timeline.entries[each.sequence], orjson.loads(each.fields))
        for each in found
        if each.fields and each.sequence is not None and not each.ambiguous
    ]
    readers = _readers(copies, fields)
    misnamed = {
        name: fields.paths[name]
        for name, reader in readers.items()
        if copies and not any(reader.readable(copy.values.get(name)) for copy in copies)
    }
    if misnamed:
        return Comparison(misnamed=tuple(f'fields.{name} "{path}"' for name, path in misnamed.items()))
    untold = tuple(
        name for name, reader in readers.items() if copies and not any(reader.sent(c.entry) for c in copies)
    )
    differing = {copy.found.copy: copy for copy in copies if not _fits(copy, copy.entry, readers)}
    return Comparison(
        tuple(readers) if copies else (),
        tuple(copy.found for copy in differing.values()),
        {
            name: sum(not _fits(copy, copy.entry, {name: reader}) for copy in differing.values())
            for name, reader in readers.items()
        },
        _story(timeline, list(differing.values()), readers),
        untold=untold,
    )


def _readers(copies: Sequence[_Copy], fields: Fields) -> dict[str, _Field]:
    scale = scale_of((copy.entry.level, copy.values.get("level")) for copy in copies)
    known: dict[str, _Field] = {
        "time": _Time(int(fields.time_tolerance_seconds * SECOND_NS)),
        "level": _Level(scale),
        "logger": _Text(lambda entry: entry.logger),
        "sequence": _Text(lambda entry: str(entry.sequence)),
    }
    return {name: reader for name, reader in known.items() if name in fields.paths}


def _fits(copy: _Copy, entry: Entry, readers: Mapping[str, _Field]) -> bool:
    return all(
        reader.fits(entry, copy.values.get(name)) for name, reader in readers.items() if reader.sent(entry)
    )


def _story(timeline: Timeline, differing: Sequence[_Copy], readers: Mapping[str, _Field]) -> tuple[str, ...]:
    if not differing:
        return ()
    first = differing[0]
    told = [
        f"Its {name} was sent as {reader.sent(first.entry)} and is stored as {first.values.get(name)!r}."
        for name, reader in readers.items()
        if not _fits(first, first.entry, {name: reader})
    ]
    swapped = _owner(timeline, first, differing, readers)
    return (
        f"A copy of record {first.entry.sequence} is at {first.found.copy}",
        *told,
        *(() if swapped is None else (f"They are those of record {swapped}, whose text has other fields.",)),
    )


def _owner(
    timeline: Timeline, copy: _Copy, differing: Sequence[_Copy], readers: Mapping[str, _Field]
) -> int | None:
    """Return the record near by that has lost the fields which this copy has; None where there is none."""
    robbed = {other.entry.sequence for other in differing}
    mine = copy.entry.sequence
    near = sorted(range(mine - _NEIGHBOURS, mine + _NEIGHBOURS + 1), key=lambda other: abs(other - mine))
    fitting = (other for other in near if other in robbed and _fits(copy, timeline.entries[other], readers))
    return next(fitting, None)
