"""A fault's hold on its target, from its injection to its healing; neither is waited for.

A process that is asked to end may take its time, and so may one that is started again. Meanwhile other faults
end when their file says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from harness.cleanup.undo_journal import UndoJournal
from harness.model.errors import FaultError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Undo
from harness.runs.act import Act

ACT_SECONDS_MAX = 300.0
"""More than any fault takes that bounds its own waits: one that takes longer hangs."""


class Hold:
    """Injects a fault at once. The journal keeps its undo until it is known to be taken back, on every path.

    What went wrong while the fault was on leaves it in good order once it is taken back. After an error of
    the fault's own nobody knows whether it is still on, and its undo stays in the journal.

    Args:
        name: of the step, in the journal.
        label: the fault and its target, for a person.
        undo: how to take it back from outside; on disk before anything is hurt.
        context: hurts the target on entry and takes it back on exit.
        journal: keeps the undo.
        now_ns: tells the time, in nanoseconds, from any thread.

    Raises:
        FaultError: the journal cannot be written, so nothing was injected.
    """

    def __init__(
        self,
        name: str,
        label: str,
        undo: Undo,
        context: AbstractContextManager[None],
        journal: UndoJournal,
        now_ns: Callable[[], int],
    ) -> None:
        self._name = name
        self._label = label
        self._context = context
        self._journal = journal
        self._now_ns = now_ns
        self._healing: Act[object] | None = None
        self._over = False
        journal.before(name, undo)
        self._injection: Act[object] = Act(context.__enter__, now_ns)

    @property
    def over(self) -> bool:
        """Return whether there is nothing more to be done: it was taken back, failed, or hangs."""
        return self._over

    def injected_ns(self) -> int | None:
        """Return since when the fault is on; None while it is being injected.

        Raises:
            FaultError: it could not be injected, or that takes too long.
            Exception: a defect of the fault's own.
        """
        return self._ended_ns(self._injection, "its injection")

    def heal(self) -> None:
        """Begin to take it back if it is on by now; a second time nothing is done."""
        if self._healing is None and self._injection.done and not self._injection.failed:
            self._healing = Act(lambda: self._context.__exit__(None, None, None), self._now_ns)

    def healed_ns(self) -> int | None:
        """Return when it was taken back; None while that is not over.

        Raises:
            FaultError: it could not be taken back, or that takes too long.
            Exception: a defect of the fault's own.
        """
        if self._healing is None:
            return None
        ended_ns = self._ended_ns(self._healing, "its healing")
        if ended_ns is not None and not self._over:
            self._over = True
            self._journal.done(self._name)
        return ended_ns

    def take_back(self) -> None:
        """Take it back in whatever state it is, and return when that is over. Bounded.

        Raises:
            FaultError: it cannot be taken back, or that takes too long.
            Exception: a defect of the fault's own.
        """
        if self._over:
            return
        if not self._injection.done_within(ACT_SECONDS_MAX):
            raise self._hanging("its injection")
        self.injected_ns()
        self.heal()
        if self._healing is not None and not self._healing.done_within(ACT_SECONDS_MAX):
            raise self._hanging("its healing")
        self.healed_ns()

    def _ended_ns(self, act: Act[object], what: str) -> int | None:
        if not act.done:
            if self._now_ns() - act.began_ns > ACT_SECONDS_MAX * SECOND_NS:
                raise self._hanging(what)
            return None
        if act.failed:
            self._over = True
        act.result()
        return act.ended_ns

    def _hanging(self, what: str) -> FaultError:
        self._over = True
        return FaultError(
            f"{self._label}: {what} has not ended after {ACT_SECONDS_MAX:g} s, and is not waited for any "
            "longer; `logquake heal` takes back what is left of it"
        )
