"""A look at a fault on a thread of its own, so that the fault ends when its file says, whatever it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from harness.model.errors import HarnessError, InterruptedRunError, TimeIsUpError
from harness.model.nanoseconds import SECOND_NS
from harness.runs.act import Act

Seen: TypeAlias = "tuple[bool, str] | None"


class Look:
    """Asks for a fault's evidence; what it says can be had once it is done.

    Args:
        evidence: observes from outside: (landed, what was seen).
        target: what it observes.
        begin: begins the looking on a thread of its own.
    """

    def __init__(
        self,
        evidence: Callable[[object], tuple[bool, str]],
        target: object,
        begin: Callable[[Callable[[], Seen]], Act[Seen]] = Act,
    ) -> None:
        self._act = begin(lambda: evidence(target))

    @property
    def done(self) -> bool:
        """Return whether it has seen what it will see."""
        return self._act.done

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return (self._act.ended_ns - self._act.began_ns) / SECOND_NS

    def result(self) -> tuple[bool, str]:
        """Return (landed, what was seen).

        Raises:
            InterruptedRunError, TimeIsUpError: the run must end.
            Exception: a defect of the fault's own.
        """
        if not self.done:
            return False, "the proof took longer than the fault lasted"
        try:
            return self._act.result() or (False, "nothing was observed")
        except (InterruptedRunError, TimeIsUpError):
            raise
        except HarnessError as error:
            return False, f"it could not be checked: {error}"
