"""What a sink says of each document, for tests."""

from __future__ import annotations

from logging_system.delivery.outcomes import (
    DocumentOutcome,
    LookUpOutcome,
    OneForEach,
    SameForAll,
    SendOutcome,
)


def each_outcome(outcome: SendOutcome | LookUpOutcome, documents: int) -> tuple[DocumentOutcome, ...]:
    """The outcome of each of so many documents; fails where nothing is told of them one by one."""
    assert isinstance(outcome, SameForAll | OneForEach), outcome
    told = outcome.each(documents)
    assert len(told) == documents
    return told


def outcome_of_one(outcome: SendOutcome | LookUpOutcome) -> DocumentOutcome:
    """The outcome of the one document that was sent."""
    return each_outcome(outcome, 1)[0]


def kinds(outcome: SendOutcome | LookUpOutcome, documents: int) -> list[type[DocumentOutcome]]:
    """The kind of each document's outcome."""
    return [type(each) for each in each_outcome(outcome, documents)]
