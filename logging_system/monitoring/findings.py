"""What the monitoring handler notices: slow log calls, slow operations, bursts; and when it says so again.

Findings go to a callback of the application. `log_findings` is one that logs them: then they go where all
records go, and alert rules see them as any other record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

KEYS_MAX = 256
"""Kinds and loggers whose last finding is remembered; the loggers beyond share one."""
OTHER = "(other)"
"""Stands for all names that found no room of their own."""

FindingKind = Literal["slow_call", "slow_operation", "record_burst", "error_burst"]
KINDS: tuple[FindingKind, ...] = ("slow_call", "slow_operation", "record_burst", "error_burst")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that people want to hear of.

    Attributes:
        kind: `slow_call`: other handlers kept a log call from returning. `slow_operation`: a record told of a
            long duration. `record_burst`, `error_burst`: many more records, or errors, than usual.
        logger: Who logged; empty where it is about all loggers.
        value: What was measured: milliseconds, or records within the last second.
        limit: What is still in order, in the same unit.
        count: How often, this time included, since the finding of this kind and logger before.
        moment_ns: When, on the monotonic clock.
    """

    kind: FindingKind
    logger: str
    value: float
    limit: float
    count: int
    moment_ns: int

    @property
    def sentence(self) -> str:
        """Return what happened in one sentence."""
        if self.kind in {"record_burst", "error_burst"}:
            what = "errors" if self.kind == "error_burst" else "records"
            text = f"{self.value:.0f} {what} within 1 s; the limit is {self.limit:.0f}"
        elif self.kind == "slow_call":
            text = f"A log call of {self.logger} took {self.value:.1f} ms; the limit is {self.limit:g} ms"
        else:
            text = f"An operation of {self.logger} took {self.value:.1f} ms; the limit is {self.limit:g} ms"
        return text if self.count == 1 else f"{text} ({self.count} times)"


OnFinding = Callable[[Finding], None]


class Cooldown:
    """Lets one finding of a kind and logger through within a time, and counts the others.

    Args:
        interval_ns: The time.
    """

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._let_through_ns: dict[tuple[str, str], int] = {}
        self._held_back: dict[tuple[str, str], int] = {}

    def passed(self, finding: Finding) -> Finding | None:
        """Return the finding with those held back before it counted, or None where it is held back."""
        key = finding.kind, finding.logger
        if key not in self._let_through_ns and len(self._let_through_ns) >= KEYS_MAX:
            self._forget(finding.moment_ns)
            if len(self._let_through_ns) >= KEYS_MAX:
                key = finding.kind, OTHER
        last_ns = self._let_through_ns.get(key)
        if last_ns is not None and finding.moment_ns - last_ns < self._interval_ns:
            self._held_back[key] = self._held_back.get(key, 0) + finding.count
            return None
        self._let_through_ns[key] = finding.moment_ns
        return replace(finding, count=finding.count + self._held_back.pop(key, 0))

    def _forget(self, now_ns: int) -> None:
        """Make room: what may be told again anyway needs no memory unless something was held back."""
        for key, last_ns in list(self._let_through_ns.items()):
            if now_ns - last_ns >= self._interval_ns:
                del self._let_through_ns[key]
                self._held_back.pop(key, None)


class Burst:
    """Tells when many more than usual came within a second; a burst is told once, at its beginning.

    Args:
        factor: How many times as many as usual are still in order.
        count_min: Fewer than this are no burst, whatever is usual.
        history_ns: How long must be known what is usual.
    """

    def __init__(self, factor: float, count_min: int, history_ns: int) -> None:
        self._factor = factor
        self.count_min = count_min
        self._history_ns = history_ns
        self._is_on = False

    def limit(self, last_second: int, before: int, before_ns: int) -> float | None:
        """Return the limit that has just been exceeded; None where it was not, or was already.

        Args:
            last_second: How many came within the last second.
            before: How many came before that, within the last minute.
            before_ns: How long that time before was.
        """
        limit = max(self._factor * before * 1e9 / max(before_ns, 1), self.count_min - 1)
        was_on = self._is_on
        self._is_on = last_second > limit and before_ns >= self._history_ns
        return limit if self._is_on and not was_on else None

    def end(self) -> None:
        """Note that fewer than `count_min` came."""
        self._is_on = False


def log_findings(logger: str, level: int = logging.WARNING) -> OnFinding:
    """Return a callback that logs each finding, so that it goes where all records go.

    Args:
        logger: The name of the logger to log to.
        level: The level of these records.
    """

    def tell(finding: Finding) -> None:
        logging.getLogger(logger).log(
            level,
            "%s",
            finding.sentence,
            extra={
                "finding": finding.kind,
                "finding_logger": finding.logger,
                "finding_value": finding.value,
                "finding_limit": finding.limit,
                "finding_count": finding.count,
            },
        )

    return tell
