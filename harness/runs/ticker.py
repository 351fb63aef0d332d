"""How a run waits: in ticks, after each of which it looks round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from harness.model.errors import InternalError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock
from harness.runs.act import ACT_SECONDS_MAX, QUICK_SECONDS, Act

TICK_SECONDS = 0.25
ABANDON_SECONDS = 15.0
"""How long a look round may still take when the run must end: a little more than one answer is waited for."""
_T = TypeVar("_T")


class Ticker:
    """Passes the time of a run.

    Args:
        clock: for every wait.
        look_round: called after each tick.
        quick_seconds: how long a tick waits for what is done on a thread of its own, in seconds.

    Attributes:
        waiting: what is waited for, for a person who watches; empty where it is nothing in particular.
    """

    def __init__(
        self, clock: Clock, look_round: Callable[[], None], quick_seconds: float = QUICK_SECONDS
    ) -> None:
        self._clock = clock
        self._look_round = look_round
        self._quick_seconds = quick_seconds
        self._aside = False
        self._round: Act[None] | None = None
        self.waiting = ""

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        return self._clock.now_ns()

    def in_ns(self, seconds: float) -> int:
        """Return the moment so long from now.

        Args:
            seconds: from now.
        """
        return self.now_ns() + int(seconds * SECOND_NS)

    def seconds_until(self, at_ns: int) -> float:
        """Return how long it is until then; below zero once it is over.

        Args:
            at_ns: of CLOCK_MONOTONIC.
        """
        return (at_ns - self.now_ns()) / SECOND_NS

    def begin(self, what: Callable[[], _T]) -> Act[_T]:
        """Begin what may take long on a thread of its own; what is quick is over on return."""
        return Act(what, self._clock.now_ns, self._quick_seconds)

    def tick(self, seconds: float = TICK_SECONDS) -> None:
        """Wait and look round; raises InterruptedRunError or TimeIsUpError as soon as the run must end.

        Args:
            seconds: how long; what happens meanwhile is seen only then.
        """
        self._clock.sleep(seconds)
        self.look()

    def look(self) -> None:
        """Look round now; while one look round aside is not over, no other begins."""
        if self._aside:
            self._look_aside()
        else:
            self._look_round()

    def tick_until(self, at_ns: int) -> bool:
        """Wait for a tick, or less if the moment is nearer; return False at once where it is over.

        Args:
            at_ns: of CLOCK_MONOTONIC.
        """
        if (left_seconds := self.seconds_until(at_ns)) <= 0:
            return False
        self.tick(min(left_seconds, TICK_SECONDS))
        return True

    def wait_until(self, at_ns: int) -> None:
        """Wait until then.

        Args:
            at_ns: of CLOCK_MONOTONIC; one that is over is not waited for.
        """
        while self.tick_until(at_ns):
            pass

    def wait_for(self, what: str, deadline_ns: int) -> None:
        """Wait for a tick, and say what for and until when at most.

        Args:
            what: in words, for a person who watches.
            deadline_ns: of CLOCK_MONOTONIC; the caller gives up then.
        """
        seconds = max(0.0, self.seconds_until(deadline_ns))
        self.waiting = f"waiting for {what}, for at most {seconds:.0f} s more"
        self.tick()

    @contextmanager
    def looking(self, *, aside: bool) -> Iterator[None]:
        """Say how the run looks round within a block.

        Args:
            aside: on a thread of its own: no tick waits for it, and while one look round is not over, no
                other begins. Else each tick looks round before it returns.

        Raises:
            Exception: what a look round has raised; where the block raises too, that is passed on instead.
            InternalError: a look round has not ended after 300 s.
        """
        before = self._aside
        self._end_round()
        self._aside = aside
        try:
            yield
            self._end_round()
        except BaseException:
            self._abandon_round()
            raise
        finally:
            self._aside = before

    def _look_aside(self) -> None:
        if self._round is not None and not self._round.done:
            return
        self._take_round()
        self._round = self.begin(self._look_round)
        if self._round.done:
            self._take_round()

    def _take_round(self) -> None:
        """Take what the last look round came to; raises what it has raised."""
        if (over := self._round) is not None:
            self._round = None
            over.result()

    def _end_round(self) -> None:
        """Wait for a look round that is under way."""
        if self._round is None:
            return
        until_ns = self._round.began_ns + int(ACT_SECONDS_MAX * SECOND_NS)
        while not self._round.done:
            if self.now_ns() >= until_ns:
                self._round = None
                raise InternalError(f"a look round has not ended after {ACT_SECONDS_MAX:g} s")
            self._clock.sleep(TICK_SECONDS)
        self._take_round()

    def _abandon_round(self) -> None:
        """Give a look round that is under way a moment to end: what it uses is closed next."""
        if self._round is not None:
            self._round.done_within(ABANDON_SECONDS)
            self._round = None
