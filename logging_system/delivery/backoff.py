"""Exponential backoff with full jitter and a cap.

Full jitter: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

_DOUBLINGS_MAX = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after a failure.

    Attributes:
        base_seconds: Ceiling of the first wait.
        cap_seconds: Ceiling of every later one.
    """

    base_seconds: float = 0.1
    cap_seconds: float = 2.0

    def delay_seconds(self, failures: int, retry_after_seconds: float | None, rng: random.Random) -> float:
        """Return the wait after the `failures`-th failure in a row (1 is the first).

        Args:
            failures: Failures so far.
            retry_after_seconds: What the server asked for; never undercut.
            rng: Where the jitter comes from.
        """
        ceiling_seconds = min(self.cap_seconds, self.base_seconds * 2.0 ** min(failures - 1, _DOUBLINGS_MAX))
        delay_seconds = rng.uniform(0.0, ceiling_seconds)
        if retry_after_seconds is None:
            return delay_seconds
        return retry_after_seconds + delay_seconds
