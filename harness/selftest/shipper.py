"""A small honest shipper in one handler: the twin that every known-bad stack shares all but one habit with.

Records wait in memory; one thread posts them in bulk, reads every answer strictly, sends again what was not
stored, and puts aside what the store refuses for good. It can be held to either acknowledgement: a log call
that returned (durability `memory`), or `on_durable`, which names records once the store has them.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REQUEST_SECONDS = 1.0
PAUSE_SECONDS = 0.1
BATCH_RECORDS = 500
WAITING_RECORDS_MAX = 20_000
CLOSE_SECONDS = 3.0
_REFUSED_FOR_GOOD = range(400, 429)


@dataclass(slots=True)
class Waiting:
    """One record on its way: its place in the order of log calls, its id, text, level and time, its tries.

    `created` is in seconds since 1970. `record` is None where an earlier process took it: nobody is there to
    be told of it.
    """

    number: int
    identity: str
    message: str
    level: str
    created: float
    record: logging.LogRecord | None
    sent_times: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a bulk request; no answer at all is status 0."""

    status: int
    body: bytes


class HonestShipper(logging.Handler):
    """Delivers every record once, and counts what it does in a file."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Send to a store's URL and index; counters and dead letters go into the folder."""
        super().__init__()
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port
        self._path = f"/{index}/_bulk"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.numbers = count()
        self.closing = threading.Event()
        self.batch_records = BATCH_RECORDS
        self.on_durable: Callable[[Sequence[logging.LogRecord]], None] | None = None
        self.waiting: deque[Waiting] = deque()
        self.counters = {"accepted": 0, "delivered": 0, "dead_lettered": 0, "dropped": 0, "held": 0}
        self.sender = threading.Thread(target=self._send_all, daemon=True)
        self.start()

    def start(self) -> None:
        """Begin to send."""
        self.sender.start()

    # --- on the caller's thread --------------------------------------------------------------------------

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record; the handler's lock keeps numbers and queue in the same order."""
        if len(self.waiting) >= WAITING_RECORDS_MAX:
            self.counters["dropped"] += 1
            raise BufferError("the queue is full")
        identity, text = self.identity(record), record.getMessage()
        number = next(self.numbers)
        self.accept(Waiting(number, identity, text, record.levelname, record.created, record))

    def accept(self, waiting: Waiting) -> None:
        """Take responsibility for one record; an exception refuses it."""
        self.counters["accepted"] += 1
        self.waiting.append(waiting)

    def identity(self, record: logging.LogRecord) -> str:
        """Return the id under which a record is stored."""
        return uuid.uuid4().hex

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Let the caller know: a record that was not taken must not look acknowledged."""
        raise

    def close(self) -> None:
        """Give what waits a last chance, bounded; the counters say what is left."""
        self.closing.set()
        self.sender.join(timeout=CLOSE_SECONDS)
        self.write_counters()
        super().close()

    # --- on the sender's thread --------------------------------------------------------------------------

    def _send_all(self) -> None:
        while self.goes_on():
            batch = self.take()
            if not batch:
                self.closing.wait(PAUSE_SECONDS)
                continue
            left = self.settle(batch, self.post(self.body(batch)))
            self.put_back(left)
            self.write_counters()
            if left:
                time.sleep(PAUSE_SECONDS)

    def goes_on(self) -> bool:
        """Tell whether to go on sending: until it is closed, and then as long as something waits."""
        return not self.closing.is_set() or bool(self.waiting)

    def take(self) -> list[Waiting]:
        """Take the next records to send, oldest first."""
        return [self.waiting.popleft() for _ in range(min(self.batch_records, len(self.waiting)))]

    def put_back(self, left: Sequence[Waiting]) -> None:
        """Keep what has to be sent again, before everything that came later."""
        self.waiting.extendleft(reversed(left))

    def body(self, batch: Sequence[Waiting]) -> bytes:
        """Return the bulk request: op `create` and an id of our own, so that a repetition is a conflict."""
        lines = []
        for waiting in batch:
            waiting.sent_times += 1
            lines.append(json.dumps({"create": {"_id": waiting.identity}}))
            lines.append(json.dumps(self.document(waiting)))
        return ("\n".join(lines) + "\n").encode()

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Return the document of a record."""
        return {
            "@timestamp": datetime.fromtimestamp(waiting.created, UTC).isoformat(),
            "log": {"level": waiting.level.lower()},
            "message": waiting.message,
            "event": {"sequence": waiting.number},
        }

    def post(self, body: bytes) -> Answer:
        """Send one bulk request on a connection of its own.

        By the standard library alone: a shipper stands for somebody's code, and none of it is the harness's.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=REQUEST_SECONDS)
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0, b"")
        finally:
            connection.close()

    def settle(self, batch: Sequence[Waiting], answer: Answer) -> list[Waiting]:
        """Return what of a batch must be sent again, item by item; anything unclear is sent again whole."""
        statuses = self.statuses(batch, answer)
        left = []
        stored = []
        for waiting, status in zip(batch, statuses, strict=True):
            if 200 <= status < 300 or status == 409:
                stored.append(waiting)
            elif status in _REFUSED_FOR_GOOD:
                self.put_aside(waiting, status)
            else:
                left.append(waiting)
        self.counters["delivered"] += len(stored)
        told = [waiting.record for waiting in stored if waiting.record is not None]
        if self.on_durable is not None and told:
            self.on_durable(told)
        return left

    def statuses(self, batch: Sequence[Waiting], answer: Answer) -> Sequence[int]:
        """Return each item's status; 0 for all where the answer is not a whole and plain bulk answer."""
        unclear = [0] * len(batch)
        if answer.status != 200:
            return unclear
        try:
            items = json.loads(answer.body)["items"]
            found = [int(next(iter(item.values()))["status"]) for item in items]
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
            return unclear
        return found if len(found) == len(batch) else unclear

    def put_aside(self, waiting: Waiting, status: int) -> None:
        """Write a record the store refuses for good to the dead letters."""
        self.counters["dead_lettered"] += 1
        entry = {"document": self.document(waiting), "status": status, "reason": f"status {status}"}
        with (self.folder / "dead-letters.ndjson").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def write_counters(self) -> None:
        """Write down what happened to the records so far; what cannot be written is written next time."""
        self.counters["held"] = len(self.waiting)
        fresh = self.folder / "counters.fresh"
        with suppress(OSError):
            fresh.write_text(json.dumps(self.reported()))
            fresh.replace(self.folder / "counters.json")

    def reported(self) -> Mapping[str, int]:
        """Return the counters as this stack reports them."""
        return dict(self.counters)
