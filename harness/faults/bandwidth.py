"""A link takes only so many bytes a second from the stack."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Squeezable

RATE_KB_PER_SECOND_MAX = 100
# Every server reads 8 KiB of headers; half of that is told apart from nothing up to the highest rate.
_PUSH_BYTES = 4_000
_PUSHES = 3
_PATIENCE_SECONDS = 1.0
_TOXIC = "bandwidth_upstream"


@dataclass
class Bandwidth:
    """What the stack sends passes at `rate_kb_per_second` (1,000 bytes each), per connection.

    The proof is a request of our own of known size, timed before and while it is on; that is why this fault
    remembers something.

    Args:
        rate_kb_per_second: what passes each second, in units of 1,000 bytes, from 1 to 100.
    """

    rate_kb_per_second: int = 20
    needs: ClassVar[type] = Squeezable
    _before_ms: float = field(default=math.nan, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a rate whose effect could not be measured.

        Raises:
            ScenarioError: the rate is out of range.
        """
        if not 1 <= self.rate_kb_per_second <= RATE_KB_PER_SECOND_MAX:
            raise ScenarioError(
                f"rate_kb_per_second {self.rate_kb_per_second} is not in 1 to {RATE_KB_PER_SECOND_MAX}"
            )

    def undo(self, target: Squeezable) -> Undo:
        """Name the toxic to remove."""
        return target.undo_toxic(_TOXIC)

    def inject(self, target: Squeezable, rng: Random) -> AbstractContextManager[None]:
        """Measure, add the toxic, and remove it on exit."""
        return self._injected(target)

    def evidence(self, target: Squeezable) -> tuple[bool, str]:
        """Send a request of known size: it must take what it takes at that rate, and did not before."""
        least_ms = _PUSH_BYTES / self.rate_kb_per_second
        during_ms = _quickest_ms(target, 2 * least_ms / 1e3)
        landed = during_ms >= least_ms and during_ms - self._before_ms >= least_ms / 2
        return landed, (
            f"a test request of {_PUSH_BYTES:,} bytes took {during_ms:,.1f} ms through the link, "
            f"{self._before_ms:,.1f} ms before the fault (at least {least_ms:,.0f} ms at "
            f"{self.rate_kb_per_second} KB/s)"
        )

    @contextmanager
    def _injected(self, target: Squeezable) -> Iterator[None]:
        self._before_ms = _quickest_ms(target, 0.0)
        target.add_toxic(_TOXIC, "bandwidth", "upstream", {"rate": self.rate_kb_per_second}, 1.0)
        try:
            yield
        finally:
            target.remove_toxic(_TOXIC)


def _quickest_ms(target: Squeezable, more_seconds: float) -> float:
    """Return the shortest of a few round trips, in ms; NaN, which proves nothing, where none was answered."""
    probes = [target.push(_PUSH_BYTES, _PATIENCE_SECONDS + more_seconds) for _ in range(_PUSHES)]
    return min((probe.elapsed_ms for probe in probes if probe.outcome == "answered"), default=math.nan)
