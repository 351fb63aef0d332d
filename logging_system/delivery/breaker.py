"""Circuit breaker: after failures in a row, only one small probe request at a time is sent to the store.

```
closed ──failures in a row──▶ open ──pause over──▶ half-open (one probe) ──proof──▶ closed
                               ▲                          └──no proof──┐
                               └───────────────────────────────────────┘
```
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum

from logging_system.delivery.backoff import Backoff
from logging_system.delivery.limiter import Limiter


class BreakerState(Enum):
    """The states of the circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """Decides whether requests may be sent at all; when it opens, it sets the limiter back to one request.

    Attributes:
        limiter: What limits requests while it is closed.
        rng: Where the jitter of its pauses comes from.
        failures_max: Failures in a row that open it.
        backoff: Its pauses.
        state: What it lets through.
        failures: Failures since the last proof.
        opened: How often it opened.
        open_until_seconds: End of the pause, monotonic; meant while it is open.
    """

    limiter: Limiter
    rng: random.Random
    failures_max: int = 5
    backoff: Backoff = field(default_factory=lambda: Backoff(base_seconds=0.5))
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened: int = 0
    open_until_seconds: float = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether requests flow as the limiter allows."""
        return self.state is BreakerState.CLOSED

    def admits_probe(self, now_seconds: float) -> bool:
        """Whether the one probe may be sent.

        Args:
            now_seconds: Monotonic time.
        """
        return self.state is BreakerState.OPEN and now_seconds >= self.open_until_seconds

    def probed(self) -> None:
        """Report that the probe was sent."""
        self.state = BreakerState.HALF_OPEN

    def failed(self, retry_after_seconds: float | None, now_seconds: float) -> None:
        """Report a request of which nothing is known.

        Args:
            retry_after_seconds: What the server asked for; no probe undercuts it.
            now_seconds: Monotonic time.
        """
        self.failures += 1
        over = self.failures - self.failures_max
        delay_seconds = self.backoff.delay_seconds(max(1, over + 1), retry_after_seconds, self.rng)
        if retry_after_seconds is not None or over >= 0:
            self.open_until_seconds = max(self.open_until_seconds, now_seconds + delay_seconds)
        if over < 0:
            return
        if self.is_closed:
            self.opened += 1
            self.limiter.collapse(now_seconds)
        self.state = BreakerState.OPEN

    def reached(self, now_seconds: float) -> None:
        """Report that the store handled the probe but settled no document: the next may follow at once.

        Args:
            now_seconds: Monotonic time.
        """
        if self.state is BreakerState.HALF_OPEN:
            self.state = BreakerState.OPEN
            self.open_until_seconds = now_seconds

    def succeeded(self) -> None:
        """Report that the store settled a document."""
        self.state = BreakerState.CLOSED
        self.failures = 0
        self.open_until_seconds = 0.0
