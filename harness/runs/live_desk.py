"""The desk between the live page and a run: the page's threads leave wishes, the run's thread takes them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import orjson

from harness.live.desk import Answer, LiveState, Note, Offer, Snapshot, Standing, Verb, Wish
from harness.model.declarations import APPLICATION, Part, Scalar, is_sender
from harness.model.errors import HarnessError
from harness.model.registry import Family
from harness.runs.wiring import make_part

FAULT_SECONDS = 20.0
FAULT_SECONDS_MAX = 300.0
FAULTS_MAX = 50
"""Faults that one run may be hurt by by hand: after each healing, records of its own are sent."""

SNAPSHOTS_MAX = 20
NOTES_MAX = 30
_WISHES_MAX = 20


class LiveDesk:
    """Implements Desk for one run.

    Args:
        faults: the family of faults, to try the arguments of a wish before it is taken.
    """

    def __init__(self, faults: Family) -> None:
        self.faults = faults
        self._lock = threading.Lock()
        self._state = LiveState()
        self._wishes: deque[Wish] = deque()
        self._claimed: dict[str, str] = {}
        """Which fault is on a target, or about to be."""
        self._started = 0
        self._scorecards: dict[int, Path] = {}

    # --- for the page ------------------------------------------------------------------------------------

    def shown(self) -> bytes:
        """Return what there is to show now, as JSON."""
        return orjson.dumps(self.state())

    def ask(self, wish: Wish) -> Answer:
        """Take a wish, or say why not."""
        with self._lock:
            why_not = self._why_not(wish)
            if why_not:
                return Answer(False, why_not)
            if wish.verb is Verb.START:
                self._claimed[_claim(wish.target)] = wish.fault
                self._started += 1
            self._wishes.append(wish)
        return Answer(True, _TAKEN[wish.verb])

    def scorecard(self, number: int) -> str | None:
        """Return the HTML of a snapshot's scorecard; None where there is none of that number."""
        with self._lock:
            path = self._scorecards.get(number)
        return None if path is None else path.read_text(encoding="utf-8")

    # --- for the run -------------------------------------------------------------------------------------

    def state(self) -> LiveState:
        """Return what there is to show now."""
        with self._lock:
            return self._state

    def next_wish(self) -> Wish | None:
        """Return the oldest wish that was not taken up yet."""
        with self._lock:
            return self._wishes.popleft() if self._wishes else None

    def release(self, target: str) -> None:
        """Note that nothing is on a target any more."""
        with self._lock:
            self._claimed.pop(_claim(target), None)

    def show(self, change: Callable[[LiveState], LiveState]) -> None:
        """Change what the page shows.

        Args:
            change: returns the new state; it is called under the desk's lock and must be quick.
        """
        with self._lock:
            self._state = change(self._state)

    def show_standing(self, standing: tuple[Standing, ...]) -> None:
        """Show these faults as those that are on."""
        self.show(lambda state: replace(state, standing=standing))

    def note(self, at_seconds: float, words: str) -> None:
        """Show a sentence; the oldest ones go.

        Args:
            at_seconds: after sending began; shown to a tenth.
            words: the sentence.
        """
        note = Note(round(at_seconds, 1), words)
        self.show(lambda state: replace(state, notes=(*state.notes, note)[-NOTES_MAX:]))

    def show_snapshot(self, snapshot: Snapshot, scorecard: Path | None = None) -> None:
        """Show a snapshot, or what has become of it.

        Args:
            snapshot: takes the place of the one with its number.
            scorecard: its file, once it is written; None before.
        """

        def change(state: LiveState) -> LiveState:
            others = tuple(each for each in state.snapshots if each.number != snapshot.number)
            return replace(state, snapshots=(*others, snapshot))

        self.show(change)
        if scorecard is not None:
            with self._lock:
                self._scorecards[snapshot.number] = scorecard

    # --- inside ------------------------------------------------------------------------------------------

    def _why_not(self, wish: Wish) -> str:
        state = self._state
        if state.phase not in {"steady", "inject", "heal", "recovery"}:
            return (
                f"The run is in the phase {state.phase}; faults, pauses and snapshots belong to its sending."
            )
        if len(self._wishes) >= _WISHES_MAX:
            return "Too many requests are waiting; try again in a moment."
        refuse = {
            Verb.START: self._why_no_start,
            Verb.HEAL: self._why_no_heal,
        }.get(wish.verb, self._why_not_otherwise)
        return refuse(wish)

    def _why_no_start(self, wish: Wish) -> str:
        offer = _offered(self._state, wish)
        if offer is None:
            return f"No fault {wish.fault} on {wish.target} is offered in this run."
        if _claim(wish.target) in self._claimed:
            there = _claim(wish.target)
            return f"{self._claimed[there]} is on {there} already; heal it first."
        if self._started >= FAULTS_MAX:
            return f"{FAULTS_MAX} faults were started in this run, which is the most; start another run."
        if wish.seconds is not None and not 1 <= wish.seconds <= FAULT_SECONDS_MAX:
            return f"A fault may stand for 1 to {FAULT_SECONDS_MAX:g} s, not {wish.seconds:g}."
        return self._why_no_arguments(wish, offer.arguments)

    def _why_no_arguments(self, wish: Wish, offered: Mapping[str, Scalar]) -> str:
        try:
            make_part(self.faults, Part(wish.fault, {**offered, **wish.arguments}))
        except HarnessError as error:
            return str(error)
        except (TypeError, ValueError) as error:
            return f"{wish.fault} does not take these arguments: {error}"
        return ""

    def _why_no_heal(self, wish: Wish) -> str:
        if any(each.number == wish.number for each in self._state.standing):
            return ""
        return "That fault is not on any more."

    def _why_not_otherwise(self, wish: Wish) -> str:
        state = self._state
        if not state.pausable:
            return "This kind of load cannot be paused, which a pause, a snapshot and an early end need."
        if state.busy:
            return f"The run is busy: {state.busy}."
        if wish.verb is Verb.PAUSE and state.paused:
            return "The load is paused already."
        if wish.verb is Verb.RESUME and not state.paused:
            return "The load is not paused."
        if wish.verb is Verb.SNAPSHOT and len(state.snapshots) >= SNAPSHOTS_MAX:
            return f"{SNAPSHOTS_MAX} snapshots were made of this run, which is the most."
        return ""


_TAKEN = {
    Verb.START: "The fault is being started.",
    Verb.HEAL: "The fault is being healed.",
    Verb.PAUSE: "The load is being paused.",
    Verb.RESUME: "The load goes on.",
    Verb.SNAPSHOT: "A snapshot is being made.",
    Verb.END: "The run is being ended.",
}


def _claim(target: str) -> str:
    """Return what a fault on a target has to itself: the workers of a load are one, the application."""
    return APPLICATION if is_sender(target) else target


def _offered(state: LiveState, wish: Wish) -> Offer | None:
    return next((o for o in state.offers if (o.fault, o.target) == (wish.fault, wish.target)), None)
