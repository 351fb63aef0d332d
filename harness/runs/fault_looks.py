"""What is seen of a fault while it is on: that it landed, and what it destroyed or refused for good."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from harness.evidence.history import Recorder
from harness.model.facts import Destroyed, FaultSeen, Poisoned
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Cumulative, Destroys, Fault, Poisons
from harness.runs.look import Look
from harness.runs.ticker import TICK_SECONDS, Ticker

LAST_LOOK_SECONDS = 1.0
LATE_SHARE_MAX = 0.5
"""How much of a stack's time to find out may be gone before it is too late to say what it knew in time."""


class FaultLooks:
    """The looks at one fault; the first of them begins at once.

    One look that proves it is enough, and the last of those is quoted.

    Args:
        number: of the fault's step in the scenario.
        fault: what is on now.
        target: what it has hold of.
        healing_ns: tells when it is taken back; asked anew each time, since a person may wish it earlier.
        ticker: for every wait.
        recorder: takes the facts.
        look_again_seconds: how long after a look that proved nothing the next one begins; None where there
            is but one more, just before a healing whose moment is known from the start.
    """

    def __init__(
        self,
        number: int,
        fault: Fault,
        target: object,
        healing_ns: Callable[[], int],
        ticker: Ticker,
        recorder: Recorder,
        look_again_seconds: float | None = None,
    ) -> None:
        self._number = number
        self._fault = fault
        self._target = target
        self._healing_ns = healing_ns
        self._ticker = ticker
        self._recorder = recorder
        self._look_again_seconds = look_again_seconds
        self._first = Look(fault.evidence, target)

    def until_healing(self) -> Iterator[int]:
        """Note what is seen until the fault must be taken back.

        Yields:
            Until when nothing is to be done, in nanoseconds; a step within this one may go on meanwhile.
        """
        self._note_destroyed()
        yield from in_turn(self._proofs(), self._note_poison_in_time())

    def _proofs(self) -> Iterator[int]:
        yield from self._await(self._first)
        landed = self._note(self._first)
        if self._look_again_seconds is not None:
            yield from self._look_until_it_lands(landed, self._look_again_seconds)
        elif not landed and not isinstance(self._fault, Cumulative):
            yield from self._look_again()
        yield from self._wait_until(self._healing_ns)
        if isinstance(self._fault, Cumulative):
            yield from self._look_at_all(self._fault)

    def _look_at_all(self, fault: Cumulative) -> Iterator[int]:
        """Look at what it came to in all, at the last moment."""
        look = Look(fault.evidence_in_all, self._target)
        yield from self._await(look, LAST_LOOK_SECONDS)
        self._note(look)

    def _look_again(self) -> Iterator[int]:
        """Look once more where nothing was proved, so long before the healing as the first look took."""
        took_ns = int((self._first.seconds + TICK_SECONDS) * SECOND_NS)
        yield from self._wait_until(lambda: self._healing_ns() - took_ns)
        if self._ticker.now_ns() < self._healing_ns():
            yield from self._look()

    def _look_until_it_lands(self, landed: bool, again_seconds: float) -> Iterator[int]:
        while not landed:
            next_ns = self._ticker.in_ns(again_seconds)
            yield from self._wait_until(lambda: min(next_ns, self._healing_ns()))  # noqa: B023 - used at once
            if self._ticker.now_ns() >= self._healing_ns():
                return
            landed = yield from self._look()

    def _look(self) -> Generator[int, None, bool]:
        look = Look(self._fault.evidence, self._target)
        yield from self._await(look)
        return self._note(look)

    def _await(self, look: Look, beyond_seconds: float = 0.0) -> Iterator[int]:
        """Wait for a look until the healing, or so much longer."""
        beyond_ns = int(beyond_seconds * SECOND_NS)
        while not look.done and self._ticker.now_ns() < (until_ns := self._healing_ns() + beyond_ns):
            yield until_ns

    def _wait_until(self, at_ns: Callable[[], int]) -> Iterator[int]:
        while self._ticker.now_ns() < (until_ns := at_ns()):
            yield until_ns

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
        deliberation_ns = int(deliberation_seconds * SECOND_NS)
        if deliberation_seconds and self._ticker.now_ns() > self._healing_ns() - deliberation_ns:
            return  # the fault is too short
        yield from self._wait_until(lambda: self._healing_ns() - deliberation_ns)
        late_seconds = -self._ticker.seconds_until(self._healing_ns() - deliberation_ns)
        if deliberation_seconds and late_seconds > deliberation_seconds * LATE_SHARE_MAX:
            return  # something else took so long: of nothing is it known that it was early enough
        self._recorder.record_all(poisoned(self._fault, self._target, self._ticker))


def in_turn(*stories: Iterator[int]) -> Iterator[int]:
    """Tell several stories at a time; yields until when none of them has anything to do."""
    on = list(stories)
    while on:
        moments: list[int] = []
        for story in list(on):
            if (moment := next(story, None)) is None:
                on.remove(story)
            else:
                moments.append(moment)
        if moments:
            yield min(moments)


def poisoned(fault: Fault, target: object, ticker: Ticker) -> Iterator[Poisoned]:
    """Yield which records a fault has refused for good so far; raises FaultError where it cannot be told."""
    if isinstance(fault, Poisons) and isinstance(target, fault.needs):
        for sequence in list(fault.poisoned(target)):
            yield Poisoned(sequence, ticker.now_ns())
