"""What the delivery machine tells its edge to do, and the bounds it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Item(NamedTuple):
    """One record to deliver: `document` is its JSON, its id follows from where it was written.

    A tuple, because one is made of every record: a frozen dataclass takes four times as long.
    """

    epoch: bytes
    sequence: int
    document: bytes

    @property
    def id(self) -> str:
        """The document's `_id`: the same for every attempt, so that the store recognises a second one."""
        return f"{self.epoch.hex()}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Send:
    """Send these documents in one request, then report its outcome: `answered(number, …)`."""

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
    """Bounds of batches, of requests under way and of what is held in memory.

    Attributes:
        batch_records_max: Documents in one request; fewer where it takes long.
        batch_bytes_max: Document bytes in one request, one document always fits.
        linger_seconds: How long a document may wait for company.
        concurrency: Most requests under way at once; how many there are follows from the store's answers.
        held_records_max: Records taken on and not done.
        held_bytes_max: Their document bytes; half as many again may be judged alone beside them.
        unfinished_records_max: Records taken on before the oldest is done; of those done meanwhile only the
            number is kept, so that one record that takes long does not hold up the others. Beyond half of
            them fresh ones go out sparingly: what is under judgement is judged by others.
        request_seconds_max: How long a request may be under way before it counts as lost.
        waiting_batches_max: Batches that wait to be sent again before no fresh one is begun.
        probe_records_max: Documents in the one request that asks whether the store is back.
    """

    batch_records_max: int = 4_000
    batch_bytes_max: int = 4 * 1024 * 1024
    linger_seconds: float = 0.05
    concurrency: int = 4
    held_records_max: int = 20_000
    held_bytes_max: int = 32 * 1024 * 1024
    unfinished_records_max: int = 200_000
    request_seconds_max: float = 60.0
    waiting_batches_max: int = 32
    probe_records_max: int = 10


@dataclass(slots=True)
class Tally:
    """Counts of what happened on the way, beside the outcomes; they only ever rise."""

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
