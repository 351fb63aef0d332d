"""How long a thread had to wait for a processor, and others on its machine with it, as Linux counts it.

A busy machine makes everything on it late: the shipper, the store beside it, and whoever judges them. Both
counts only rise, so what was missed between two looks is not lost.

* `/proc/thread-self/schedstat`: nanoseconds on a processor, nanoseconds ready and waiting for one, turns
  (Documentation/scheduler/sched-stats.rst).
* `/proc/pressure/cpu`: `total` of the line `some` is the microseconds in which at least one task of the
  machine was ready and waiting (Documentation/accounting/psi.rst). No task can have waited longer than that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SOME_TOTAL = re.compile(r"^some .*\btotal=(\d+)", re.M)
_NANOSECOND, _MICROSECOND = 1e-9, 1e-6


@dataclass(frozen=True, slots=True)
class Waits:
    """What waited for a processor since the reading before.

    Attributes:
        own_seconds: The thread that reads; 0 where the system does not say.
        any_seconds: Anybody on the machine; None where the system does not say.
    """

    own_seconds: float = 0.0
    any_seconds: float | None = None


class MachineLoad:
    """Reads the waits of the thread that calls it, and of its machine.

    Args:
        proc: Where the system shows them.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._own_path, self._any_path = proc / "thread-self" / "schedstat", proc / "pressure" / "cpu"
        self._own_before = self._any_before = None  # type: float | None

    def read(self) -> Waits:
        """Return what waited since the reading before; nothing at the first."""
        own_seconds, any_seconds = _number(self._own_path, _own), _number(self._any_path, _any)
        waits = Waits(_risen(self._own_before, own_seconds) or 0.0, _risen(self._any_before, any_seconds))
        self._own_before, self._any_before = own_seconds, any_seconds
        return waits


def _risen(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else max(0.0, now - before)


def _number(path: Path, number: Callable[[str], float]) -> float | None:
    try:
        return number(path.read_text())
    except (OSError, ValueError):  # another system, an older kernel, or counting is switched off
        return None


def _own(content: str) -> float:
    _, waited, *_ = content.split()
    return int(waited) * _NANOSECOND


def _any(content: str) -> float:
    some = _SOME_TOTAL.search(content)
    if some is None:
        raise ValueError(content)
    return int(some[1]) * _MICROSECOND
