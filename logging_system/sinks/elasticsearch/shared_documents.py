"""A few small documents that several processes read and replace, each compared before it is replaced.

They are in a hidden index of their own. A write is durable on one shard's translog before it is answered
(`index.translog.durability` is `request`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from logging_system.sinks.elasticsearch.http_answer import error_reason, parsed
from logging_system.sinks.elasticsearch.index_setup import Ask
from logging_system.sinks.elasticsearch.index_template import OWNER
from logging_system.sinks.elasticsearch.searching import JSON, StoreError, carried, found_sources

REMOVED_AT_ONCE_MAX = 500
_NDJSON = "application/x-ndjson"
DEFAULT_INDEX = "logging-system-coordination"
_SETUP: Mapping[str, object] = {
    "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}},
    "mappings": {"dynamic": False, "_meta": {"managed_by": OWNER}, "properties": {}},
}


@dataclass(frozen=True, slots=True)
class VersionedDocument:
    """A document as the store has it.

    Attributes:
        content: Its `_source`.
        seq_no: Its `_seq_no`.
        primary_term: Its `_primary_term`.
    """

    content: dict[str, object]
    seq_no: int
    primary_term: int


class DocumentIndex:
    """The index; safe for threads where `ask` is.

    Args:
        ask: Carries a request.
        name: The index.
    """

    def __init__(self, ask: Ask, name: str = DEFAULT_INDEX) -> None:
        self._ask = ask
        self._name, self._path = name, f"/{quote(name, safe='')}"
        self._is_prepared = False

    def read(self, document_id: str) -> VersionedDocument | None:
        """Return a document as it is now, whether or not a search finds it; None where there is none.

        Raises:
            StoreError: It cannot be said.
        """
        target = f"{self._path}/_doc/{quote(document_id, safe='')}?realtime=true"
        answer = carried(self._ask, "GET", target, b"", JSON, {404})
        content = parsed(answer.body)
        if answer.status == 404:
            return None
        source, seq_no, term = (content.get(name) for name in ("_source", "_seq_no", "_primary_term"))
        if not isinstance(source, dict) or not isinstance(seq_no, int) or not isinstance(term, int):
            raise StoreError("an answer without a document and its _seq_no")
        return VersionedDocument(source, seq_no, term)

    def create(self, document_id: str, content: Mapping[str, object]) -> bool:
        """Make a document; False where there is one already. Raises as `replace`."""
        self._prepare()
        return self._put(f"{self._path}/_create/{quote(document_id, safe='')}", content)

    def replace(
        self, document_id: str, content: Mapping[str, object], *, seq_no: int, primary_term: int
    ) -> bool:
        """Replace a document.

        Args:
            document_id: Which.
            content: What is in it from now on.
            seq_no: The `_seq_no` of the version to be replaced.
            primary_term: Its `_primary_term`.

        Returns:
            False where it is not that version any more.

        Raises:
            StoreError: It may have been replaced or not.
        """
        compared = f"if_seq_no={seq_no}&if_primary_term={primary_term}"
        return self._put(f"{self._path}/_doc/{quote(document_id, safe='')}?{compared}", content)

    def sources(self) -> Iterator[bytes]:
        """Yield what is in each document, as a line of JSON; raises StoreError where that cannot be said."""
        # Who may not refresh sees what was there a second ago.
        carried(self._ask, "POST", f"{self._path}/_refresh", b"", JSON, {401, 403})
        yield from found_sources(self._ask, self._name, {"query": {"match_all": {}}})

    def remove(self, document_ids: Sequence[str]) -> None:
        """Remove documents; those that are gone already are no error.

        Args:
            document_ids: Any number; asked for in requests of `REMOVED_AT_ONCE_MAX` each.

        Raises:
            StoreError: Not all of them are gone.
        """
        for at in range(0, len(document_ids), REMOVED_AT_ONCE_MAX):
            some = document_ids[at : at + REMOVED_AT_ONCE_MAX]
            lines = b"".join(orjson.dumps({"delete": {"_id": each}}) + b"\n" for each in some)
            answer = parsed(carried(self._ask, "POST", f"{self._path}/_bulk", lines, _NDJSON, set()).body)
            items = answer.get("items")
            statuses = [each["delete"]["status"] for each in items] if isinstance(items, list) else []
            if len(statuses) != len(some) or any(each not in {200, 404} for each in statuses):
                raise StoreError(f"an answer to _bulk with the statuses {sorted(set(statuses))}")

    def _put(self, target: str, content: Mapping[str, object]) -> bool:
        return carried(self._ask, "PUT", target, orjson.dumps(content), JSON, {409}).status != 409

    def _prepare(self) -> None:
        """Make the index, unless it is there: made by a first document it would not be hidden."""
        if self._is_prepared:
            return
        made = carried(self._ask, "PUT", self._path, orjson.dumps(_SETUP), JSON, {400})
        if made.status == 400 and b"resource_already_exists_exception" not in made.body:
            raise StoreError(f"HTTP 400: {error_reason(parsed(made.body).get('error'))}")
        self._is_prepared = True
