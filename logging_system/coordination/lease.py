"""The lead among engines: a lease on one document of the store, taken and renewed by compare-and-set.

A document is replaced only where nobody has replaced it since it was read (`if_seq_no`, `if_primary_term`).
No clock of another machine is believed: whoever waits takes the lead when the document has not changed for
one and a half times the lease by his own monotonic clock, and whoever leads counts from before he asked for
the renewal. The number that each change of the lead raises is the fencing token of all shared steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

LEASE_SECONDS = 60.0
_RENEW_SHARE = 3.0
_TAKE_OVER_SHARE = 1.5
LEASE_ID = "lead"


class StoreUnavailableError(Exception):
    """The store could not be asked, or what it did is not known."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as the store has it.

    Attributes:
        content: What is in it.
        seq_no: Its `_seq_no`.
        primary_term: Its `_primary_term`.
    """

    content: dict[str, object]
    seq_no: int
    primary_term: int


class SharedDocuments(Protocol):
    """A few documents of the store, each read and replaced at once, and compared first."""

    def read(self, document_id: str) -> Stored | None:
        """Return a document; None where there is none.

        Args:
            document_id: Its id in the store: of the lead, or a claim's key.

        Raises:
            StoreUnavailableError: It cannot be said.
        """

    def create(self, document_id: str, content: dict[str, object]) -> bool:
        """Make a document; return False where there is one already.

        Args:
            document_id: Its id in the store.
            content: What is in it, as JSON can hold it; one with `until_seconds` is removed after that.

        Raises:
            StoreUnavailableError: It may have been made, or not.
        """

    def replace(self, document_id: str, content: dict[str, object], before: Stored) -> bool:
        """Replace a document; return False where it is not the one before any more.

        Args:
            document_id: Its id in the store.
            content: All that is in it from now on.
            before: The document as it was read: its `seq_no` and `primary_term` are compared.

        Raises:
            StoreUnavailableError: It may have been replaced, or not.
        """

    def remove_old(self, now_seconds: float) -> int:
        """Remove the documents whose `until_seconds` is past, and return how many; those without it stay.

        Args:
            now_seconds: Seconds since 1970.

        Raises:
            StoreUnavailableError: Some may have been removed.
        """


class Lease:
    """Takes, keeps and gives up the lead.

    Args:
        documents: The store.
        owner: Who this is: no two that live at once have one name. One that comes back under its name leads
            at once, under a new token.
        lease_seconds: How long a renewal is good for.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        documents: SharedDocuments,
        owner: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._documents, self._owner = documents, owner
        self._lease_seconds, self._monotonic = lease_seconds, monotonic
        self._token = 0
        self._until_seconds = float("-inf")
        self._due_seconds = float("-inf")
        self._seen: tuple[int, int] | None = None
        self._seen_seconds = 0.0

    def token(self, for_seconds: float = 0.0) -> int:
        """Return the fencing token where this engine leads for so many seconds at least, and 0 otherwise.

        Args:
            for_seconds: How long from now, by the clock that is never set. The store is not asked.
        """
        return self._token if self._monotonic() + for_seconds < self._until_seconds else 0

    def look(self) -> bool:
        """Renew the lead, or take it where nobody has it; return whether this engine leads.

        It asks the store three times in a lease at most.

        Raises:
            StoreUnavailableError: The store cannot be asked; what was had before holds to its end.
        """
        now_seconds = self._monotonic()
        if now_seconds >= self._due_seconds:
            self._due_seconds = now_seconds + self._lease_seconds / _RENEW_SHARE
            self._ask(now_seconds)
        return bool(self.token())

    def give_up(self) -> None:
        """Let another engine lead at once; raises as `look`."""
        leads, self._until_seconds = bool(self.token()), float("-inf")
        if not leads:
            return
        stored = self._documents.read(LEASE_ID)
        if stored is not None and stored.content.get("owner") == self._owner:
            self._documents.replace(LEASE_ID, {"owner": "", "token": self._token}, stored)

    def _ask(self, now_seconds: float) -> None:
        stored = self._documents.read(LEASE_ID)
        if stored is None:
            if self._documents.create(LEASE_ID, {"owner": self._owner, "token": 1}):
                self._has(1, now_seconds)
            return
        token = stored.content.get("token")
        before = token if isinstance(token, int) else 0
        if stored.content.get("owner") == self._owner and before == self._token:
            # Its own: the token stays the same, and the document changes all the same.
            self._replace(stored, before, now_seconds)
        elif self._is_free(stored, now_seconds):
            self._replace(stored, before + 1, now_seconds)

    def _is_free(self, stored: Stored, now_seconds: float) -> bool:
        place = (stored.seq_no, stored.primary_term)
        if place != self._seen:
            self._seen, self._seen_seconds = place, now_seconds
        if stored.content.get("owner") in {"", None, self._owner}:
            return True
        return now_seconds - self._seen_seconds >= _TAKE_OVER_SHARE * self._lease_seconds

    def _replace(self, stored: Stored, token: int, now_seconds: float) -> None:
        if self._documents.replace(LEASE_ID, {"owner": self._owner, "token": token}, stored):
            self._has(token, now_seconds)
        elif token == self._token:
            self._until_seconds = float("-inf")

    def _has(self, token: int, now_seconds: float) -> None:
        self._token, self._until_seconds = token, now_seconds + self._lease_seconds
