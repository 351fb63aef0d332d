"""Where a stack's records end up, read together: the archive and, where there are any, the dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

import orjson

from harness.evidence.difference import first_difference
from harness.evidence.following import Following
from harness.evidence.lines import digest, identities
from harness.evidence.misnamed import (
    StackFile,
    Wanted,
    absent_fields,
    holds_whole,
    misplaced,
    misread,
    sighted,
)
from harness.evidence.recognition import Claim, Texts, cut_at_bytes
from harness.evidence.transforms import Spans, innocent_parts, is_lawful, lawful_forms, likeliest_form
from harness.model.declarations import Scalar
from harness.model.facts import (
    ArchiveRead,
    DeadLettered,
    DeadLettersRead,
    Event,
    Found,
    SeenElsewhere,
    Unreadable,
    WholeElsewhere,
)
from harness.model.protocols import (
    Archive,
    Locatable,
    Neighboured,
    RawArchive,
    RawDocument,
    StoredDocument,
)

EXCERPT_CHARACTERS = 80
NEIGHBOUR_DOCUMENTS_MAX = 200_000
NEARLY_EVERY = 0.9


@dataclass(frozen=True, slots=True)
class OutletSpec:
    """How a run's outlets are opened and read.

    `archive` and `dead_letters` open them; `expected_line` tells what was sent under a sequence, and
    `transforms` what the stack may lawfully have done to it (words of `transforms.py`); `order_by` names the
    archive's fields that say what came first, `fields` those to compare with what was sent beside the line,
    `reason_field` the dead letters' field that says why. `records` is how many records the run has, `owed`
    tells which of them were acknowledged: a line whose identity is gone is known by their texts. `maskable`
    tells what of a record's line holds secrets, which the transform `mask` may change. `file` is where all
    these names stand.
    """

    archive: Callable[[], Archive]
    expected_line: Callable[[int], str]
    run_id: str
    order_by: tuple[str, ...] = ()
    dead_letters: Callable[[], Archive] | None = None
    reason_field: str = ""
    transforms: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    records: int = 0
    owed: Callable[[], frozenset[int]] = frozenset
    maskable: Callable[[int], Spans] = lambda _: ()
    file: StackFile = field(default_factory=StackFile)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was in the outlets at one moment."""

    documents: Sequence[StoredDocument] = ()
    letters: Sequence[StoredDocument] = ()


@dataclass(frozen=True, slots=True)
class _Compared:
    """A stored text beside what was sent under the sequence it claims."""

    sequence: int | None
    digest: str
    excerpt: str
    transformed: bool
    ambiguous: bool = False
    cut_at_bytes: int = 0
    expected: str = ""
    differs_at: int = 0


class Outlets:
    """The open outlets of one run."""

    def __init__(self, spec: OutletSpec) -> None:
        """Open them."""
        self._spec = spec
        self._archive = spec.archive()
        self._dead_letters = None if spec.dead_letters is None else spec.dead_letters()
        self._texts = Texts(spec.run_id, spec.records, spec.expected_line)
        self._claimed: tuple[Reading, list[Claim | None]] | None = None

    def count(self) -> int:
        """Return how many documents the archive shows now; raises StackError."""
        return self._archive.count()

    def read(self) -> Reading:
        """Read all outlets whole; raises StackError where one cannot be.

        Dead letters come first: a record on its way to the archive is seen twice rather than never.
        """
        self._claimed = None  # two readings of a million documents need not be in memory together
        letters: list[StoredDocument] = []
        if self._dead_letters is not None:
            self._dead_letters.refresh()
            reason = (self._spec.reason_field,) if self._spec.reason_field else ()
            letters = list(self._dead_letters.read(reason))
        self._archive.refresh()
        return Reading(list(self._archive.read((*self._spec.order_by, *self._spec.fields.values()))), letters)

    def raw(self) -> Iterator[tuple[str, Iterator[RawDocument] | None]]:
        """Yield each outlet's name with its documents as they are stored, None where it shows none."""
        for name, outlet in (("the archive", self._archive), ("the dead letters", self._dead_letters)):
            if outlet is not None:
                yield name, outlet.raw() if isinstance(outlet, RawArchive) else None

    def copies(self) -> int:
        """Return how many copies all outlets hold now; raises StackError."""
        copies = 0
        for outlet in (self._archive, self._dead_letters):
            if outlet is not None:
                outlet.refresh()
                copies += outlet.count()
        return copies

    def follow_archive(self, *, from_now: bool = False) -> Following:
        """Return what sees step by step what comes into the archive; raises StackError.

        Args:
            from_now: leave out what is there already, where that can be told.
        """
        return self._following([self._archive], from_now=from_now)

    def follow(self) -> Following:
        """Return what sees step by step what comes into any outlet, dead letters first."""
        letters = [] if self._dead_letters is None else [self._dead_letters]
        return self._following([*letters, self._archive])

    def archived(self, reading: Reading) -> set[int | None]:
        """Return the sequences in the archive; None for what carries no identity of this run."""
        claims = self._claims(reading)[: len(reading.documents)]
        return {sequence for claim in claims if claim is not None for sequence in claim.all}

    def kept(self, reading: Reading) -> set[int | None]:
        """Return the sequences in any outlet."""
        return {sequence for claim in self._claims(reading) if claim is not None for sequence in claim.all}

    def facts(self, reading: Reading, now_ns: int) -> Iterator[Event]:
        """Yield what was found, and that it was all.

        Args:
            reading: what was found in the archive and among the dead letters.
            now_ns: when it was read whole, in ns of CLOCK_MONOTONIC.

        Raises:
            StackError: nothing was found, and the archive cannot tell any more whether it exists.
        """
        claims = self._claims(reading)
        yield from self._unreadable(reading.documents)
        for document, claim in zip(reading.documents, claims, strict=False):
            order, fields = self._beside(document)
            for seen in self._compared(document, claim):
                yield Found(
                    seen.sequence,
                    seen.digest,
                    document.copy,
                    seen.excerpt,
                    order,
                    seen.transformed,
                    seen.ambiguous,
                    seen.cut_at_bytes,
                    seen.expected,
                    seen.differs_at,
                    fields,
                )
        yield ArchiveRead(now_ns, len(reading.documents), self._absent(reading))
        if self._dead_letters is None:
            return
        yield from self._unreadable(reading.letters)
        for letter, claim in zip(reading.letters, claims[len(reading.documents) :], strict=True):
            reason = str(letter.values[0] or "")[:EXCERPT_CHARACTERS] if letter.values else ""
            for seen in self._compared(letter, claim):
                yield DeadLettered(
                    seen.sequence,
                    seen.digest,
                    letter.copy,
                    reason,
                    seen.excerpt,
                    seen.transformed,
                    seen.ambiguous,
                    seen.cut_at_bytes,
                    seen.expected,
                    seen.differs_at,
                )
        yield DeadLettersRead(now_ns, len(reading.letters))

    def elsewhere(self, missing: frozenset[int]) -> Iterator[SeenElsewhere]:
        """Yield which of the missing records lie in places with names like the archive's. Bounded.

        Raises:
            StackError: it cannot be looked there.
        """
        if not missing or not isinstance(self._archive, Neighboured):
            return
        for name, archive in self._archive.neighbours():
            with closing(archive):
                documents = islice(archive.read(), NEIGHBOUR_DOCUMENTS_MAX)
                held = {
                    sequence
                    for document in documents
                    if not document.unreadable
                    for sequence in identities(document.line, self._spec.run_id)
                }
                for sequence in sorted(missing & held):
                    yield SeenElsewhere(sequence, name)

    def slips(self, reading: Reading) -> Iterator[str]:
        """Say what the stack file names wrongly, where nothing at all is found under a name."""
        spec = self._spec
        claims = self._claims(reading)
        archived, lettered = claims[: len(reading.documents)], claims[len(reading.documents) :]
        right = list(map(self._lawful, reading.documents, archived))
        if not any(right):
            if not self._is_damaged(reading):
                yield from misplaced("archive", self._archive, self._wanted(reading), spec.file)
            return
        if not all(right):
            yield from misread("archive", self._archive, self._is_lawful, spec.file)
        order = absent_fields("promises.order_by", spec.order_by, reading.documents, self._archive, spec.file)
        yield from order
        if self._dead_letters is None:
            return
        if not any(map(_sequences, lettered)):
            found = {sequence for claim in archived for sequence in _sequences(claim)}
            wanted = Wanted(spec.run_id, spec.owed() - found, spec.expected_line, elsewhere=found)
            yield from misplaced("dead_letters", self._dead_letters, wanted, spec.file)
        elif spec.reason_field:
            key, names = "dead_letters.reason_field", (spec.reason_field,)
            yield from absent_fields(key, names, reading.letters, self._dead_letters, spec.file)

    def whole_elsewhere(self, reading: Reading) -> Iterator[WholeElsewhere]:
        """Yield where the lines are whole that are damaged, all of them, where the stack file says."""
        if not self._is_damaged(reading):
            return
        if (found := sighted(self._archive, self._wanted(reading), self._spec.file)) is not None:
            place = ", ".join(f"{key}: {value}" for key, value in found.changes.items())
            yield WholeElsewhere(place, found.copy)

    def close(self) -> None:
        """Close them, and let go of what was read: judging needs the memory."""
        self._claimed = None
        self._archive.close()
        if self._dead_letters is not None:
            self._dead_letters.close()

    def _wanted(self, reading: Reading) -> Wanted:
        """Return what is looked for in other places of the archive: all that is no dead letter."""
        spec = self._spec
        claims = self._claims(reading)
        archived, lettered = claims[: len(reading.documents)], claims[len(reading.documents) :]
        # Where dead letters are, no archive is, though all lines may be among them.
        given_up = {sequence for claim in lettered for sequence in _sequences(claim)}
        every = (spec.owed() | frozenset(range(spec.records))) - given_up
        return Wanted(spec.run_id, every, spec.expected_line, given_up, any(map(_sequences, archived)))

    def _is_damaged(self, reading: Reading) -> bool:
        """Return whether no line is right where the file says, and nearly every one can be recognised there.

        Then it is the right place. One that holds lines whole, and more around them, is not: of a document
        that was to be taken apart, nobody has.
        """
        pairs = list(zip(reading.documents, self._claims(reading), strict=False))
        if any(self._lawful(document, claim) for document, claim in pairs):
            return False
        damaged = sum(
            any(not holds_whole(document.line, self._spec.expected_line(each)) for each in _sequences(claim))
            for document, claim in pairs
        )
        return damaged > 0 and damaged >= NEARLY_EVERY * len(pairs)

    def _is_lawful(self, document: StoredDocument) -> bool:
        return self._lawful(document, Claim(identities(document.line, self._spec.run_id)))

    def _beside(self, document: StoredDocument) -> tuple[str, str]:
        """Return what a copy has in the fields that say what came first, and in those to compare, as JSON."""
        ordering = len(self._spec.order_by)
        order, values = document.values[:ordering], map(_clipped, document.values[ordering:])
        fields = dict(zip(self._spec.fields, values, strict=False))
        return (
            orjson.dumps(order).decode() if order else "",
            orjson.dumps(fields).decode() if fields else "",
        )

    def _absent(self, reading: Reading) -> str:
        """Say what does not exist where nothing was read."""
        if reading.documents or not isinstance(self._archive, Locatable):
            return ""
        return self._archive.absent()

    def _following(self, archives: Sequence[Archive], *, from_now: bool = False) -> Following:
        return Following(archives, self._spec.run_id, from_now=from_now, recognise=self._recognised)

    def _recognised(self, lines: Sequence[str], named: AbstractSet[int]) -> Iterator[int]:
        for claim in self._texts.claims(lines, named, self._spec.owed()):
            yield from claim.sequences

    def _claims(self, reading: Reading) -> list[Claim | None]:
        """Return which records each copy stands for, archive first; None where no line can be had from it.

        The last reading's are kept: all that is said of it is said of the same claims, found once.
        """
        if self._claimed is None or self._claimed[0] is not reading:
            self._claimed = reading, self._claims_found(reading)
        return self._claimed[1]

    def _claims_found(self, reading: Reading) -> list[Claim | None]:
        copies = [*reading.documents, *reading.letters]
        claims = [
            None if copy.unreadable else Claim(identities(copy.line, self._spec.run_id)) for copy in copies
        ]
        unnamed = [at for at, claim in enumerate(claims) if claim is not None and not claim.sequences]
        if unnamed:
            taken = {sequence for claim in claims if claim is not None for sequence in claim.sequences}
            lines = [copies[at].line for at in unnamed]
            for at, claim in zip(unnamed, self._texts.claims(lines, taken, self._spec.owed()), strict=True):
                claims[at] = claim
        return claims

    def _unreadable(self, documents: Sequence[StoredDocument]) -> Iterator[Unreadable]:
        for document in documents:
            if document.unreadable:
                yield Unreadable(document.copy, document.unreadable, document.line[:EXCERPT_CHARACTERS])

    def _lawful(self, document: StoredDocument, claim: Claim | None) -> bool:
        return any(self._is_lawful_text(document.line, sequence) for sequence in _sequences(claim))

    def _forms(self, line: str, expected: str, spans: Spans) -> frozenset[str]:
        """Return what a line should be, in each form that it may have."""
        masked = innocent_parts(expected, self._spec.transforms, spans)
        return lawful_forms(expected, self._spec.transforms) | {
            likeliest_form(line, parts) for parts in masked
        }

    def _is_lawful_text(self, line: str, sequence: int) -> bool:
        spec = self._spec
        return is_lawful(line, spec.expected_line(sequence), spec.transforms, spec.maskable(sequence))

    def _compared(self, document: StoredDocument, claim: Claim | None) -> Iterator[_Compared]:
        """Yield a copy beside each record it stands for; nothing for one that no line can be had from."""
        line = document.line
        for sequence in () if claim is None else claim.all:
            expected = None if sequence is None else self._spec.expected_line(sequence)
            if expected is None:
                yield _Compared(sequence, digest(line), line[:EXCERPT_CHARACTERS], transformed=False)
                continue
            ambiguous = claim is not None and claim.ambiguous
            if sequence is not None and self._is_lawful_text(line, sequence):
                yield _Compared(sequence, digest(line), "", line != expected, ambiguous)
                continue
            spans = () if sequence is None else self._spec.maskable(sequence)
            forms = self._forms(line, expected, spans)
            secrets = [expected[begin:end] for begin, end in spans]
            there = first_difference(
                _hidden(line, secrets), [_hidden(form, secrets) for form in forms], EXCERPT_CHARACTERS
            )
            yield _Compared(
                sequence,
                digest(line),
                there.found,
                transformed=False,
                ambiguous=ambiguous,
                cut_at_bytes=max((cut_at_bytes(line, form) for form in forms), default=0),
                expected=there.expected,
                differs_at=there.at_character,
            )


def _hidden(line: str, secrets: Sequence[str]) -> str:
    """Return a line whose secrets are dots, as many as they have characters: no report quotes one."""
    for secret in secrets:
        line = line.replace(secret, "•" * len(secret))
    return line


def _sequences(claim: Claim | None) -> tuple[int, ...]:
    return () if claim is None else claim.sequences


def _clipped(value: Scalar | None) -> Scalar | None:
    """Return the beginning of a text; a number that JSON cannot carry is told as text."""
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        value = str(value)
    return value[:EXCERPT_CHARACTERS] if isinstance(value, str) else value
