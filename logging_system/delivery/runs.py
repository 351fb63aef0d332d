"""Sums up documents on their way as runs: a step for each run is cheap where one for each record is not."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from logging_system.delivery.commands import Item

_EPOCH, _SEQUENCE, _DOCUMENT = attrgetter("epoch"), attrgetter("sequence"), attrgetter("document")


class Run(NamedTuple):
    """Records of one epoch under consecutive sequences, `first` to the one before `end`."""

    epoch: bytes
    first: int
    end: int

    @property
    def sequences(self) -> range:
        """The sequences."""
        return range(self.first, self.end)

    @property
    def id_start(self) -> bytes:
        """What the ids of all of them begin with; the sequence follows."""
        return self.epoch.hex().encode() + b"-"


def runs_of(items: Sequence[Item]) -> list[Run]:
    """Return the runs that `items` are made of, in their order."""
    if not items:
        return []
    epoch, first, _document = items[0]
    whole = Run(epoch, first, first + len(items))
    # Nearly always there is only one; comparing whole lists tells it without a step for each record.
    if list(map(_SEQUENCE, items)) == list(whole.sequences) and (
        list(map(_EPOCH, items)).count(epoch) == len(items)
    ):
        return [whole]
    runs: list[Run] = []
    end = first
    for item in items:
        if item.epoch != epoch or item.sequence != end:
            runs.append(Run(epoch, first, end))
            epoch, first = item.epoch, item.sequence
        end = item.sequence + 1
    runs.append(Run(epoch, first, end))
    return runs


def documents_bytes(items: Sequence[Item]) -> int:
    """Return the bytes of all documents together."""
    return sum(map(len, map(_DOCUMENT, items)))
