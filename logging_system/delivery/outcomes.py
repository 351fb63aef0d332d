"""What became of a request, in the words that every sink speaks to the delivery machine.

A sink says of each document, or of all alike, that it is stored, is to be sent again or is refused. Where it
cannot tell, it says `Unknown`: only what is proved beyond doubt is ever said to be stored.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The store took the document.

    Attributes:
        index: The backing index that took it; empty where the store has none.
    """

    index: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The store has a document of this id already, from an attempt before; as `Delivered`."""

    index: str = ""


@dataclass(frozen=True, slots=True)
class Redirected:
    """The document is durable, but in another place than the one asked for, such as a failure store."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The document is not known to be stored and may be sent again.

    Attributes:
        reason: Why, for people.
        status: The store's own number for it, such as an HTTP status; 0 where it has none.
        is_pushed_back: Whether the store has more to do than it can: fewer requests are to be under way.
        may_have_stored: Whether the document may be stored all the same; it is looked up before it is sent.
        is_suspect: Whether the document itself may be at fault, and not the store: see `suspects.py`.
    """

    reason: str
    status: int = 0
    is_pushed_back: bool = False
    may_have_stored: bool = True
    is_suspect: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The store will never take this document: it becomes a dead letter.

    Attributes:
        reason: Why, in the store's words.
        status: The store's own number for it; 0 where it has none.
    """

    reason: str
    status: int = 0


DocumentOutcome = Delivered | Conflict | Redirected | Retry | Refused


@dataclass(frozen=True, slots=True)
class SameForAll:
    """One outcome stands for every document of the request.

    Attributes:
        outcome: The outcome of each.
        retry_after_seconds: How long the store asks to wait before anything is sent again, if it does.
    """

    outcome: DocumentOutcome
    retry_after_seconds: float | None = None

    def each(self, documents: int) -> tuple[DocumentOutcome, ...]:
        """Return an outcome for each of so many documents."""
        return (self.outcome,) * documents


@dataclass(frozen=True, slots=True)
class OneForEach:
    """An outcome for every document of the request, in the order sent; otherwise as `SameForAll`."""

    outcomes: tuple[DocumentOutcome, ...]
    retry_after_seconds: float | None = None

    def each(self, documents: int) -> tuple[DocumentOutcome, ...]:
        """Return the outcomes; fewer or more than `documents` where the sink is mistaken."""
        del documents
        return self.outcomes


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The store refused the request as a whole: one of its documents, or its size, is at fault.

    Attributes:
        reason: Why, in the store's words.
        status: The store's own number for it; 0 where it has none.
        is_too_large: Whether the size is what it refused.
    """

    reason: str
    status: int = 0
    is_too_large: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is proved of any document: no answer came, or one that cannot be believed.

    Attributes:
        reason: What went wrong, for people.
        retry_after_seconds: How long the store asks to wait, if it does.
        may_have_stored: False only where it is certain that the store took no document of the request.
    """

    reason: str
    retry_after_seconds: float | None = None
    may_have_stored: bool = True


SendOutcome = SameForAll | OneForEach | RequestRefused | Unknown


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up told of every document whether it is stored.

    Attributes:
        ids: The ids of those that are.
    """

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class CannotLookUp:
    """This store, or this user, cannot look documents up: they are sent again without.

    Attributes:
        reason: Why, for people.
    """

    reason: str


LookUpOutcome = Found | CannotLookUp | Unknown
