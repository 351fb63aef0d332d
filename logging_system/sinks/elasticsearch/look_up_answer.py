"""Reads the answer of a multi-get strictly: which documents are stored, so that none is stored twice.

An id is unique in one backing index only: sent again after a rollover, `create` meets no conflict in the new
one. Multi-get reads the translog, so a document is found the moment it is stored, refreshed or not
(https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-multi-get.html).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from logging_system.delivery.outcomes import CannotLookUp, Found, LookUpOutcome, Unknown
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer, parsed

_CANNOT = frozenset({400, 403, 404, 405, 501})
_GONE = "index_not_found_exception"


def read_look_up_answer(
    answer: HttpAnswer | NoAnswer, ids: Sequence[str], indices: Collection[str]
) -> LookUpOutcome:
    """Say what the answer of a multi-get proves.

    Args:
        answer: What came back: a document per id and index, in any order.
        ids: The ids asked for.
        indices: Indices that were asked: an answer without one of them is not whole. It may speak of more.
    """
    if isinstance(answer, NoAnswer):
        return Unknown(answer.reason)
    if answer.status in _CANNOT:
        return CannotLookUp(f"look-up: HTTP {answer.status}")
    docs = _documents(answer.body) if answer.is_success else None
    if docs is None:
        return Unknown(f"look-up: HTTP {answer.status} with a body that is not a multi-get response")
    asked: dict[str, set[str]] = {}
    found: set[str] = set()
    for doc in docs:
        index, document_id, state = _read(doc)
        if state is None:
            return Unknown(
                f"look-up: index {index or 'not named'} could not read {document_id or 'a document'}"
            )
        asked.setdefault(index, set()).add(document_id)
        if state:
            found.add(document_id)
    wanted = set(ids)
    # Every index that the answer speaks of was asked for every id, or the answer is not whole.
    if not asked or not asked.keys() >= set(indices) or any(seen != wanted for seen in asked.values()):
        return Unknown("look-up: the multi-get response does not cover every document")
    return Found(frozenset(found))


def _documents(body: bytes) -> list[object] | None:
    docs = parsed(body).get("docs")
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
