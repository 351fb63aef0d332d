"""Tells a document that makes the store stumble from a store that stumbles.

Some broken documents are answered with 500 for ever. Retried for ever, one of them would hold the checkpoint,
and in the end the spool. But a shard that is lost answers 5xx as well, for its share of the documents, while
the others succeed; so a document is blamed only where such answers are rare among documents accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from logging_system.delivery.answers import ItemResult

TRIES_MAX = 8
"""Failures with company before a document is sent alone."""

ACCEPTED_PER_SUSPECT = 20
"""Documents accepted since, for each one under suspicion: a lost shard fails a larger share than that."""

BLAMED_STATUS = 500
"""502, 503, 504 and 507 speak of the store by their meaning; they are never held against a document."""

_STORE_TROUBLE = (
    "io_exception",
    "translog",
    "shard",
    "engine",
    "node_",
    "circuit_breaking",
    "timeout",
    "disk",
)


@dataclass(slots=True)
class _Record:
    accepted_before: int
    failures: int = 0


@dataclass(slots=True)
class Suspects:
    """Documents that failed with 500 while others were accepted."""

    _records: dict[str, _Record] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._records)

    def failed(self, document_id: str, result: ItemResult, accepted: int) -> None:
        """Take note of an item that is to be retried.

        Args:
            document_id: Its id.
            result: What the answer said of it.
            accepted: Documents accepted so far.
        """
        kind = result.reason.partition(":")[0]
        if result.status != BLAMED_STATUS or any(word in kind for word in _STORE_TROUBLE):
            self._records.pop(document_id, None)
            return
        record = self._records.setdefault(document_id, _Record(accepted))
        record.failures += 1

    def cleared(self, document_id: str) -> None:
        """Take note that a document is done."""
        self._records.pop(document_id, None)

    def is_to_be_sent_alone(self, document_id: str, accepted: int) -> bool:
        """Whether only a request of its own can tell more.

        Args:
            document_id: Its id.
            accepted: Documents accepted so far.
        """
        record = self._records.get(document_id)
        if record is None or record.failures < TRIES_MAX:
            return False
        return accepted - record.accepted_before >= ACCEPTED_PER_SUSPECT * len(self._records)
