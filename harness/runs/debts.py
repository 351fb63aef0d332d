"""What a stack owes: whatever it acknowledged must be found in its outlets, which are read once it had time.

What comes late is waited for until a deadline. A debt that had its time in the drain is overdue: it is not
waited for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from harness.evidence.following import Following
from harness.evidence.history import Recorder
from harness.evidence.readback import Outlets, Reading
from harness.judging.outcomes import HELD
from harness.judging.wording import count
from harness.model.declarations import APPLICATION
from harness.model.errors import StackError
from harness.model.facts import READ_BACK_SECONDS, Sample
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Load
from harness.runs.ticker import Ticker

QUIET_SECONDS = 1.5
COUNTED_SECONDS = 2.5
_T = TypeVar("_T")


class Debts:
    """Waits for answers and for acknowledged records, and reads the outlets.

    Args:
        load: tells which records were acknowledged.
        outlets: returns the open outlets.
        counters: returns the stack's own counters now.
        ticker: for every wait.
        recorder: takes the facts.
        cut_off: how many answers were cut off before (`cut_off_answers`).
    """

    def __init__(
        self,
        load: Load,
        outlets: Callable[[], Outlets],
        counters: Callable[[], Mapping[str, float]],
        ticker: Ticker,
        recorder: Recorder,
        cut_off: int = 0,
    ) -> None:
        self._load = load
        self._outlets = outlets
        self._counters = counters
        self._ticker = ticker
        self._recorder = recorder
        self._cut_off = {APPLICATION: cut_off}
        self._following: Following | None = None
        self._overdue: frozenset[int] = frozenset()
        self._seen_at_whole_look = -1

    @property
    def cut_off(self) -> int:
        """Return how many answers are not expected any more."""
        return sum(list(self._cut_off.values()))  # an exit is noted on another thread

    def cut_off_answers(self, sender: str) -> None:
        """Expect no more answers to what has none by now: the sender's process takes it with it.

        Args:
            sender: the application, or the one worker of the load that a fault is about to end.
        """
        if sender == APPLICATION:
            self._cut_off.clear()  # all of them are counted anew
        self._cut_off[sender] = self._load.under_way(sender)

    def await_answers(self, deadline_ns: int) -> None:
        """Wait until the stack has said a word of every record, or counts that it holds none any more.

        A stack that backs off for half a minute has lost nothing. Its count is believed once it has stood at
        zero for a moment, since counters are written late.

        Args:
            deadline_ns: when to give up, of CLOCK_MONOTONIC.
        """
        zero_since_ns: int | None = None
        while (unanswered := self._unanswered()) and self._ticker.now_ns() < deadline_ns:
            if self._counters().get(HELD) != 0:
                zero_since_ns = None
            elif zero_since_ns is None:
                zero_since_ns = self._ticker.now_ns()
            elif self._ticker.now_ns() - zero_since_ns >= COUNTED_SECONDS * SECOND_NS:
                return
            records = count(unanswered, "record")
            self._ticker.wait_for(f"{records} to be acknowledged or refused", deadline_ns)

    def await_records(self, deadline_ns: int) -> None:
        """Wait until every debt is found; those that are not by then are overdue.

        Args:
            deadline_ns: when to give up, of CLOCK_MONOTONIC.
        """
        if not self._found(deadline_ns, quiet_seconds=0.0):
            self._overdue = self._missing(deadline_ns)

    def await_quiet(self, deadline_ns: int) -> None:
        """Wait until every debt is found that is not overdue, and copies and counters stand still.

        A copy that comes late must not be missed because the first one was there. The stack's own counters
        are read next and are written late.

        Args:
            deadline_ns: when to give up, of CLOCK_MONOTONIC.
        """
        self._found(deadline_ns, QUIET_SECONDS)

    def read_outlets(self, deadline_ns: int) -> Reading:
        """Read the outlets whole; what is judged to be absent was so in a reading that began at the deadline.

        Looks at what is new never see a deletion, so a debt that was seen may be missing here.

        Args:
            deadline_ns: of CLOCK_MONOTONIC; until then what is absent is looked for again.

        Returns:
            The last reading: the first that lacks nothing, or the first that began after the deadline.

        Raises:
            StackError: an outlet cannot be read at the deadline either.
        """
        while True:
            began_ns = self._ticker.now_ns()
            reading = self._by(deadline_ns, self._outlets().read)
            absent = self._load.owed() - self._overdue - self._outlets().kept(reading)
            if not absent or began_ns >= deadline_ns:
                return reading
            del reading
            self._ticker.tick()

    # --- inside ------------------------------------------------------------------------------------------

    def _unanswered(self) -> int:
        """Return how many records may still be acknowledged: not those a fault on the application cut off."""
        tally = self._load.tally()
        return max(0, tally.sent - tally.acknowledged - tally.refused - self.cut_off)

    def _found(self, deadline_ns: int, quiet_seconds: float) -> bool:
        """Look until every debt is found and nothing has moved for so long, or time is up.

        Returns:
            Whether every debt was found.
        """
        before: tuple[int, Mapping[str, float]] = (-1, {})
        still_since_ns = self._ticker.now_ns()
        while True:
            copies = self._by(deadline_ns, self._outlets().copies)
            settled = self._settled(copies, deadline_ns)
            now = copies, self._counters() if quiet_seconds else {}
            if now != before:
                before, still_since_ns = now, self._ticker.now_ns()
            quiet = self._ticker.now_ns() - still_since_ns >= quiet_seconds * SECOND_NS
            if (settled and quiet) or self._ticker.now_ns() >= deadline_ns:
                return settled
            missing = len(self._load.owed()) - copies
            # Where other records have more copies, only the whole reading tells how many have none.
            named = count(missing, "acknowledged record") if missing > 0 else "acknowledged records"
            what = "copies and counters to stand still" if settled else f"{named} to be stored"
            self._ticker.wait_for(what, deadline_ns)

    def _settled(self, copies: int, deadline_ns: int) -> bool:
        """Return whether every debt is found, which the number of copies tells mostly.

        Fewer copies than debts cannot hold them all; where there are as many, the whole reading that follows
        tells whether they are the same. Only more copies need a look at which they are.
        """
        debts = len(self._load.owed())
        if copies < debts - len(self._overdue):
            return False
        return copies == debts or not self._missing(deadline_ns)

    def _missing(self, deadline_ns: int) -> frozenset[int]:
        """Look at what has come in; return the debts not seen yet, those that had their time left out.

        Where nothing comes in any more, one whole reading tells what looks at new copies have missed.
        """
        if self._following is None:
            self._following = self._outlets().follow()
        following = self._following
        before = len(following.seen)
        self._by(deadline_ns, following.look)
        missing = self._load.owed() - self._overdue - following.seen
        if missing and len(following.seen) == before != self._seen_at_whole_look:
            self._seen_at_whole_look = before
            self._by(deadline_ns, partial(following.look, whole=True))
            missing -= following.seen
        return missing

    def _by(self, deadline_ns: int, read: Callable[[], _T]) -> _T:
        """Read, trying again until the deadline: a store that comes back needs a moment."""
        while True:
            began_ns = self._ticker.now_ns()
            try:
                found = read()
            except StackError:
                if self._ticker.now_ns() >= deadline_ns:
                    raise
                self._ticker.tick()
                continue
            ended_ns = self._ticker.now_ns()
            took_seconds = (ended_ns - began_ns) / SECOND_NS
            self._recorder.record(Sample(ended_ns, READ_BACK_SECONDS, took_seconds))
            return found
