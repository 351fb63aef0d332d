"""One request of a story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, the same to both stores.

    Args:
        method: In capitals.
        path: With its query string.
        body: JSON, lines of a bulk, text that is sent as it is, or None. A line of a bulk may be text, too.
        writes: Whether it changes the store: when ours refuses it, the two go apart and the story ends.
        may_fail: Whether it writes something that the rest of the story can do without: refused by ours
            only, it is taken out of the real store again, and the story goes on.
    """

    method: str
    path: str
    body: Any = None
    writes: bool = False
    may_fail: bool = False

    def content(self) -> bytes | None:
        """The body as it is sent."""
        if self.body is None:
            return None
        if isinstance(self.body, list):
            return b"".join(bytes_of(line) + b"\n" for line in self.body)
        return bytes_of(self.body)

    def as_json(self) -> Json:
        """As the corpus keeps it."""
        kept = {"method": self.method, "path": self.path, "body": self.body, "writes": self.writes}
        return {**kept, "may_fail": True} if self.may_fail else kept


def bytes_of(value: Any) -> bytes:
    """A body or a line of one: text as it is, anything else as JSON."""
    return value.encode() if isinstance(value, str) else orjson.dumps(value)
