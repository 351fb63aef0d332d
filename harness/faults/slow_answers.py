"""The store works as ever and answers late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.http_rule import HttpRule
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError


@dataclass(frozen=True)
class SlowAnswers(HttpRule):
    """Every answer leaves `delay_ms` ± `jitter_ms` after the store gave it.

    Args:
        delay_ms: how long each answer is held back, in milliseconds, above 0 and at most 600,000.
        jitter_ms: by how much that varies at most, in milliseconds, at most `delay_ms`.
    """

    delay_ms: float = 1_000.0
    jitter_ms: float = 0.0
    kind: ClassVar[str] = "slow_answers"
    proofs: ClassVar[tuple[str, ...]] = ("delayed_ms",)

    def __post_init__(self) -> None:
        """Refuse delays out of range.

        Raises:
            ScenarioError: the delay is not in (0, 600,000] ms, or the jitter exceeds it.
        """
        if not (0 < self.delay_ms <= 600_000 and 0 <= self.jitter_ms <= self.delay_ms):
            raise ScenarioError(
                f"delay_ms {self.delay_ms} with jitter_ms {self.jitter_ms}: write a delay above 0, at most "
                "600,000 ms, and a jitter no larger"
            )

    def arguments(self) -> Arguments:
        """Return the delay."""
        return {"delay_ms": self.delay_ms, "jitter_ms": self.jitter_ms}

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how late answers were."""
        delayed, total_ms = counters.get("delayed", 0), counters.get("delayed_ms", 0)
        return f"{delayed:,} answers to the stack were held back, by {total_ms:,} ms in total"
