"""The NDJSON of a bulk request, put together while it is sent: it is never in memory as a whole.

Per document a create action and the document itself:
https://www.elastic.co/guide/en/elasticsearch/reference/current/docs-bulk.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logging_system.delivery.commands import Item
from logging_system.delivery.runs import Run, documents_bytes

PIECE_RECORDS = 256
"""Documents in one piece: so few that a piece takes little memory, so many that sending it costs little."""

_BEFORE, _AFTER = b'{"create":{"_id":"', b'"}}\n'


class BulkBody:
    """The body of one request; it can be sent again.

    Args:
        items: The documents.
        runs: The runs that they are made of.
    """

    def __init__(self, items: Sequence[Item], runs: Sequence[Run]) -> None:
        self._items = items
        self._runs = runs

    def __len__(self) -> int:
        """Return the bytes of all pieces together."""
        ids_bytes = sum(run.ids_bytes for run in self._runs)
        around_bytes = len(_BEFORE) + len(_AFTER) + len(b"\n")
        return documents_bytes(self._items) + ids_bytes + around_bytes * len(self._items)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body in pieces."""
        place = 0
        for run in self._runs:
            for first in range(run.first, run.end, PIECE_RECORDS):
                part = run._replace(first=first, end=min(first + PIECE_RECORDS, run.end))
                count = part.end - part.first
                lines = [b"\n"] * (3 * count)
                lines[0::3] = part.with_ids(_BEFORE, _AFTER)
                lines[1::3] = [item.document for item in self._items[place : place + count]]
                yield b"".join(lines)
                place += count
