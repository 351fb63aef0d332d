"""A stored document that a query looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.programs.elastic_lite.storage.documents import parse_stored

Json = dict[str, Any]


class Candidate:
    """One stored document; its source is parsed when first asked for."""

    __slots__ = ("id", "ignored", "parsed", "raw", "seq_no")

    def __init__(self, document_id: str, raw: bytes, ignored: str | None = None, seq_no: int = 0) -> None:
        self.id = document_id
        self.raw = raw
        self.ignored = ignored
        self.seq_no = seq_no
        self.parsed: Json | None = None

    @property
    def source(self) -> Json:
        """The document's object."""
        if self.parsed is None:
            self.parsed = parse_stored(self.raw)
        return self.parsed


def never(_: Candidate) -> bool:
    """The matcher of a query that finds nothing, which Elasticsearch sees only when it runs it."""
    return False


def ignored_as_json(ignored: str | None) -> Json:
    """What an answer tells of the fields with a value that is kept and not indexed."""
    return {} if ignored is None else {"_ignored": ignored.split(",")}


Matcher = Callable[[Candidate], bool]


def everything(_: Candidate) -> bool:
    """The matcher of match_all, recognised by identity where nothing needs to be read."""
    return True


def nothing(_: Candidate) -> bool:
    """The matcher of match_none."""
    return False
