"""Which records a rule of the interceptor refused for good, by the counters it keeps of them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.evidence import lines
from harness.model.declarations import Arguments
from harness.targets.capabilities import Interceptable

IDENTIFIED: Arguments = {"pattern": lines.IDENTITY, "digits": lines.LETTERS, "sequence_path": ""}
"""How the interceptor finds a record's sequence: in the identity that ends every line."""


def identified_on(target: Interceptable) -> Arguments:
    """Return how it finds it on the link `target`: for sealed lines, in the field the stack declares, too."""
    return {**IDENTIFIED, "sequence_path": target.sequence_path}


_RECORD = "record_"
_UNNAMED = "unnamed"
# How many counters of one rule the interceptor keeps.
_COUNTERS_MAX = 2_000


def times_refused(counters: Mapping[str, int]) -> dict[int, int]:
    """Return how often each record was refused, by sequence.

    Args:
        counters: of one rule; each record has its own, and the rule's other counters are passed over.
    """
    return {
        int(name.removeprefix(_RECORD)): count
        for name, count in sorted(counters.items())
        if name.startswith(_RECORD)
    }


def refused_records(counters: Mapping[str, int]) -> list[int | None]:
    """Return their sequences, and None where there were others that nobody can name.

    Args:
        counters: of one rule; where it has as many as it may keep, more records than these may have been
            refused.
    """
    named = sorted(times_refused(counters))
    return [*named, None] if counters.get(_UNNAMED) or len(counters) >= _COUNTERS_MAX else [*named]
