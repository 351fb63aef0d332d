"""Finds documents that make the store fail each time, and tells them from a store that is failing.

Some broken documents make a store fail inside each time (Elasticsearch answers 500). Retried for ever, one
of them would hold the checkpoint, and in the end the spool. But a shard that is lost fails as well, for its
share of the documents, while the others succeed; so a document is blamed only where such failures are rare
among documents accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from logging_system.delivery.commands import Item
from logging_system.delivery.outcomes import Retry

FAILURES_WITH_COMPANY = 2
"""Failures that count before a document is sent alone; failing once more then, it is blamed."""

ACCEPTED_PER_SUSPECT = 20
"""Documents accepted between two failures that count, for each document under suspicion.

A lost shard fails a larger share than that; and an outage with a pause in it has one failure that counts
after each pause, not one for each try.
"""


@dataclass(slots=True)
class _Record:
    accepted_before: int
    failures: int = 0


@dataclass(slots=True)
class Suspects:
    """Documents that made the store fail while others were accepted."""

    _records: dict[str, _Record] = field(default_factory=dict)

    def failed(self, document_id: str, retry: Retry, accepted: int) -> None:
        """Take note of a document that is to be sent again.

        Args:
            document_id: Its id.
            retry: What the store said of it.
            accepted: Documents accepted so far.
        """
        if not retry.is_suspect:
            self._records.pop(document_id, None)
            return
        record = self._records.setdefault(document_id, _Record(accepted))
        if accepted - record.accepted_before >= ACCEPTED_PER_SUSPECT * len(self._records):
            record.failures += 1
            record.accepted_before = accepted

    def cleared(self, items: Sequence[Item]) -> None:
        """Take note that documents are done."""
        if self._records:
            for item in items:
                self._records.pop(item.id, None)

    def is_to_be_sent_alone(self, document_id: str, *, is_hopeless: bool) -> bool:
        """Whether only sending it alone can tell more, or nothing else is left, see `trials.py`.

        Args:
            document_id: The document's, in the store.
            is_hopeless: Whether nothing else is left to tell by: see `Trials.is_hopeless`.
        """
        return is_hopeless or self._failures(document_id) >= FAILURES_WITH_COMPANY

    def is_to_blame(self, document_id: str, *, is_hopeless: bool) -> bool:
        """Whether a document that failed alone is to be given up.

        Args:
            document_id: The document's, in the store.
            is_hopeless: Whether nothing else is left to tell by: see `Trials.is_hopeless`.
        """
        if is_hopeless:
            return document_id in self._records
        return self._failures(document_id) > FAILURES_WITH_COMPANY

    def _failures(self, document_id: str) -> int:
        record = self._records.get(document_id)
        return record.failures if record is not None else 0
