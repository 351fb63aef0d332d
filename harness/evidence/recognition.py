"""Which record a stored line without a whole identity is: its text still tells.

    a text, or the beginning of one, that one record alone has              that record
    one that several have                                                   one of these each, while there are
    the same with other signs between letters and digits (é as ?, &lt;)     likewise
    a beginning that one record alone has, and more that nobody sent        that record
    anything else, and what is over                                         nobody's

Only records whose identity stands in no copy are asked for, so that a second copy, or a piece of a line that
was split, never takes the place of a record that is lost.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import AnyStr, Generic

from harness.evidence.lines import run_word

BEGINNING_MIN = 8
"""A shorter beginning of a line is too common to be told by."""

_SHARE_MIN = 0.5
_TAIL_CHARACTERS_MAX = 64
# What stacks write where they cut.
_CUT_SIGN = re.compile(
    r"[\s.…�?]*|.*(?:trunc|\bcut\b|clipped|omitted|abbrev|\bmore\b|\bbytes?\b|\bchar(?:acter)?s?\b).*",
    re.IGNORECASE | re.DOTALL,
)
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_SIGNS = bytes(byte for byte in range(256) if not chr(byte).isalnum() or byte > 127)


@dataclass(frozen=True, slots=True)
class Claim:
    """The records that a stored line stands for; several where lines were joined, none where nobody can tell.

    `ambiguous` says that there were others of the same text, so that it may as well be one of these.
    """

    sequences: tuple[int, ...] = ()
    ambiguous: bool = False

    @property
    def all(self) -> tuple[int | None, ...]:
        """Return the records, or None in their place where there is none."""
        return self.sequences or (None,)


class Texts:
    """The texts of a run's records, in order; made when first asked for, and only where an identity is gone.

    Args:
        run_id: the run's.
        records: how many records it has, numbered from 0.
        expected_line: what was sent under a sequence, with its identity.
    """

    def __init__(self, run_id: str, records: int, expected_line: Callable[[int], str]) -> None:
        self._run_id = run_id
        self._records = records
        self._expected_line = expected_line
        self._as_sent: _Sorted[str] | None = None
        self._without_signs: _Sorted[bytes] | None = None

    def claims(self, lines: Sequence[str], taken: AbstractSet[int], owed: AbstractSet[int]) -> list[Claim]:
        """Return which record each line stands for; linear in lines and records, but for sorting.

        Args:
            lines: stored lines without a whole identity.
            taken: the records whose identity was found; no line is taken for one of them.
            owed: the records that were acknowledged; of several with one text, these come first.
        """
        if not any(map(_tells, lines)):
            return [Claim()] * len(lines)
        if self._as_sent is None or self._without_signs is None:
            sent = [self._expected_line(sequence) for sequence in range(self._records)]
            self._as_sent = _Sorted(sent, f" {run_word(self._run_id)}-")
            self._without_signs = _Sorted(list(map(_folded, sent)), run_word(self._run_id).encode())
        free = _Free(taken, owed)
        claims = _claimed(self._as_sent, dict(enumerate(lines)), free)
        left = {at: _folded(line) for at, line in enumerate(lines) if at not in claims and _tells(line)}
        claims |= _claimed(self._without_signs, left, free)
        return [claims.get(at, Claim()) for at in range(len(lines))]


def cut_at_bytes(line: str, sent: str) -> int:
    """Return the size at which a stored line was cut; 0 where it is no beginning of what was sent.

    Args:
        line: as it is stored: a beginning, and perhaps a sign that it was cut there, e.g. `…`.
        sent: the whole line, with its identity, in a form that it may lawfully have.
    """
    shared = _shared(line, sent)
    if not BEGINNING_MIN <= shared < len(sent) or not _is_cut_sign(line[shared:]):
        return 0
    return len(line.encode("utf-8", "surrogatepass"))


def _tells(line: str) -> bool:
    return bool(line) and not line.isspace()


def _folded(line: str) -> bytes:
    """Return the ASCII letters, all small, and digits of a line: what nearly every damage leaves alone."""
    return line.encode("ascii", "ignore").translate(_LOWER, _SIGNS)


def _is_cut_sign(tail: str) -> bool:
    return len(tail) <= _TAIL_CHARACTERS_MAX and _CUT_SIGN.fullmatch(tail) is not None


def _shared(first: AnyStr, second: AnyStr) -> int:
    """Return how many characters the beginnings of two texts share."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(slots=True)
class _Free:
    """Which records no copy stands for yet, and who of several comes first."""

    taken: AbstractSet[int]
    owed: AbstractSet[int]
    by_text: set[int] = field(default_factory=set)

    def holds(self, sequence: int, *, owed: bool) -> bool:
        return (
            sequence not in self.taken
            and sequence not in self.by_text
            and (not owed or sequence in self.owed)
        )


class _Sorted(Generic[AnyStr]):
    """Texts in order, each with the record it belongs to; `identity` is what follows a whole text."""

    def __init__(self, texts: Sequence[AnyStr], identity: AnyStr) -> None:
        self.order = sorted(range(len(texts)), key=texts.__getitem__)
        self.texts: list[AnyStr] = [texts[sequence] for sequence in self.order]
        self.identity: AnyStr = identity

    def beginning_with(self, key: AnyStr) -> tuple[int, int]:
        """Return the places of the texts that begin so."""
        low = bisect_left(self.texts, key)
        return low, bisect_right(self.texts, key, lo=low, key=lambda text: text[: len(key)])

    def shared_most(self, key: AnyStr) -> int:
        """Return how much of the key's beginning the text that shares most of it does."""
        at = bisect_left(self.texts, key)
        return max((_shared(key, text) for text in self.texts[max(0, at - 1) : at + 1]), default=0)


def _claimed(texts: _Sorted[AnyStr], keys: dict[int, AnyStr], free: _Free) -> dict[int, Claim]:
    """Return which keys stand for which record.

    The texts that begin with a longer key lie within those of a shorter one or beside them, so that the
    longest first leaves as few as possible without a record.
    """
    picker = _Picker(texts, free)
    sought = {at: beginning for at, key in keys.items() if (beginning := _beginning(texts, key))}
    claims: dict[int, Claim] = {}
    for at in sorted(sought, key=lambda at: (-len(sought[at]), at)):
        for low, high in _candidates(texts, sought[at]):
            if (sequence := picker.pick(low, high)) is not None:
                claims[at] = Claim((sequence,), high - low > 1)
                break
    return claims


def _candidates(texts: _Sorted[AnyStr], beginning: AnyStr) -> Iterator[tuple[int, int]]:
    """Yield the places of the texts that it may stand for: those that it is, then those it begins."""
    yield texts.beginning_with(beginning + texts.identity)
    if len(beginning) >= BEGINNING_MIN:
        yield texts.beginning_with(beginning)


def _beginning(texts: _Sorted[AnyStr], key: AnyStr) -> AnyStr:
    """Return what of a stored line is the beginning of a text, as far as that can be told; else nothing."""
    shared = texts.shared_most(key)
    if shared == len(key):
        return key
    low, high = texts.beginning_with(key[:shared])
    if shared < max(BEGINNING_MIN, _SHARE_MIN * len(key)):
        return key[:0]
    if high - low == 1 or (isinstance(key, str) and _is_cut_sign(key[shared:])):
        return key[:shared]
    return key[:0]


class _Picker(Generic[AnyStr]):
    """Picks records that are still free, each place passed over once."""

    def __init__(self, texts: _Sorted[AnyStr], free: _Free) -> None:
        self._texts: _Sorted[AnyStr] = texts
        self._free = free
        self._next = {owed: list(range(len(texts.order) + 1)) for owed in (True, False)}
        self._picked: dict[tuple[int, int], int] = {}

    def pick(self, low: int, high: int) -> int | None:
        """Return the next free record of these places, the owed first.

        Where none is left, it is the one picked before: then there are more copies than records.
        """
        for owed in (True, False):
            if (place := self._first(low, owed=owed)) < high:
                self._picked[low, high] = sequence = self._texts.order[place]
                self._free.by_text.add(sequence)
                return sequence
        return self._picked.get((low, high))

    def _first(self, place: int, *, owed: bool) -> int:
        following, begun = self._next[owed], place
        while following[place] != place or not self._is_free(place, owed=owed):
            following[place] = max(following[place], place + 1)
            place = following[place]
        while begun < place:
            following[begun], begun = place, following[begun]
        return place

    def _is_free(self, place: int, *, owed: bool) -> bool:
        return place == len(self._texts.order) or self._free.holds(self._texts.order[place], owed=owed)
