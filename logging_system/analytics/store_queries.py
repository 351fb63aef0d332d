"""Searches of the store whose answer somebody waits for: raw answers, typed errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from logging_system.sinks.elasticsearch.http_answer import NoAnswer, error_reason, parsed
from logging_system.sinks.elasticsearch.index_setup import Ask

SEARCHES_MAX = 100
"""Searches in one request; more are sent in several."""

_JSON = "application/json"
_NDJSON = "application/x-ndjson"
_TARGET_SAFE = ",*-"
_BUSY = frozenset({408, 429})


class StoreQueryError(Exception):
    """A question to the store has no answer; nothing secret is in the message."""


class StoreUnavailableError(StoreQueryError):
    """The store did not answer in time, or is not able to answer now: asking again later may help."""


class QueryRefusedError(StoreQueryError):
    """The store will not answer this question, however often it is asked.

    Args:
        reason: What the store said.
        status: The HTTP status.
        kind: The store's word for the error, such as `index_not_found_exception`; empty where it has none.
    """

    def __init__(self, reason: str, *, status: int, kind: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind


class StoreQueries(Protocol):
    """Asks a store; safe for threads."""

    def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answer to one search as the store gave it: it may be partial, which only it says.

        Args:
            target: Data streams, separated by commas, or patterns; empty where `body` names a point in time.
            body: The body of `_search`.

        Raises:
            StoreUnavailableError: No answer, none in time, or a store that cannot answer now.
            QueryRefusedError: An answer that is an error.
        """
        ...

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        """Return the answers to several searches, in their order; one that fails fails them all.

        Args:
            searches: Target and body of each, as for `search`; none is no request.

        Raises:
            StoreUnavailableError: As for `search`.
            QueryRefusedError: As for `search`.
        """
        ...


class ElasticsearchQueries:
    """Searches over the bounded connections of `logging_system`; fits `StoreQueries`.

    Args:
        ask: Carries a request, such as `ElasticsearchSink.request`; its time limit is that of each question.
        preference: Keeps searches with one name on the same copies of the shards, whose caches they then
            share and which tell one story; empty leaves the choice to the store.
    """

    def __init__(self, ask: Ask, *, preference: str = "") -> None:
        self._ask = ask
        self._preference = preference

    def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answer to one search; see `StoreQueries.search`."""
        path = "/_search"  # a point in time has its index and its copies already
        if target:
            # A namespace without a record yet has no data stream: nothing is found in it.
            preferred = f"&preference={quote(self._preference, safe='')}" if self._preference else ""
            path = f"/{quote(target, safe=_TARGET_SAFE)}/_search?ignore_unavailable=true{preferred}"
        return self.asked("POST", path, orjson.dumps(body))

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        """Return the answers to several searches; see `StoreQueries.multi_search`."""
        answers: list[Mapping[str, Any]] = []
        for at in range(0, len(searches), SEARCHES_MAX):
            answers += self._several(searches[at : at + SEARCHES_MAX])
        return answers

    def open_point(self, target: str, keep_alive: str) -> str:
        """Return the id of a point in time; see `PagingQueries.open_point`."""
        path = f"/{quote(target, safe=_TARGET_SAFE)}/_pit?keep_alive={quote(keep_alive, safe='')}"
        answer = self.asked("POST", f"{path}&ignore_unavailable=true")
        shards = answer.get("_shards")
        if isinstance(shards, dict) and shards.get("total") == 0:
            return ""
        return str(answer.get("id") or "")

    def close_point(self, point_id: str) -> None:
        """Let the store forget a point in time; see `PagingQueries.close_point`."""
        self._ask("DELETE", "/_pit", orjson.dumps({"id": point_id}), _JSON)

    def asked(self, method: str, path: str, body: bytes = b"", *, kind: str = _JSON) -> dict[str, Any]:
        """Return the JSON object that any request is answered with.

        Args:
            method: HTTP method.
            path: Path and query.
            body: The body as sent.
            kind: Its content type.

        Raises:
            StoreUnavailableError: As for `search`.
            QueryRefusedError: As for `search`.
        """
        answer = self._ask(method, path, body, kind)
        if isinstance(answer, NoAnswer):
            raise StoreUnavailableError(answer.reason)
        content = parsed(answer.body)
        if not answer.is_success:
            raise _error_of(answer.status, content.get("error"))
        if not content:
            raise StoreUnavailableError(f"HTTP {answer.status} without a JSON object; is it Elasticsearch?")
        return content

    def _several(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        lines = []
        for target, body in searches:
            lines += [orjson.dumps(self._header(target)), b"\n", orjson.dumps(body), b"\n"]
        content = self.asked("POST", "/_msearch", b"".join(lines), kind=_NDJSON)
        responses = content.get("responses")
        if not isinstance(responses, list) or len(responses) != len(searches):
            raise StoreUnavailableError("an answer to _msearch with other answers than were asked for")
        for response in responses:
            if not isinstance(response, dict):
                raise StoreUnavailableError("an answer to _msearch that holds no objects")
            if "error" in response:
                status = response.get("status")
                raise _error_of(status if isinstance(status, int) else 500, response["error"])
        return responses

    def _header(self, target: str) -> dict[str, object]:
        if not target:
            return {}
        preferred = {"preference": self._preference} if self._preference else {}
        return {"index": target, "ignore_unavailable": True, **preferred}


def _error_of(status: int, error: object) -> StoreQueryError:
    reason = f"HTTP {status}: {error_reason(error)}"
    if status in _BUSY or status >= 500:
        return StoreUnavailableError(reason)
    kind = error.get("type") if isinstance(error, dict) else None
    return QueryRefusedError(reason, status=status, kind=kind if isinstance(kind, str) else "")
