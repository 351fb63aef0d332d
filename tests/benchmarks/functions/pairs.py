"""The pairs: a hot function, and what it is compared with. Both take the same prepared work."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import google_crc32c
import orjson

from harness.evidence.lines import digest
from harness.judging.check_selection import checker_of
from harness.judging.checker import Charge
from harness.judging.timeline import Timeline, timeline
from harness.model.declarations import Part, Promises, Scenario
from harness.model.facts import Acknowledged, ArchiveRead, Due, Event, Found, PhaseChanged, Sent
from harness.model.protocols import Verdict
from logging_system.delivery.machine import DeliveryMachine, Item, Limits, Send
from logging_system.delivery.outcomes import Delivered, SameForAll
from logging_system.records.record import Captured, Producer, capture, encode
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    decode_block_header,
    decode_documents,
    encode_block,
)
from tests.benchmarks.functions.masking import (
    leave_all,
    log_all,
    mask_all,
    substitute_all,
    to_mask,
    to_mask_with_hits,
)
from tests.benchmarks.functions.spans import in_a_span, log_in_span, read_spans

EPOCH = b"e" * 16
PRODUCER = Producer("checkout", EPOCH.hex())
BLOCK_RECORDS = 512
FACTS_OF_A_RECORD = 4
_MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class Pair:
    """A function beside its reference.

    Attributes:
        name: of the function, in the table.
        reference_name: what the reference does.
        prepare: makes the work for a number of units; made anew for every round where it is used up.
        function: does the work.
        reference: does the least that such work can take.
        units: how many, for a measurement.
        unit: what one is called.
        rounds: how often it is measured.
        is_used_up: whether the work can be done only once.
    """

    name: str
    reference_name: str
    prepare: Callable[[int], Any]
    function: Callable[[Any], Any]
    reference: Callable[[Any], Any]
    units: int
    unit: str = "record"
    rounds: int = 40
    is_used_up: bool = False


def log_records(number: int) -> list[logging.LogRecord]:
    """Return records as applications make them: a template with arguments, and some with extra fields."""
    rng = random.Random(1)
    records = []
    for sequence in range(number):
        args = (sequence, rng.randrange(5_000))
        record = logging.LogRecord(
            "shop.checkout", logging.INFO, "shop.py", 17, "order %d was paid in %d ms", args, None
        )
        record.created = 1.7e9 + sequence / 1_000
        if sequence % 2:
            record.__dict__.update(order=sequence, user=rng.randrange(10_000))
        records.append(record)
    return records


def captured_records(number: int) -> list[Captured]:
    """Return captured records."""
    return [capture(record, "fsync") for record in log_records(number)]


def documents(number: int) -> list[bytes]:
    """Return encoded documents."""
    return [
        encode(captured, sequence, PRODUCER) for sequence, captured in enumerate(captured_records(number))
    ]


# --- capture, encode -------------------------------------------------------------------------------------


def capture_all(records: Sequence[logging.LogRecord]) -> list[Captured]:
    """Do what a log call does before the record is queued."""
    return [capture(record, "fsync") for record in records]


def copy_all(records: Sequence[logging.LogRecord]) -> list[dict[str, Any]]:
    """Copy each record's attributes, which is what keeps them from changing."""
    return [record.__dict__.copy() for record in records]


@dataclass(frozen=True)
class ToEncode:
    """Captured records, and the documents that they become."""

    captured: Sequence[Captured]
    documents: Sequence[object]


def to_encode(number: int) -> ToEncode:
    """Return the work of encoding."""
    return ToEncode(captured_records(number), [orjson.loads(each) for each in documents(number)])


def encode_all(work: ToEncode) -> list[bytes]:
    """Make a document of each captured record, and JSON of it."""
    return [encode(captured, sequence, PRODUCER) for sequence, captured in enumerate(work.captured)]


def dump_all(work: ToEncode) -> list[bytes]:
    """Make JSON of the same documents, ready as they are."""
    return [orjson.dumps(document) for document in work.documents]


# --- frame -----------------------------------------------------------------------------------------------


def frame_all(encoded: Sequence[bytes]) -> list[bytes]:
    """Frame the documents in blocks of the spool."""
    return [
        encode_block(EPOCH, first, encoded[first : first + BLOCK_RECORDS])
        for first in range(0, len(encoded), BLOCK_RECORDS)
    ]


def checksum_all(encoded: Sequence[bytes]) -> list[int]:
    """Join the same documents and compute the checksum, which a block must have."""
    return [
        google_crc32c.value(b"".join(encoded[first : first + BLOCK_RECORDS]))
        for first in range(0, len(encoded), BLOCK_RECORDS)
    ]


def blocks(number: int) -> list[bytes]:
    """Return framed blocks."""
    return frame_all(documents(number))


def unframe_all(framed: Sequence[bytes]) -> list[bytes]:
    """Take blocks apart into documents."""
    found: list[bytes] = []
    for block in framed:
        header = decode_block_header(EPOCH, block)
        assert header is not None
        found += decode_documents(EPOCH, header, block[BLOCK_HEADER_BYTES:])
    return found


def checksum_blocks(framed: Sequence[bytes]) -> list[int]:
    """Compute the checksum of each payload."""
    return [google_crc32c.value(block[BLOCK_HEADER_BYTES:]) for block in framed]


# --- machine ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToDeliver:
    """A fresh machine and the records that it is told of."""

    machine: DeliveryMachine
    items: Sequence[Item]


def to_deliver(number: int) -> ToDeliver:
    """Return the work of one step: take, send, answered."""
    limits = Limits(linger_seconds=0.0, batch_records_max=number)
    items = [Item(EPOCH, sequence, b"{}") for sequence in range(number)]
    return ToDeliver(DeliveryMachine(random.Random(1), limits), items)


def step(work: ToDeliver) -> int:
    """Tell the machine of records, take its requests, and answer them until all are done."""
    work.machine.take(work.items, 0.0)
    done = 0
    while sends := [command for command in work.machine.commands(0.0) if isinstance(command, Send)]:
        for send in sends:
            work.machine.answered(send.number, SameForAll(Delivered()), 0.0)
            done += len(send.items)
    return done


def keep_and_drop(work: ToDeliver) -> int:
    """Put each record into a dict and take it out again."""
    held = {}
    for item in work.items:
        held[item.sequence] = item
    done = 0
    for item in work.items:
        del held[item.sequence]
        done += 1
    return done


# --- checkers --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def events(number: int) -> list[Event]:
    """Return the facts of a run in which every record is kept; `number` of them, and a few of the run."""
    lines = [f"line {sequence}" for sequence in range(number // FACTS_OF_A_RECORD)]
    facts: list[Event] = [PhaseChanged(0, "steady")]
    for sequence, line in enumerate(lines):
        at_ns, said = sequence * _MILLISECOND_NS, digest(line)
        facts += [
            Due(sequence, at_ns, sequence % 4, said, len(line)),
            Sent(sequence, at_ns + 1_000),
            Acknowledged(sequence, at_ns + 2_000),
            Found(sequence, said, f"index/{sequence}"),
        ]
    end_ns = len(lines) * _MILLISECOND_NS
    return [*facts, PhaseChanged(end_ns, "read back"), ArchiveRead(end_ns + 1, len(lines))]


@lru_cache(maxsize=1)
def arranged(number: int) -> Timeline:
    """Return the timeline of so many facts."""
    return timeline(events(number))


def by_sequence(facts: Sequence[Event]) -> dict[int, list[Event]]:
    """Put each fact into a list of its record's."""
    found: dict[int, list[Event]] = {}
    for fact in facts:
        found.setdefault(getattr(fact, "sequence", -1), []).append(fact)
    return found


def check(word: str) -> Callable[[Timeline], Verdict]:
    """Return how a timeline is judged by one check."""
    scenario = Scenario("run", "A run", "Nothing is lost.", Part("steady"), 4, 1.0, (), ())
    checker = checker_of(Part(word), Charge(scenario, Promises()))
    return checker.check


def look_up(of: Timeline) -> int:
    """Go once through all records and look for a copy of each."""
    return sum(entry.sequence in of.copies for entry in of.entries.values())


CHECKED = ("acknowledged_lost", "duplicated", "corrupted")
EVENTS = 1_000_000

PAIRS = (
    Pair("capture", "copy of the record's dict", log_records, capture_all, copy_all, 2_000),
    Pair("encode", "orjson.dumps of the same document", to_encode, encode_all, dump_all, 2_000),
    Pair("frame", "join and CRC32C of the same bytes", documents, frame_all, checksum_all, 8 * BLOCK_RECORDS),
    Pair("unframe", "CRC32C of the same bytes", blocks, unframe_all, checksum_blocks, 8 * BLOCK_RECORDS),
    Pair(
        "machine step", "a dict's insert and delete", to_deliver, step, keep_and_drop, 4_000, is_used_up=True
    ),
    Pair("read the span", "a log call into a NullHandler", in_a_span, read_spans, log_in_span, 2_000),
    Pair("mask", "a log call into a NullHandler", to_mask, mask_all, log_all, 2_000),
    Pair("mask, sixteen at once", "a log call into a NullHandler", to_mask, leave_all, log_all, 2_000),
    Pair("mask two secrets", "a log call into a NullHandler", to_mask_with_hits, mask_all, log_all, 2_000),
    Pair("re.sub for each rule", "a log call into a NullHandler", to_mask, substitute_all, log_all, 200),
    Pair("timeline", "a dict of lists by record", events, timeline, by_sequence, EVENTS, "event", rounds=3),
    *(
        Pair(f"check {word}", "a look-up of each record", arranged, check(word), look_up, EVENTS, "event", 5)
        for word in CHECKED
    ),
)
