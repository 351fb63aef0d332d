"""What is seen of a fault while it is on: that it landed, and what it destroyed or refused for good.

Whatever is asked of a fault is asked on a thread of its own, and no healing waits for the answer: one that is
not there when the fault must be taken back tells nothing of the time before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, Protocol

from harness.evidence.history import Recorder
from harness.model.errors import FaultError
from harness.model.facts import Destroyed, FaultSeen, Poisoned
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Cumulative, Destroys, Fault, Poisons
from harness.runs.act import ACT_SECONDS_MAX, Act
from harness.runs.look import Look
from harness.runs.ticker import TICK_SECONDS, Ticker

LAST_LOOK_SECONDS = 1.0
"""How long before the healing the looks begin that say what the fault came to in all."""

LATE_SHARE_MAX = 0.5
"""How much of a stack's time to find out may be gone before it is too late to say what it knew in time."""


class _Asked(Protocol):
    """Something that may not be over yet."""

    @property
    def done(self) -> bool: ...


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
        self._destroyed: Act[list[str]] | None = None
        self._first = self._begin(fault.evidence)

    def until_healing(self) -> Iterator[int]:
        """Note what is seen until the fault must be taken back.

        Yields:
            Until when nothing is to be done, in nanoseconds; a step within this one may go on meanwhile.
        """
        if isinstance(self._fault, Destroys):
            # At once: the stack may throw the file away at any time.
            self._destroyed = self._ticker.begin(partial(_places, self._fault, self._target))
        yield from in_turn(self._proofs(), self._note_poison_in_time(), self._note_destroyed())

    def after_healing(self) -> Iterator[int]:
        """Note what was destroyed if that was not known before; raises FaultError where it cannot be told.

        Yields:
            0 as long as that is not known: the next step may come at once.
        """
        if (asked := self._destroyed) is None:
            return
        until_ns = asked.began_ns + int(ACT_SECONDS_MAX * SECOND_NS)
        while not asked.done:
            if self._ticker.now_ns() >= until_ns:
                raise FaultError(
                    f"what the fault destroyed is not known after {ACT_SECONDS_MAX:g} s; "
                    "that is not waited for any longer"
                )
            yield 0
        self._note_places(asked)

    def _proofs(self) -> Iterator[int]:
        yield from self._await(self._first)
        landed = self._note(self._first)
        if self._look_again_seconds is not None:
            yield from self._look_until_it_lands(landed, self._look_again_seconds)
        elif not landed and not isinstance(self._fault, Cumulative):
            yield from self._look_again()
        if isinstance(self._fault, Cumulative):
            yield from self._wait_until_before_healing(LAST_LOOK_SECONDS)
            yield from self._look_at_all(self._fault)
        yield from self._wait_until(self._healing_ns)

    def _look_at_all(self, fault: Cumulative) -> Iterator[int]:
        """Look at what it came to in all: once in good time, and again as late as that look has taken."""
        look = self._begin(fault.evidence_in_all)
        yield from self._await(look)
        if look.done:
            yield from self._wait_until_before_healing(look.seconds)
            last = self._begin(fault.evidence_in_all)
            yield from self._await(last)
            look = last if last.done else look
        self._note(look)

    def _look_again(self) -> Iterator[int]:
        """Look once more where nothing was proved, so long before the healing as the first look took."""
        yield from self._wait_until_before_healing(self._first.seconds)
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
        look = self._begin(self._fault.evidence)
        yield from self._await(look)
        return self._note(look)

    def _begin(self, evidence: Callable[[Any], tuple[bool, str]]) -> Look:
        return Look(evidence, self._target, self._ticker.begin)

    def _await(self, asked: _Asked) -> Iterator[int]:
        """Wait for what was asked, until the healing at most."""
        while not asked.done and self._ticker.now_ns() < (until_ns := self._healing_ns()):
            yield until_ns

    def _wait_until_before_healing(self, seconds: float) -> Iterator[int]:
        """Wait until so long, and a tick, before the healing."""
        before_ns = int((seconds + TICK_SECONDS) * SECOND_NS)
        yield from self._wait_until(lambda: self._healing_ns() - before_ns)

    def _wait_until(self, at_ns: Callable[[], int]) -> Iterator[int]:
        while self._ticker.now_ns() < (until_ns := at_ns()):
            yield until_ns

    def _note(self, look: Look) -> bool:
        landed, proof = look.result()
        self._recorder.record(FaultSeen(self._ticker.now_ns(), self._number, landed, proof))
        return landed

    def _note_destroyed(self) -> Iterator[int]:
        """Note what was destroyed as soon as it is known."""
        if (asked := self._destroyed) is not None:
            yield from self._await(asked)
            if asked.done:
                self._note_places(asked)

    def _note_places(self, asked: Act[list[str]]) -> None:
        self._destroyed = None
        self._recorder.record_all(Destroyed(asked.ended_ns, self._number, place) for place in asked.result())

    def _note_poison_in_time(self) -> Iterator[int]:
        """Note what was refused for good so early before the healing that the stack had time to find out."""
        if not isinstance(self._fault, Poisons):
            return
        deliberation_seconds = self._fault.deliberation_seconds
        deliberation_ns = int(deliberation_seconds * SECOND_NS)
        if deliberation_seconds and self._ticker.now_ns() > self._healing_ns() - deliberation_ns:
            return  # the fault is too short
        # Once in good time, and again at the last moment: of that, the answer may come too late.
        for early_ns in (int(TICK_SECONDS * SECOND_NS), 0):
            yield from self._wait_until(lambda: self._healing_ns() - deliberation_ns - early_ns)  # noqa: B023 - used at once
            asked = self._ticker.begin(partial(_refused, self._fault, self._target))
            yield from self._await(asked)
            if not asked.done:
                return
            late_seconds = (asked.ended_ns - self._healing_ns() + deliberation_ns) / SECOND_NS
            if deliberation_seconds and late_seconds > deliberation_seconds * LATE_SHARE_MAX:
                return  # it took so long: of nothing is it known that it was early enough
            self._recorder.record_all(Poisoned(sequence, asked.ended_ns) for sequence in asked.result())


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
    """Yield which records a fault has refused for good so far; raises FaultError where it cannot be told.

    Args:
        fault: that is on; one that refuses nothing yields nothing.
        target: what it has hold of.
        ticker: tells the time.
    """
    if isinstance(fault, Poisons) and isinstance(target, fault.needs):
        for sequence in _refused(fault, target):
            yield Poisoned(sequence, ticker.now_ns())


def _refused(fault: Poisons, target: Any) -> list[int | None]:
    return list(fault.poisoned(target))


def _places(fault: Destroys, target: Any) -> list[str]:
    return list(fault.destroyed(target))
