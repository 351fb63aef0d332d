"""The shared documents of engines in Elasticsearch, or in whatever answers as it does."""

from __future__ import annotations

import orjson

from logging_system.coordination.lease import Stored, StoreUnavailableError
from logging_system.sinks.elasticsearch.searching import StoreError
from logging_system.sinks.elasticsearch.shared_documents import DocumentIndex


class StoredDocuments:
    """The documents in an index; see `SharedDocuments`.

    Args:
        index: The index.
    """

    def __init__(self, index: DocumentIndex) -> None:
        self._index = index

    def read(self, document_id: str) -> Stored | None:
        """Return a document."""
        try:
            found = self._index.read(document_id)
        except StoreError as error:
            raise StoreUnavailableError(str(error)) from error
        return None if found is None else Stored(found.content, found.seq_no, found.primary_term)

    def create(self, document_id: str, content: dict[str, object]) -> bool:
        """Make a document."""
        try:
            return self._index.create(document_id, content)
        except StoreError as error:
            raise StoreUnavailableError(str(error)) from error

    def replace(self, document_id: str, content: dict[str, object], before: Stored) -> bool:
        """Replace a document."""
        try:
            return self._index.replace(
                document_id, content, seq_no=before.seq_no, primary_term=before.primary_term
            )
        except StoreError as error:
            raise StoreUnavailableError(str(error)) from error

    def remove_old(self, now_seconds: float) -> int:
        """Remove documents whose time is past."""
        try:
            old = [key for source in self._index.sources() if (key := _old_key(source, now_seconds))]
            self._index.remove(old)
        except StoreError as error:
            raise StoreUnavailableError(str(error)) from error
        return len(old)


def _old_key(source: bytes, now_seconds: float) -> str:
    """Return the id of a document whose time is past; empty of any other."""
    content = orjson.loads(source)
    key, until_seconds = (
        (content.get("key"), content.get("until_seconds")) if isinstance(content, dict) else (None, None)
    )
    is_old = isinstance(until_seconds, int | float) and until_seconds < now_seconds
    return key if is_old and isinstance(key, str) else ""
