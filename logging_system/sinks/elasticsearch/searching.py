"""Requests whose answer somebody waits for, and searches read to their end: for tools, not for delivery."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import orjson

from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer, error_reason, parsed
from logging_system.sinks.elasticsearch.index_setup import Ask

JSON = "application/json"

_PAGES_MAX = 100_000
_SCROLL = "2m"
_MEMORY_BYTES_MAX = 8 * 1024 * 1024


class StoreError(OSError):
    """The store did not do what it was asked for; nothing secret is in the message.

    Args:
        what: What it said.
        is_answer: Whether it gave an answer.
    """

    def __init__(self, what: str, *, is_answer: bool = True) -> None:
        super().__init__(None, what)
        self.filename = "store"  # where others have a path
        self.is_answer = is_answer

    def __str__(self) -> str:
        return str(self.strerror)


def found_sources(ask: Ask, index: str, search: Mapping[str, object], size: int = 1000) -> Iterator[bytes]:
    """Yield the `_source` of every hit of a search, as one line of JSON each.

    All pages are read first, into a temporary file where they are many: whoever asks may have to wait for a
    key server with each of them, and the store keeps what it has found for two minutes only.

    Args:
        ask: Carries a request.
        index: Index, alias, data stream or pattern.
        search: The body of the search.
        size: Documents in one page.

    Raises:
        StoreError: The hits cannot be read to their end.
    """
    with tempfile.SpooledTemporaryFile(_MEMORY_BYTES_MAX) as staged:
        for source in _scrolled(ask, index, search, size):
            staged.write(orjson.dumps(source, option=orjson.OPT_APPEND_NEWLINE))
        staged.seek(0)
        yield from staged


def _scrolled(ask: Ask, index: str, search: Mapping[str, object], size: int) -> Iterator[object]:
    body = {"sort": ["_doc"], "size": size, **search}
    target = f"/{quote(index, safe=',*-')}/_search?scroll={_SCROLL}"
    answer = carried(ask, "POST", target, orjson.dumps(body), JSON, set())
    scroll_id = ""
    try:
        for _ in range(_PAGES_MAX):
            content = parsed(answer.body)
            scroll_id = str(content.get("_scroll_id") or scroll_id)
            found = content.get("hits")
            hits = found.get("hits") if isinstance(found, dict) else None
            if not isinstance(hits, list):
                raise StoreError("an answer to _search without hits")
            if not hits:
                return
            yield from (hit.get("_source") if isinstance(hit, dict) else None for hit in hits)
            more = orjson.dumps({"scroll": _SCROLL, "scroll_id": scroll_id})
            answer = carried(ask, "POST", "/_search/scroll", more, JSON, set())
    finally:
        if scroll_id:
            ask("DELETE", "/_search/scroll", orjson.dumps({"scroll_id": [scroll_id]}), JSON)


def carried(ask: Ask, method: str, target: str, body: bytes, kind: str, known: set[int]) -> HttpAnswer:
    """Return the answer to a request.

    Args:
        ask: Carries the request.
        method: HTTP method.
        target: Path and query.
        body: The body.
        kind: Its content type.
        known: Statuses that are no error, beside 2xx.

    Raises:
        StoreError: There is no answer, or one with another status.
    """
    answer = ask(method, target, body, kind)
    if isinstance(answer, NoAnswer):
        raise StoreError(answer.reason, is_answer=False)
    if not answer.is_success and answer.status not in known:
        raise StoreError(f"HTTP {answer.status}: {error_reason(parsed(answer.body).get('error'))}")
    return answer
