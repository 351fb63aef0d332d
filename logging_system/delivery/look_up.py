"""Tells which documents of a doubtful batch are stored already, so that a rollover makes no second copy.

An id is unique in one backing index only: sent again after a rollover, `create` meets no conflict in the new
one.
Multi-get reads the translog, so a document is found the moment it is stored, refreshed or not
(https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-multi-get.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from logging_system.delivery.answers import Answer, NoAnswer, Unproved

INDICES_MAX = 16
"""Backing indices asked at most, the newest: a doubt is younger than that many rollovers."""

_CANNOT = frozenset({400, 403, 404, 405, 501})
_GONE = "index_not_found_exception"


@dataclass(frozen=True, slots=True)
class Found:
    """For every document it is proved whether it was stored.

    Attributes:
        ids: The ids that were.
    """

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class CannotLookUp:
    """This store, or this user, has no look-up: sending again is all there is."""

    reason: str


@dataclass(slots=True)
class WriteIndices:
    """The backing indices that answers named, in the order in which they became the write index."""

    names: list[str] = field(default_factory=list)
    _dropped: int = 0

    def saw(self, name: str) -> None:
        """Take note of the index that took a document."""
        if not name or name in self.names:
            return
        self.names.append(name)
        if len(self.names) > INDICES_MAX:
            del self.names[0]
            self._dropped += 1

    def mark(self) -> int:
        """Return the place of the newest; -1 if none is known."""
        return self._dropped + len(self.names) - 1

    def since(self, mark: int) -> tuple[str, ...]:
        """Return the names from a place on; none, which means all there are, for -1."""
        return () if mark < 0 else tuple(self.names[max(0, mark - self._dropped) :])


def judge_look_up(
    answer: Answer | NoAnswer, ids: Sequence[str], indices: Sequence[str]
) -> Found | Unproved | CannotLookUp:
    """Say what the answer of a multi-get proves.

    Args:
        answer: What came back: a document per id and index, in any order.
        ids: The ids asked for.
        indices: Indices that must have been asked; the answer may speak of more.
    """
    if isinstance(answer, NoAnswer):
        return Unproved(answer.reason)
    if answer.status in _CANNOT:
        return CannotLookUp(f"look-up: HTTP {answer.status}")
    docs = _documents(answer.body) if 200 <= answer.status < 300 else None
    if docs is None:
        return Unproved(f"look-up: HTTP {answer.status} that is no multi-get answer")
    asked: dict[str, set[str]] = {}
    found: set[str] = set()
    for doc in docs:
        index, document_id, state = _read(doc)
        if state is None:
            return Unproved(f"look-up: {document_id or 'a document'} could not be read in {index}")
        asked.setdefault(index, set()).add(document_id)
        if state:
            found.add(document_id)
    wanted = set(ids)
    # Every index that the answer speaks of was asked for every id, or the answer is not whole.
    if (
        not asked
        or not asked.keys() >= {*indices, *answer.asked}
        or any(seen != wanted for seen in asked.values())
    ):
        return Unproved("look-up: the answer does not cover every document")
    return Found(frozenset(found))


def _documents(body: bytes) -> list[object] | None:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    docs = content.get("docs") if isinstance(content, dict) else None
    return docs if isinstance(docs, list) else None


def _read(doc: object) -> tuple[str, str, bool | None]:
    """Return index, id, and whether the document is there; None where the answer does not say."""
    if not isinstance(doc, dict):
        return "", "", None
    index, document_id, state = doc.get("_index"), doc.get("_id"), doc.get("found")
    if not isinstance(index, str) or not isinstance(document_id, str):
        return "", "", None
    error = doc.get("error")
    if isinstance(error, dict) and error.get("type") == _GONE:
        # Removed with all it held, by its lifecycle: nothing of it can be there twice.
        return index, document_id, False
    return index, document_id, state if isinstance(state, bool) and error is None else None
