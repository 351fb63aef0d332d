"""What masking is measured on: documents of about 600 bytes, by the processor and by a loop of `re.sub`."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logging_system.masking.declaration import MaskDeclaration
from logging_system.masking.loading import rule_set_of
from logging_system.masking.processor import Mask
from logging_system.masking.rules import RULES
from logging_system.records.document import Record

DOCUMENT_BYTES = 600
_HIT = "login of alice@example.com with password=hunter2 "
# As such rules are usually run: each over the whole document, as far as Python's `re` reads it.
_LOOPED = tuple(
    re.compile(re.sub(r"\\x\{[0-9A-F]+\}", "", rule.pattern))
    for rule in RULES
    if not rule.is_opt_in and rule.pattern.count("(?i)") <= 1
)


@dataclass(frozen=True)
class ToMask:
    """Records whose JSON is made already, as it must be anyway, and what looks at them."""

    records: Sequence[Record]
    mask: Mask


def to_mask(number: int) -> ToMask:
    """Return documents without secrets; ids in them differ, so that no cache knows them."""
    return _to_mask(number, "")


def to_mask_with_hits(number: int) -> ToMask:
    """Return the same documents with two secrets each."""
    return _to_mask(number, _HIT)


def _to_mask(number: int, hit: str) -> ToMask:
    rng = random.Random(1)
    records = []
    for sequence in range(number):
        thread = {"name": "MainThread"}
        record = Record.of_document(
            {
                "@timestamp": "2026-01-01T00:00:00.000000Z",
                "message": f"{hit}request {rng.randbytes(16).hex()} was answered in {sequence} ms. ",
                "log": {"level": "info", "logger": "shop.checkout", "origin": {"function": "pay"}},
                "service": {"name": "checkout"},
                "process": {
                    "pid": 4711,
                    "entity_id": rng.randbytes(16).hex(),
                    "thread": thread,
                },
                "event": {"sequence": sequence},
                "labels": {
                    "order": sequence,
                    "user": rng.randrange(10_000),
                    "agent": "Mozilla/5.0 (X11) " * 11,
                },
            }
        )
        assert abs(len(record.encoded) - DOCUMENT_BYTES) < 100
        records.append(record)
    return ToMask(records, Mask(rule_set_of(MaskDeclaration())))


def mask_all(work: ToMask) -> list[object]:
    """Let the processor look at each record; a chain looks it up once, too."""
    process = work.mask.process
    return [process(record) for record in work.records]


def leave_all(work: ToMask) -> list[bool]:
    """Let the processor look at the records sixteen at once, as a handler's worker does."""
    documents = [record.encoded for record in work.records]
    leaves = work.mask.leaves
    return [leaves(documents[start : start + 16]) for start in range(0, len(documents), 16)]


def substitute_all(work: ToMask) -> list[str]:
    """Substitute each rule's expression in each document, one after the other."""
    shown = []
    for record in work.records:
        text = record.encoded.decode()
        for pattern in _LOOPED:
            text = pattern.sub("[masked]", text)
        shown.append(text)
    return shown


def _null_logger() -> logging.Logger:
    logger = logging.getLogger("tests.benchmarks.functions.masking")
    logger.handlers = [logging.NullHandler()]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return logger


def log_all(work: ToMask) -> None:
    """Make as many log calls into a NullHandler."""
    info: Callable[..., None] = _null_logger().info
    for sequence in range(len(work.records)):
        info("order %d was paid in %d ms", sequence, 23)
