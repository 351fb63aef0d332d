"""What is seen of a fault while it is on: that it landed, and what it destroyed or refused for good."""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence.history import Recorder
from harness.model.facts import Destroyed, FaultSeen, Poisoned
from harness.model.protocols import Cumulative, Destroys, Fault, Poisons
from harness.runs.look import Look
from harness.runs.ticker import TICK_SECONDS, Ticker

LAST_LOOK_SECONDS = 1.0
LATE_SHARE_MAX = 0.5
"""How much of a stack's time to find out may be gone before it is too late to say what it knew in time."""

_SECOND_NS = 1_000_000_000


class FaultLooks:
    """The looks at one fault; the first of them begins at once.

    One look that proves it is enough, and the last of those is quoted.

    Args:
        number: of the fault's step in the scenario.
        fault: what is on now.
        target: what it has hold of.
        healing_ns: when it is taken back.
        ticker: for every wait.
        recorder: takes the facts.
    """

    def __init__(
        self,
        number: int,
        fault: Fault,
        target: object,
        healing_ns: int,
        ticker: Ticker,
        recorder: Recorder,
    ) -> None:
        self._number = number
        self._fault = fault
        self._target = target
        self._healing_ns = healing_ns
        self._ticker = ticker
        self._recorder = recorder
        self._first = Look(fault.evidence, target)

    def until_healing(self) -> Iterator[int]:
        """Note what is seen until the fault must be taken back.

        Yields:
            Until when nothing is to be done, in nanoseconds; a step within this one may go on meanwhile.
        """
        self._note_destroyed()
        yield from self._await(self._first, self._healing_ns)
        landed = self._note(self._first)
        yield from self._note_poison_in_time()
        if isinstance(self._fault, Cumulative):
            yield from self._look_at_all(self._fault)
        elif not landed:
            yield from self._look_again()
        yield from self._wait_until(self._healing_ns)

    def _look_at_all(self, fault: Cumulative) -> Iterator[int]:
        """Look at what it came to in all, at the last moment."""
        yield from self._wait_until(self._healing_ns)
        look = Look(fault.evidence_in_all, self._target)
        yield from self._await(look, self._healing_ns + int(LAST_LOOK_SECONDS * _SECOND_NS))
        self._note(look)

    def _look_again(self) -> Iterator[int]:
        """Look once more where nothing was proved, so long before the healing as the first look took."""
        took_seconds = self._first.seconds + TICK_SECONDS
        yield from self._wait_until(self._healing_ns - int(took_seconds * _SECOND_NS))
        if self._ticker.now_ns() < self._healing_ns:
            look = Look(self._fault.evidence, self._target)
            yield from self._await(look, self._healing_ns)
            self._note(look)

    def _await(self, look: Look, until_ns: int) -> Iterator[int]:
        while not look.done and self._ticker.now_ns() < until_ns:
            yield until_ns

    def _wait_until(self, at_ns: int) -> Iterator[int]:
        while self._ticker.now_ns() < at_ns:
            yield at_ns

    def _note(self, look: Look) -> bool:
        landed, proof = look.result()
        self._recorder.record(FaultSeen(self._ticker.now_ns(), self._number, landed, proof))
        return landed

    def _note_destroyed(self) -> None:
        """Note what was destroyed while it can be read: the stack may throw the file away at any time."""
        if isinstance(self._fault, Destroys):
            places = self._fault.destroyed(self._target)
            self._recorder.record_all(
                Destroyed(self._ticker.now_ns(), self._number, place) for place in places
            )

    def _note_poison_in_time(self) -> Iterator[int]:
        """Note what was refused for good so early before the healing that the stack had time to find out."""
        if not isinstance(self._fault, Poisons):
            return
        deliberation_seconds = self._fault.deliberation_seconds
        latest_ns = self._healing_ns - int(deliberation_seconds * _SECOND_NS)
        if deliberation_seconds and self._ticker.now_ns() > latest_ns:
            return  # the fault is too short, or its proof took too long
        yield from self._wait_until(latest_ns)
        late_seconds = -self._ticker.seconds_until(latest_ns)
        if deliberation_seconds and late_seconds > deliberation_seconds * LATE_SHARE_MAX:
            return  # something else took so long: of nothing is it known that it was early enough
        self._recorder.record_all(poisoned(self._fault, self._target, self._ticker))


def poisoned(fault: Fault, target: object, ticker: Ticker) -> Iterator[Poisoned]:
    """Yield which records a fault has refused for good so far; raises FaultError where it cannot be told."""
    if isinstance(fault, Poisons) and isinstance(target, fault.needs):
        for sequence in list(fault.poisoned(target)):
            yield Poisoned(sequence, ticker.now_ns())
