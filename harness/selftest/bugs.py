"""Known-bad stacks: the honest shipper with one bad habit each.

Each is what somebody once shipped in good faith; most of them do not fail while nothing goes wrong.
"""

from __future__ import annotations

import errno
import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from harness.selftest.keeping import KeepingShipper
from harness.selftest.shipper import Answer, HonestShipper, Waiting

LOSS_INTERVAL = 1_000
BLOCKED_SECONDS = 0.2
EXIT_SECONDS = 60.0
HOLD_SECONDS = 10.0
LEAK_BYTES = 8 << 20
LEAKS_MAX = 32
LINE_BYTES = 1_500
# Six thousand records keep the promise of 64 MiB with it, twice as many do not.
GROWTH_BYTES = 6 << 10
LIE_FROM_SECONDS, LIE_TO_SECONDS = 1.0, 2.5
YEAR_2001_SECONDS = 1_000_000_000.0


class LosesOneInAThousand(HonestShipper):
    """Of the records it sends again, every thousandth is forgotten."""

    resent = 0

    def put_back(self, left: Sequence[Waiting]) -> None:
        """Keep all but every thousandth."""
        kept = []
        for waiting in left:
            self.resent += 1
            if self.resent % LOSS_INTERVAL:
                kept.append(waiting)
            else:
                self.counters["delivered"] += 1
        super().put_back(kept)


class BelievesEvery200(HonestShipper):
    """A 200 is success, whatever stands in it."""

    def statuses(self, batch: Sequence[Waiting], answer: Answer) -> Sequence[int]:
        """Take the status line for the answer."""
        return [201 if answer.status == 200 else 0] * len(batch)


class LetsTheStoreNameThings(HonestShipper):
    """Without ids of its own, a batch whose answer was cut is stored again."""

    def body(self, batch: Sequence[Waiting]) -> bytes:
        """Leave the id to the store."""
        lines = [line for waiting in batch for line in ('{"create": {}}', json.dumps(self.document(waiting)))]
        return ("\n".join(lines) + "\n").encode()


class CorruptsOneByte(HonestShipper):
    """What is sent again is not always what was sent before: one character of one record differs."""

    corrupted = False

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Change one character, once, in a record that is sent again."""
        if waiting.sent_times > 1 and not self.corrupted:
            self.corrupted = True
            waiting.message = chr(ord(waiting.message[0]) ^ 1) + waiting.message[1:]
        return super().document(waiting)


class Reorders(HonestShipper):
    """What is sent again is numbered anew, behind what came later."""

    def put_back(self, left: Sequence[Waiting]) -> None:
        """Renumber within the batch, backwards."""
        numbers = [waiting.number for waiting in left]
        renumbered = [
            replace(waiting, number=number) for waiting, number in zip(left, reversed(numbers), strict=True)
        ]
        super().put_back(renumbered)


class BlocksTheCaller(HonestShipper):
    """While records wait for a retry, one log call in ten waits too."""

    calls = 0
    retrying = False

    def put_back(self, left: Sequence[Waiting]) -> None:
        """Remember whether there is something to send again."""
        self.retrying = bool(left)
        super().put_back(left)

    def handle(self, record: logging.LogRecord) -> bool:
        """Hold the caller, outside the handler's lock."""
        self.calls += 1
        if self.retrying and self.calls % 10 == 0:
            time.sleep(BLOCKED_SECONDS)
        return super().handle(record)


class NeverRecovers(HonestShipper):
    """After ten failures in a row it has given up for good, and still takes records."""

    failures = 0

    def post(self, body: bytes) -> Answer:
        """Stop trying after the tenth failure."""
        if self.failures >= 10:
            return Answer(0, b"")
        answer = super().post(body)
        self.failures = 0 if answer.status == 200 else self.failures + 1
        return answer


class HoldsAfterAFailure(HonestShipper):
    """After a failure it sends nothing for a long while, however soon the store is back."""

    held_until_seconds = 0.0

    def post(self, body: bytes) -> Answer:
        """Try again only once the pause is over."""
        if time.monotonic() < self.held_until_seconds:
            return Answer(0, b"")
        answer = super().post(body)
        if answer.status != 200:
            self.held_until_seconds = time.monotonic() + HOLD_SECONDS
        return answer


class TakesAMinuteToExit(HonestShipper):
    """Closing waits for what a retry timer would do one day."""

    def close(self) -> None:
        """Wait, then close."""
        super().close()
        time.sleep(EXIT_SECONDS)


class HidesItsDrops(HonestShipper):
    """It throws away part of what it sent in vain before acknowledging it, and reports no drop."""

    def take(self) -> list[Waiting]:
        """Forget every third record that was sent twice in vain."""
        return [waiting for waiting in super().take() if waiting.sent_times < 2 or waiting.number % 3]

    def reported(self) -> Mapping[str, int]:
        """Report what a healthy stack would: everything accepted is delivered or held."""
        told = dict(self.counters)
        told["held"] = 0
        told["accepted"] = told["delivered"] + told["dead_lettered"]
        return {**told, "dropped": 0}


class CallsHeldDelivered(HonestShipper):
    """While requests fail it reports what waits as delivered; once they arrive, that has become true."""

    def reported(self) -> Mapping[str, int]:
        """Report an outage as if there were none."""
        told = dict(self.counters)
        return {**told, "delivered": told["delivered"] + told["held"], "held": 0}


class CallsHeldDeliveredForAMoment(CallsHeldDelivered):
    """As above, but only for a moment of an outage: sooner than anybody compares, it says what is true."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with a store that answers."""
        self._failing_since: float | None = None
        super().__init__(url, index, folder)

    def post(self, body: bytes) -> Answer:
        """Notice since when requests fail."""
        answer = super().post(body)
        if answer.status == 200:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = time.monotonic()
        return answer

    def reported(self) -> Mapping[str, int]:
        """Report what waits as delivered between 1 s and 2.5 s after the first failure."""
        failing_seconds = 0.0 if self._failing_since is None else time.monotonic() - self._failing_since
        lies = LIE_FROM_SECONDS <= failing_seconds < LIE_TO_SECONDS
        return super().reported() if lies else dict(self.counters)


class LeaksWhileTheStoreIsDown(HonestShipper):
    """Each failed request leaves its buffers behind."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with nothing leaked."""
        self.leaked: list[bytearray] = []
        super().__init__(url, index, folder)

    def post(self, body: bytes) -> Answer:
        """Keep buffers of every failure; written to, so that they are resident."""
        answer = super().post(body)
        if answer.status != 200 and len(self.leaked) < LEAKS_MAX:
            self.leaked.append(bytearray(b"\x01") * LEAK_BYTES)
        return answer


class GoesSilent(HonestShipper):
    """From the first failure on it takes no record any more: the call returns, and nothing is owed."""

    silent = False

    def post(self, body: bytes) -> Answer:
        """Notice the first failure."""
        answer = super().post(body)
        self.silent = self.silent or answer.status != 200
        return answer

    def emit(self, record: logging.LogRecord) -> None:
        """Let the call return, and say nothing of it anywhere."""
        if not self.silent:
            super().emit(record)


class RetriesPoisonForEver(HonestShipper):
    """A batch with one document that the store refuses is sent again, whole, for ever."""

    def settle(self, batch: Sequence[Waiting], answer: Answer) -> list[Waiting]:
        """Send everything again unless everything was stored."""
        statuses = self.statuses(batch, answer)
        if all(200 <= status < 300 or status == 409 for status in statuses):
            return super().settle(batch, answer)
        return list(batch)


class ThrowsItsLastBatchAway(KeepingShipper):
    """Closed cleanly while the store is away, it ends without what it could not send."""

    def leave(self) -> None:
        """Forget what waits."""
        self.waiting.clear()
        super().leave()


class AcknowledgesWhatItCannotKeep(KeepingShipper):
    """Where its file cannot be opened it goes on as if the record were in it."""

    def keep(self, waiting: Waiting) -> None:
        """Hope that the folder comes back."""
        with suppress(FileNotFoundError):
            super().keep(waiting)


class KnowsAsciiOnly(HonestShipper):
    """It writes in an encoding that has no other letters, without an error."""

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Turn what is not ASCII into question marks."""
        text = waiting.message.encode("ascii", "replace").decode()
        return super().document(replace(waiting, message=text))


class CutsLongLines(HonestShipper):
    """A field has a fixed length, and nobody is told what did not fit."""

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Keep the beginning."""
        text = waiting.message.encode()[:LINE_BYTES].decode(errors="ignore")
        return super().document(replace(waiting, message=text))


class IgnoresAFullDisk(KeepingShipper):
    """What the disk does not take it goes on as if it had taken."""

    def keep(self, waiting: Waiting) -> None:
        """Hope that somebody makes room."""
        try:
            super().keep(waiting)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


class GrowsWithEachRecord(KeepingShipper):
    """Whatever it ever took leaves something in memory."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with nothing left."""
        self.left: list[bytearray] = []
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Take the record, and keep a buffer for good; written to, so that it is resident."""
        super().accept(waiting)
        self.left.append(bytearray(b"\x01") * GROWTH_BYTES)


class StoresNothing(HonestShipper):
    """Everything is delivered, it says, and it has never sent a request."""

    def post(self, body: bytes) -> Answer:
        """Make up the answer."""
        items = [{"create": {"status": 201}}] * (body.count(b"\n") // 2)
        return Answer(200, json.dumps({"items": items}).encode())


class StoresAllAsDebugOf2001(HonestShipper):
    """It takes no notice of what a record is beside its text."""

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Write the same level and time for all."""
        return super().document(replace(waiting, level="DEBUG", created=YEAR_2001_SECONDS))


class SwapsNeighboursTexts(HonestShipper):
    """Two arrays, one of texts and one of all the rest, get out of step for a moment."""

    def take(self) -> list[Waiting]:
        """Swap the texts of the first two records of a batch, each once."""
        batch = super().take()
        if len(batch) > 1 and not any(waiting.sent_times for waiting in batch[:2]):
            first, second = batch[:2]
            first.message, second.message = second.message, first.message
        return batch
