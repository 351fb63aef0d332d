"""When findings began here, and how often a workflow was run for each: what recovery is measured by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from logging_system.coordination.findings import Finding

_KEPT_MAX = 10_000


class Episodes:
    """The findings that were taken in."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._numbers: dict[str, int] = {}

    def began(self, finding: Finding, now_seconds: float) -> None:
        """Take in that a finding began.

        Args:
            finding: The finding.
            now_seconds: Seconds since 1970.
        """
        self._began[finding.finding_id] = now_seconds
        _bound(self._began)

    def ended(self, finding: Finding, now_seconds: float) -> float | None:
        """Return the recovery time, from the decision to the end; None where the finding did not begin here.

        Args:
            finding: The finding.
            now_seconds: Seconds since 1970.
        """
        began_seconds = self._began.pop(finding.finding_id, None)
        if began_seconds is None:
            return None
        return max(0.0, min(now_seconds, finding.until_seconds or now_seconds) - began_seconds)

    def next_number(self, workflow: str, finding_id: str) -> int:
        """Return how many runs of a workflow there were for a finding, and count one more.

        Args:
            workflow: Name of the workflow.
            finding_id: The finding. Of more than 10,000 pairs, the one that was counted least recently is
                forgotten, and begins at 0 again.
        """
        name = f"{workflow}/{finding_id}"
        number = self._numbers.pop(name, 0)
        self._numbers[name] = number + 1
        _bound(self._numbers)
        return number

    def content(self) -> dict[str, Any]:
        """Return everything as an object of JSON."""
        return {"began": self._began, "numbers": self._numbers}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take in what `content` returned."""
        self._began, self._numbers = dict(content["began"]), dict(content["numbers"])


def _bound(known: dict[str, Any]) -> None:
    while len(known) > _KEPT_MAX:
        del known[next(iter(known))]
