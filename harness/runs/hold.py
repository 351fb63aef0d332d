"""A fault's hold on its target, from its injection to its healing; neither is waited for.

A process that is asked to end may take its time, and so may one that is started again. Meanwhile other faults
end when their file says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from harness.cleanup.undo_journal import UndoJournal
from harness.model.errors import FaultError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Undo
from harness.runs.act import ACT_SECONDS_MAX, Act
from harness.runs.ticker import Ticker


class Hold:
    """Injects a fault at once. The journal keeps its undo until it is known to be taken back, on every path.

    What went wrong while the fault was on leaves it in good order once it is taken back. After an error of
    the fault's own nobody knows whether it is still on, and its undo stays in the journal.

    Args:
        name: of the step, in the journal.
        label: the fault and its target, for a person.
        undo: says how to take it back from outside; on disk before anything is hurt.
        inject: makes what hurts the target on entry and takes it back on exit.
        journal: keeps the undo.
        ticker: of the run.
    """

    def __init__(
        self,
        name: str,
        label: str,
        undo: Callable[[], Undo],
        inject: Callable[[], AbstractContextManager[None]],
        journal: UndoJournal,
        ticker: Ticker,
    ) -> None:
        self._name = name
        self._label = label
        self._undo = undo
        self._inject = inject
        self._journal = journal
        self._ticker = ticker
        self._healing: Act[int] | None = None
        self._over = False
        self._injection = ticker.begin(self._injected)

    @property
    def over(self) -> bool:
        """Return whether there is nothing more to be done: it was taken back, failed, or hangs."""
        return self._over

    def injected_ns(self) -> int | None:
        """Return since when the fault is on; None while it is being injected.

        Raises:
            FaultError: it could not be injected, or that takes too long; or the journal cannot be written,
                so nothing was injected.
            Exception: a defect of the fault's own.
        """
        if not self._has_ended(self._injection, "its injection"):
            return None
        self._injection.result()
        return self._injection.ended_ns

    def heal(self) -> None:
        """Begin to take it back if it is on by now; a second time nothing is done."""
        if self._healing is None and self._injection.done and not self._injection.failed:
            self._healing = self._ticker.begin(self._taken_back)

    def healed_ns(self) -> int | None:
        """Return when it was taken back; None while that is not over.

        Raises:
            FaultError: it could not be taken back, or that takes too long.
            Exception: a defect of the fault's own.
        """
        if self._healing is None or not self._has_ended(self._healing, "its healing"):
            return None
        self._over = True
        return self._healing.result()

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

    def _injected(self) -> AbstractContextManager[None]:
        self._journal.before(self._name, self._undo())
        context = self._inject()
        context.__enter__()
        return context

    def _taken_back(self) -> int:
        """Take it back; return when that was done, which is before the disk has taken note of it."""
        self._injection.result().__exit__(None, None, None)
        healed_ns = self._ticker.now_ns()
        self._journal.done(self._name)
        return healed_ns

    def _has_ended(self, act: Act[Any], what: str) -> bool:
        if not act.done:
            if self._ticker.now_ns() - act.began_ns > ACT_SECONDS_MAX * SECOND_NS:
                raise self._hanging(what)
            return False
        if act.failed:
            self._over = True
        return True

    def _hanging(self, what: str) -> FaultError:
        self._over = True
        return FaultError(
            f"{self._label}: {what} has not ended after {ACT_SECONDS_MAX:g} s, and is not waited for any "
            "longer; `logquake heal` takes back what is left of it"
        )
