"""Chosen records are refused for good, however often they come."""

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
class PoisonDocument(HttpRule):
    """Every record whose sequence `every` divides is answered with 400 `document_parsing_exception`.

    The same records are poison for every stack, however it batches. They are known by the identity in the
    line; where a stack seals the line, by the field that it declares for the number (`fields.sequence`). One
    that seals both hides which record a document is, so that nothing is refused and nothing proved.

    Args:
        every: every how many records one is refused, by the record's number; at least 1.
    """

    every: int = 100
    kind: ClassVar[str] = "poison_document"
    proofs: ClassVar[tuple[str, ...]] = ("items_400",)

    def __post_init__(self) -> None:
        """Refuse a number that divides nothing.

        Raises:
            ScenarioError: it is below 1.
        """
        if self.every < 1:
            raise ScenarioError(f"every {self.every} is below 1; write 100 for each hundredth record")

    def arguments(self) -> Arguments:
        """Return how the interceptor finds the records."""
        return {**IDENTIFIED, "every": self.every}

    def arguments_on(self, target: Interceptable) -> Arguments:
        """Return the same, and the field with the record's number where the stack declares one."""
        return {**self.arguments(), **identified_on(target)}

    def poisoned(self, target: Interceptable) -> list[int | None]:
        """Return the records that met the rule, and None where more met it than are counted."""
        return refused_records(target.altered(self.kind, self.proofs, 0.0))

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many records were poison, and how often the most persistent one was sent."""
        times = times_refused(counters).values()
        return (
            f"{len(times):,} poison documents were refused {sum(times):,} times, "
            f"none more than {max(times, default=0):,} times"
        )
