"""What a stack file names wrongly, told from where the run's lines, fields and counters are instead.

A slip in a stack file looks like the worst of stacks: nothing can be read back. Where nothing at all is found
under a name, the place is looked for under which it is; what is found nowhere is the stack's own fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import islice

import orjson

from harness.evidence.archives.fields import scalars_in
from harness.evidence.lines import identities, run_word
from harness.model.errors import HarnessError
from harness.model.protocols import (
    Archive,
    Counters,
    Findable,
    Listable,
    RawArchive,
    Rereadable,
    Sighting,
    StoredDocument,
)
from harness.model.registry import unknown

_SIGHTINGS_MAX = 5_000
_DOCUMENTS_MAX = 100
_NEARLY = 0.85
# A day or a month as names of indices and files have it; tomorrow's run would look for another one.
_DATE = re.compile(r"(?<!\d)20\d\d([.\-_]?)(0[1-9]|1[0-2])(\1(0[1-9]|[12]\d|3[01]))?(?!\d)")


@dataclass(frozen=True, slots=True)
class StackFile:
    """Where slips are told.

    Attributes:
        path: the stack file.
        run_folder: the stack's own folder of the run.
        written: how a value of this run is written in the file, with placeholders.
        kept: patterns of what the stack keeps on disk for itself, and of what logquake writes as its intake:
            lines in there have not arrived.
    """

    path: str = ""
    run_folder: str = ""
    written: Callable[[str], str] = str
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: lines of a run.

    Attributes:
        run_id: the run's.
        sequences: the records that are missing.
        elsewhere: records that a right place does not hold; where one of them stands is another thing.
        expected_line: what was sent under a sequence.
        whole: whether only a line that is exactly as it was sent counts.
    """

    run_id: str
    sequences: AbstractSet[int]
    expected_line: Callable[[int], str]
    elsewhere: AbstractSet[int] = frozenset()
    whole: bool = False


@dataclass(slots=True)
class _Place:
    """The lines that were sighted in one place."""

    first: Sighting
    whole: int = 0
    lines: int = 0
    strangers: int = 0


def misplaced(outlet: str, archive: Archive, wanted: Wanted, file: StackFile) -> Iterator[str]:
    """Say under which name the lines are that are not where an outlet says; nothing if they are nowhere.

    Args:
        outlet: the key of the stack file that names the archive.
        archive: the archive.
        wanted: what is looked for.
        file: the stack file.
    """
    if (sighting := sighted(archive, wanted, file)) is not None:
        yield _told(outlet, sighting, file)


def sighted(archive: Archive, wanted: Wanted, file: StackFile) -> Sighting | None:
    """Return the best place for lines that are not where an archive was told to look; None = nowhere.

    Args:
        archive: the archive.
        wanted: what is looked for.
        file: the stack file.
    """
    if not isinstance(archive, Findable) or not wanted.sequences:
        return None
    places: dict[tuple[tuple[str, str], ...], _Place] = {}
    try:
        for sighting in islice(archive.elsewhere(run_word(wanted.run_id), file.run_folder), _SIGHTINGS_MAX):
            if any(fnmatchcase(sighting.changes.get("path", ""), pattern) for pattern in file.kept):
                continue
            place = places.setdefault(tuple(sighting.changes.items()), _Place(sighting))
            _note(place, sighting, wanted)
    except HarnessError:
        return None  # what cannot be looked through proves no slip
    right = [place for place in places.values() if not place.strangers and (place.whole or not wanted.whole)]
    right = [place for place in right if place.lines]
    if not right:
        return None
    return max(right, key=lambda place: (place.whole > 0, -len(place.first.changes), place.whole)).first


def holds_whole(text: str, sent: str) -> bool:
    """Return whether a text has a line whole in it, as it was sent or as JSON writes it: it is no damage."""
    escaped = (json.dumps(sent, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return any(form in text for form in (sent, *escaped))


def misread(
    outlet: str, archive: Archive, is_right: Callable[[StoredDocument], bool], file: StackFile
) -> Iterator[str]:
    """Say by which other way of reading every document is a line that was sent; nothing if there is none.

    Args:
        outlet: the key of the stack file that names the archive.
        archive: one by which only some documents are such lines.
        is_right: tells whether a document is one.
        file: the stack file.
    """
    if not isinstance(archive, Rereadable):
        return
    for changes, other in archive.otherwise():
        try:
            with closing(other):
                right = _every_one(other.read(), is_right)
        except HarnessError:
            continue
        if right:
            yield _told_misread(outlet, changes, file)
            return


def _every_one(documents: Iterable[StoredDocument], is_right: Callable[[StoredDocument], bool]) -> bool:
    """Return whether there are documents, and every one is right."""
    seen = False
    for document in documents:
        if document.unreadable or not is_right(document):
            return False
        seen = True
    return seen


def _told_misread(outlet: str, changes: Mapping[str, str], file: StackFile) -> str:
    keys = ", ".join(f"{outlet}.{key}" for key in changes)
    write = " and ".join(f"write `{key}: {value}`" for key, value in changes.items())
    return (
        f"{file.path} {keys}: {write}. Read as the file says, some documents are no line that was sent; read "
        "so, every one is."
    ).lstrip()


def _note(place: _Place, sighting: Sighting, wanted: Wanted) -> None:
    for sequence in identities(sighting.text, wanted.run_id):
        place.lines += sequence in wanted.sequences
        place.strangers += sequence in wanted.elsewhere
        if sequence in wanted.sequences and sighting.text == wanted.expected_line(sequence):
            place.whole += 1


def _told(outlet: str, sighting: Sighting, file: StackFile) -> str:
    keys = ", ".join(f"{outlet}.{key}" for key in sighting.changes)
    write = " and ".join(
        f"write `{key}: {_on_any_day(file.written(value))}`" if value else f"remove `{key}`"
        for key, value in sighting.changes.items()
    )
    return (
        f"{file.path} {keys}: {write}. No line of this run is where the file says, but lines of it are "
        f"elsewhere, e.g. in {sighting.copy}."
    ).lstrip()


def _on_any_day(value: str) -> str:
    """Return a name with `*` in the place of a date; one that would then begin with it names too much."""
    pattern = _DATE.sub("*", value)
    return value if pattern.startswith("*") else pattern


def absent_fields(
    key: str, names: Sequence[str], documents: Sequence[StoredDocument], archive: Archive, file: StackFile
) -> Iterator[str]:
    """Say which fields, whose values were read with every document, not one document has.

    Args:
        key: the key of the stack file that names the fields.
        names: the fields.
        documents: what was read, with the values of these fields.
        archive: where it was read from.
        file: the stack file.
    """
    missing = [
        name
        for at, name in enumerate(names)
        if documents and all(at >= len(each.values) or each.values[at] is None for each in documents)
    ]
    if not missing or not isinstance(archive, RawArchive):
        return
    known: dict[str, object] = {}
    try:
        for raw in islice(archive.raw(), _DOCUMENTS_MAX):
            known |= {} if raw.unreadable else dict(scalars_in(orjson.loads(raw.body)))
    except HarnessError:
        return
    known.pop(archive.field, None)
    for name in missing:
        said = unknown("field", name, known)
        yield f"{file.path} {key}: not one of {len(documents):,} documents has it: {said}".strip()


def absent_counters(
    counters: Counters, names: Mapping[str, Sequence[str]], file: StackFile, begun: Collection[str] = ()
) -> Iterator[str]:
    """Say which counters are under other keys than the file says.

    One that is not there may only not have begun to count. It is a slip where nothing else explains it: no
    declared key is there and others are, the counter cannot be zero, or another key is nearly the same.

    Args:
        counters: the stack's.
        names: which of its keys are summed up for each of ours.
        file: the stack file.
        begun: which of our names stand for something that was measured to be above zero.
    """
    if not isinstance(counters, Listable):
        return
    declared = list(dict.fromkeys(key for keys in names.values() for key in keys))
    try:
        known, there = counters.keys(), counters.read(declared)
    except HarnessError:
        return
    free = dict.fromkeys(key for key in known if key not in there)
    for name, keys in names.items():
        for key in keys:
            certain = not there or (name in begun and not any(each in there for each in keys))
            missing = free and key not in there and not _may_come(key, known)
            if missing and (certain or get_close_matches(key, free, n=1, cutoff=_NEARLY)):
                yield f"{file.path} counters.names.{name}: {unknown('counter', key, free)}".strip()


def _may_come(key: str, known: Sequence[str]) -> bool:
    """Return whether others of a key's kind are there: of a metric's labels, or of a mapping's keys."""
    return key.split("{")[0] in known or ("." in key and key.rsplit(".", 1)[0] in known)
