"""What the delivery machine tells its edge to do, and the bounds it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

_EPOCH, _SEQUENCE, _DOCUMENT = attrgetter("epoch"), attrgetter("sequence"), attrgetter("document")


class Item(NamedTuple):
    """One record on its way: `document` is its JSON, its id follows from where it was written.

    A tuple, because one is made of every record: a frozen dataclass takes four times as long.
    """

    epoch: bytes
    sequence: int
    document: bytes

    @property
    def id(self) -> str:
        """The document's `_id`: the same for every attempt, so that the store recognises a second one."""
        return f"{self.epoch.hex()}-{self.sequence}"


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


@dataclass(frozen=True, slots=True)
class Send:
    """Send these documents in one bulk request, then report `answered(number, …)`."""

    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask which of these documents are stored already, then report `answered(number, …)`.

    Attributes:
        number: Names the request.
        items: Documents of which an earlier request may have stored some.
        indices: Backing indices that may hold them, the oldest first. The sink adds what the store has
            beside these: newer ones, or all where none is named.
    """

    number: int
    items: tuple[Item, ...]
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuryDeadLetter:
    """Write this document to the dead letters durably, then report `buried(item)`."""

    item: Item
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How large and how many.

    Attributes:
        batch_records_max: Documents in one request.
        batch_bytes_max: Document bytes in one request, one document always fits.
        linger_seconds: How long a document may wait for company.
        concurrency: Most requests under way at once; how many there are follows from the store's answers.
        held_records_max: Records taken on and not done.
        held_bytes_max: Their document bytes.
        unfinished_records_max: Records taken on before the oldest is done; of those done meanwhile only the
            number is kept, so that one record that takes long does not hold up the others.
        request_seconds_max: How long a request may be under way before it counts as lost.
        waiting_batches_max: Batches that wait to be sent again before no fresh one is begun.
        probe_records_max: Documents in the one request that asks whether the store is back.
    """

    batch_records_max: int = 1_000
    batch_bytes_max: int = 4 * 1024 * 1024
    linger_seconds: float = 0.05
    concurrency: int = 4
    held_records_max: int = 20_000
    held_bytes_max: int = 32 * 1024 * 1024
    unfinished_records_max: int = 100_000
    request_seconds_max: float = 60.0
    waiting_batches_max: int = 32
    probe_records_max: int = 10


@dataclass(slots=True)
class Tally:
    """What happened on the way, beside the outcomes; counts only ever rise."""

    requests: int = 0
    unproved_answers: int = 0
    retried_items: int = 0
    refused_requests: int = 0
    look_ups: int = 0
    found_by_look_up: int = 0
    skipped_look_ups: int = 0
    expired_requests: int = 0
    late_answers: int = 0
    last_trouble: str = ""
