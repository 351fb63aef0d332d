"""Everything through a link takes longer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

from harness.faults.connection_reset import Direction
from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Probe, Severable

MS_MAX = 600_000
_PROBES = 3
_PATIENCE_SECONDS = 1.0


@dataclass
class Latency:
    """Each chunk is held back for `latency_ms` ± `jitter_ms`, in one direction; throughput stays.

    The proof compares round trips of our own before and while it is on, so that a store that is slow by
    itself is not taken for a slow link. That is why this fault remembers something.

    Args:
        latency_ms: how long each chunk is held back, in milliseconds, at least 1.
        jitter_ms: by how much that varies at most, in milliseconds, below `latency_ms`.
        direction: which bytes are held back; `upstream`: what the stack sends, `downstream`: the answers.
    """

    latency_ms: int = 100
    jitter_ms: int = 0
    direction: Direction = "upstream"
    needs: ClassVar[type] = Severable
    _before_ms: float = field(default=math.nan, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be told from no latency at all.

        Raises:
            ScenarioError: a time is out of range, or the jitter may cancel the latency.
        """
        if not 1 <= self.latency_ms <= MS_MAX:
            raise ScenarioError(f"latency_ms {self.latency_ms} is not in 1 to {MS_MAX}")
        if not 0 <= self.jitter_ms < self.latency_ms:
            raise ScenarioError(f"jitter_ms {self.jitter_ms} must be at least 0 and below latency_ms")

    def undo(self, target: Severable) -> Undo:
        """Name the toxic to remove."""
        return target.undo_toxic(self._name)

    def inject(self, target: Severable, rng: Random) -> AbstractContextManager[None]:
        """Measure, add the toxic, and remove it on exit."""
        return self._injected(target)

    def evidence(self, target: Severable) -> tuple[bool, str]:
        """Ask through the link a few times: the quickest must have become slower by what was injected."""
        least_ms = self.latency_ms - self.jitter_ms
        during_ms = _quickest_ms(target, 2 * (self.latency_ms + self.jitter_ms) / 1e3)
        # Half of it as the difference leaves room for a first measurement that this machine disturbed.
        landed = during_ms >= least_ms and during_ms - self._before_ms >= least_ms / 2
        return landed, (
            f"the fastest of {_PROBES} test requests took {during_ms:,.1f} ms through the link, "
            f"{self._before_ms:,.1f} ms before the fault (at least {least_ms:,} ms more required)"
        )

    @property
    def _name(self) -> str:
        return f"latency_{self.direction}"

    @contextmanager
    def _injected(self, target: Severable) -> Iterator[None]:
        self._before_ms = _quickest_ms(target, 0.0)
        attributes = {"latency": self.latency_ms, "jitter": self.jitter_ms}
        target.add_toxic(self._name, "latency", self.direction, attributes, 1.0)
        try:
            yield
        finally:
            target.remove_toxic(self._name)


def _quickest_ms(target: Severable, more_seconds: float) -> float:
    """Return the shortest of a few round trips, in ms; NaN, which proves nothing, where none was answered."""
    probes: list[Probe] = [target.probe(_PATIENCE_SECONDS + more_seconds) for _ in range(_PROBES)]
    return min((probe.elapsed_ms for probe in probes if probe.outcome == "answered"), default=math.nan)
