"""Logging handlers with one planted bug each, small enough to see it, real enough to be caught.

All of them post NDJSON to an Elasticsearch's `_bulk` over a link that a scenario hurts. A log call that
returned counts as acknowledged (`acknowledged_by: return`).
"""

from __future__ import annotations

import http.client
import json
import logging
import queue
import threading
import uuid
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 0.5
_ATTEMPTS_MAX = 60
_BATCH_RECORDS = 50


class _Bulk:
    """The part all of them have in common: one bulk request, and whether it was answered."""

    def __init__(self, url: str, index: str) -> None:
        self._address = urlsplit(url)
        self._path = f"/{index}/_bulk"

    def post(self, documents: list[tuple[str | None, str]]) -> bool:
        lines = []
        for identity, message in documents:
            lines.append(json.dumps({"create": {"_id": identity} if identity else {}}))
            lines.append(json.dumps({"@timestamp": "2026-01-01T00:00:00Z", "message": message}))
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=_TIMEOUT_SECONDS
        )
        try:
            connection.request(
                "POST",
                self._path,
                ("\n".join(lines) + "\n").encode(),
                {"Content-Type": "application/x-ndjson"},
            )
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        else:
            return answer.status == 200
        finally:
            connection.close()


class _Queued(logging.Handler):
    """A queue and a thread that sends; what a failed request leads to is each subclass's own bug."""

    def __init__(self, url: str, index: str) -> None:
        super().__init__()
        self.bulk = _Bulk(url, index)
        self._waiting: queue.Queue[str] = queue.Queue()
        self._closing = threading.Event()
        self._sender = threading.Thread(target=self._send_all, daemon=True)
        self._sender.start()

    def emit(self, record: logging.LogRecord) -> None:
        self._waiting.put(record.getMessage())

    def close(self) -> None:
        self._closing.set()
        self._sender.join(timeout=5)
        super().close()

    def deliver(self, messages: list[str]) -> None:
        raise AssertionError("each bad stack has a delivery of its own")

    def _send_all(self) -> None:
        while not (self._closing.is_set() and self._waiting.empty()):
            messages = self._take()
            if messages:
                self.deliver(messages)

    def _take(self) -> list[str]:
        messages = []
        try:
            messages.append(self._waiting.get(timeout=0.05))
            while len(messages) < _BATCH_RECORDS:
                messages.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return messages


class LosesUnderRetry(_Queued):
    """Its bug: a batch that has to be sent again loses its first record."""

    def deliver(self, messages: list[str]) -> None:
        documents = [(uuid.uuid4().hex, message) for message in messages]
        for _ in range(_ATTEMPTS_MAX):
            if not documents or self.bulk.post(documents):
                return
            documents = documents[1:]


class DuplicatesAfterCutAnswer(_Queued):
    """Its bug: the store makes up the ids, so a batch whose answer was cut is stored again."""

    def deliver(self, messages: list[str]) -> None:
        for _ in range(_ATTEMPTS_MAX):
            if self.bulk.post([(None, message) for message in messages]):
                return


class BlocksTheCaller(logging.Handler):
    """Its bug: the log call itself waits for the store."""

    def __init__(self, url: str, index: str) -> None:
        super().__init__()
        self._bulk = _Bulk(url, index)

    def createLock(self) -> None:  # noqa: N802 - the standard library's name
        self.lock = None  # producers wait for the store, not for each other

    def emit(self, record: logging.LogRecord) -> None:
        document = (uuid.uuid4().hex, record.getMessage())
        for _ in range(_ATTEMPTS_MAX):
            if self._bulk.post([document]):
                return
