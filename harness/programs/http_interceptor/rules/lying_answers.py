"""`lying_answers`: a 200 for a request that the store never saw; whoever believes it loses records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from harness.programs.http_interceptor.bulk import JSON, Item, NotBulkError, all_created, items_of, packed
from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request, made_up
from harness.programs.http_interceptor.rules.kind import Kind, require

_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head>"
    b"<body><form action='/login' method='post'><input name='user'></form></body></html>"
)


def _html(items: Sequence[Item]) -> Answer:
    return made_up(200, b"OK", b"text/html; charset=utf-8", _PAGE)


def _truncated(items: Sequence[Item]) -> Answer:
    whole = all_created(items)
    return made_up(200, b"OK", JSON, whole[: len(whole) // 2])


def _gzipped(items: Sequence[Item]) -> Answer:
    return made_up(200, b"OK", JSON, packed(all_created(items)))


def _wrong_count(items: Sequence[Item]) -> Answer:
    return made_up(200, b"OK", JSON, all_created(items[:-1]))


def _empty(items: Sequence[Item]) -> Answer:
    return made_up(200, b"OK", JSON, b"")


_LIES: dict[str, Callable[[Sequence[Item]], Answer]] = {
    "html": _html,
    "truncated": _truncated,
    "gzipped": _gzipped,
    "wrong_count": _wrong_count,
    "empty": _empty,
}


@dataclass(frozen=True)
class LyingAnswers(Kind):
    """A sign-in page, half a bulk answer, gzip that no header tells of, one item too few, or nothing."""

    lie: str = "html"

    def __post_init__(self) -> None:
        require(self.lie in _LIES, f"lie must be one of {sorted(_LIES)}, got {self.lie!r}")

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Answer without the store."""
        try:
            items = items_of(request)
        except NotBulkError:
            note("not_bulk", 1)
            items = []
        note("lied", 1)
        note("items_lied_about", len(items))
        return _LIES[self.lie](items)
