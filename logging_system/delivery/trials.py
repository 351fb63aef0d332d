"""Finds documents that the store refuses, and tells them from a store that refuses everything.

A refusal of a document alone is held against it only between two witnesses: other requests, one of which was
accepted just before it, and the next of which, sent after it, is accepted as well.

```
accepted ── refused alone ── accepted    counts
accepted ── refused alone ── no proof    says nothing
no proof ── refused alone ── …           says nothing
```

So one outage counts at most once, and only if it began within `WITNESS_SECONDS_MAX` after something was
accepted. Of a store that refuses each request by chance, with probability p, a refusal that counts comes
before the document is accepted with probability p(1-p) / (p(1-p) + 1-p) = p / (1+p), and `REFUSALS_MAX` of
them with that to the power of so many. A broken document is given up after so many acceptances, at its next
refusal.

Where nothing else is left to be sent, nothing can be told by others. But what is never given up holds the
spool's oldest segment, and a spool that is full of delivered records takes no new ones to judge it by. So in
the end, after `QUIET_SECONDS` in which a few documents failed and nothing else was there, these are given up.
They can be replayed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from logging_system.delivery.batches import Batch

REFUSALS_MAX = 8
"""With one broken server of three, that blames 1 good document in 65,000 of those refused alone."""

QUIET_SECONDS = 300.0
"""Since the store last took something, or was seen to have something of ours."""

QUIET_DOCUMENTS_MAX = 16
"""An outage that begins while an application logs leaves more than these."""

WITNESS_SECONDS_MAX = 2.0
"""No less than the longest pause between two tries, so that a try follows each acceptance in time."""


@dataclass(slots=True)
class Trials:
    """Decides which documents, refused when sent alone, are to blame.

    Attributes:
        failures: Requests with other documents that proved nothing or were refused.
        acceptances: Requests of which a document was accepted.
        accepted_seconds: When a document was last accepted, and nothing failed since; monotonic.
        heard_seconds: When the store last took a document or was seen to have one; never yet, infinite.
    """

    failures: int = 0
    acceptances: int = 0
    accepted_seconds: float = -math.inf
    heard_seconds: float = math.inf

    def begin(self, batch: Batch, now_seconds: float) -> None:
        """Take note that a document is sent alone, and whether the store accepted another just before.

        Args:
            batch: It alone.
            now_seconds: Monotonic time.
        """
        is_witnessed = now_seconds - self.accepted_seconds <= WITNESS_SECONDS_MAX
        batch.failures_before = self.failures if is_witnessed else -1

    def refused(self, batch: Batch, last_number: int) -> bool:
        """Take note that a document was refused alone; whether only it, as far as is known, is in trouble.

        Args:
            batch: It alone.
            last_number: The last request that went out: its second witness comes after that.
        """
        batch.refusals_alone += 1
        if batch.failures_before != self.failures:
            return False
        batch.refused_number = last_number
        return True

    def is_to_blame(self, batch: Batch, *, is_too_large: bool) -> bool:
        """Whether a document that was refused once more, perhaps for its size, is to be given up.

        Args:
            batch: The document, alone in it.
            is_too_large: Whether the store refused it for its size.
        """
        if is_too_large:  # it speaks of the document by its meaning: twice, another accepted between
            first = batch.acceptances_before
            batch.acceptances_before = self.acceptances if first < 0 else first
            return 0 <= first < self.acceptances
        return batch.refusals_witnessed >= REFUSALS_MAX

    def is_hopeless(self, batch: Batch, left: Iterable[Batch], now_seconds: float) -> bool:
        """Whether nothing is left to judge a batch by that failed once more.

        Args:
            batch: The batch.
            left: What else waits or is under way; nothing fresh does.
            now_seconds: Monotonic time.
        """
        is_quiet = now_seconds - self.heard_seconds >= QUIET_SECONDS and batch.failures >= REFUSALS_MAX
        return is_quiet and sum(len(one.items) for one in (batch, *left)) <= QUIET_DOCUMENTS_MAX

    def heard(self, now_seconds: float) -> None:
        """Take note that the store was seen to have a document of ours.

        Args:
            now_seconds: Monotonic time.
        """
        self.heard_seconds = now_seconds

    def accepted(self, number: int, batches: Iterable[Batch], now_seconds: float) -> None:
        """Take note of a request of which the store accepted a document.

        Args:
            number: Its number.
            batches: All that wait or are under way.
            now_seconds: Monotonic time.
        """
        self.accepted_seconds = self.heard_seconds = now_seconds
        self.acceptances += 1
        for batch in batches:
            if 0 < batch.refused_number < number:
                batch.refused_number = 0
                batch.refusals_witnessed += 1

    def failed(self, batches: Iterable[Batch]) -> None:
        """Take note of a request with other documents that proved nothing or was refused.

        Args:
            batches: All that wait or are under way.
        """
        self.failures += 1
        self.accepted_seconds = -math.inf
        for batch in batches:
            batch.refused_number = 0
