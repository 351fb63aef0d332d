"""The store takes only small requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.http_rule import HttpRule
from harness.faults.refused_records import IDENTIFIED, identified_on, refused_records, times_refused
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError
from harness.targets.capabilities import Interceptable


@dataclass(frozen=True)
class BodyLimited(HttpRule):
    """A bulk request of more than `bytes_max` bytes, as it travels, is answered with an empty 413.

    A record that exceeds it all by itself is refused for good: no request with it ever fits. The 413 names no
    document, so a stack may ask again a few times before it believes that.

    Args:
        bytes_max: the size in bytes, as it travels, above which a bulk request is refused.
    """

    bytes_max: int = 65_536
    kind: ClassVar[str] = "body_limited"
    proofs: ClassVar[tuple[str, ...]] = ("too_large",)
    deliberation_seconds: ClassVar[float] = 2.0

    def __post_init__(self) -> None:
        """Refuse a limit below a byte.

        Raises:
            ScenarioError: it is below 1.
        """
        if self.bytes_max < 1:
            raise ScenarioError(f"bytes_max {self.bytes_max} is below 1; write the largest body in bytes")

    def arguments(self) -> Arguments:
        """Return the limit, and how the interceptor finds which record is too large by itself."""
        return {"bytes_max": self.bytes_max, **IDENTIFIED}

    def arguments_on(self, target: Interceptable) -> Arguments:
        """Return the same, and the field with the record's number where the stack declares one."""
        return {**self.arguments(), **identified_on(target)}

    def poisoned(self, target: Interceptable) -> list[int | None]:
        """Return the records that were too large by themselves, and None where nobody can tell which."""
        return refused_records(target.altered(self.kind, self.proofs, 0.0))

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many were too large."""
        refused, seen = counters.get("too_large", 0), counters.get("seen", 0)
        return (
            f"{refused:,} of {seen:,} bulk requests exceeded {self.bytes_max:,} bytes and got a 413; "
            f"{len(times_refused(counters)):,} records are too large by themselves"
        )
