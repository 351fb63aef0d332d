"""Honest load in which lines of unseen shapes come by the thousand, and one new error among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from harness.evidence.shaped_lines import NEVER_LOGGED, ORDINARY, UNIQUE, USUAL_ERROR
from harness.load.schedules.changing_rate import due_times_ns, require_rates, require_seconds
from harness.model.errors import ScenarioError
from harness.model.nanoseconds import SECOND_NS

TIMES_MAX = 100
_ERROR_EVERY = 10
"""One record in so many is an error, in a flood as ever: more load is no more trouble."""


@dataclass(frozen=True)
class TemplateFlood:
    """No two lines of a flood are alike, as after a release or in a debug run.

    A tenth of all records are errors, of a few kinds that come all the time; in a flood, of kinds that come
    once. In one of the floods an error of one kind that was never logged before comes again and again.

    Args:
        rate_per_second: records per second between floods, of all producers together.
        flood_per_second: records per second in a flood; above the rate.
        at_seconds: when the first flood begins, in seconds after sending began.
        for_seconds: how long each flood lasts, in seconds.
        times: how many floods there are.
        every_seconds: from the beginning of one flood to that of the next, in seconds.
        errors: how many errors of the new kind there are.
        errors_at_seconds: when the first of them is due, in seconds after sending began.
        errors_for_seconds: for how long they come, in seconds.
    """

    rate_per_second: float = 50.0
    flood_per_second: float = 500.0
    at_seconds: float = 64.0
    for_seconds: float = 5.0
    times: int = 2
    every_seconds: float = 13.0
    errors: int = 20
    errors_at_seconds: float = 77.5
    errors_for_seconds: float = 4.0

    def __post_init__(self) -> None:
        """Refuse what is no flood, or more than any producer can send.

        Raises:
            ScenarioError: a number is out of range.
        """
        require_rates(rate_per_second=self.rate_per_second, flood_per_second=self.flood_per_second)
        require_seconds(
            at_seconds=self.at_seconds,
            for_seconds=self.for_seconds,
            every_seconds=self.every_seconds,
            errors_at_seconds=self.errors_at_seconds,
            errors_for_seconds=self.errors_for_seconds,
        )
        if not self.flood_per_second > self.rate_per_second:
            raise ScenarioError(
                f"flood_per_second {self.flood_per_second:g} must be above rate_per_second "
                f"{self.rate_per_second:g}"
            )
        if not 1 <= self.times <= TIMES_MAX:
            raise ScenarioError(f"times {self.times} is not in 1 to {TIMES_MAX}")
        if self.every_seconds <= self.for_seconds:
            raise ScenarioError(
                f"every_seconds {self.every_seconds:g} must be above for_seconds {self.for_seconds:g}; a "
                "flood ends before the next one begins"
            )
        most = int(self.errors_for_seconds * self.rate_per_second / 2)
        if not 1 <= self.errors <= most:
            raise ScenarioError(
                f"errors {self.errors} in {self.errors_for_seconds:g} s are not in 1 to {most:,}, half of "
                "the records of that time"
            )

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times between and in the floods, in ns after the start of sending, ascending.

        Raises:
            ScenarioError: the last flood, or the last new error, does not come before sending ends.
        """
        *_, (_, end_seconds) = self._floods()
        end_seconds = max(end_seconds, self.errors_at_seconds + self.errors_for_seconds)
        if end_seconds >= seconds:
            raise ScenarioError(
                f"the schedule's last flood or new error ends at {end_seconds:g} s, but sending ends at "
                f"{seconds:g} s; raise sending_seconds, or end them earlier"
            )
        base, peak = self.rate_per_second, self.flood_per_second
        knots = [(0.0, base)]
        for begin, end in self._floods():
            knots += [(begin, base), (begin, peak), (end, peak), (end, base)]
        return due_times_ns([*knots, (seconds, base)], rng)

    def levels(self, offsets_ns: Sequence[int]) -> str:
        """Return E for each record that is an error and I for the others.

        Args:
            offsets_ns: when the records are due, ascending.
        """
        return "".join(
            "E" if shape in (USUAL_ERROR, NEVER_LOGGED) or (shape == UNIQUE and _is_error(place)) else "I"
            for place, shape in enumerate(self.shapes(offsets_ns))
        )

    def shapes(self, offsets_ns: Sequence[int]) -> str:
        """Return the shape of each record's line: ordinary, a usual error, one of its own, or the new error.

        Args:
            offsets_ns: when the records are due, ascending.
        """
        floods = list(self._floods())
        moments = iter([*self._new_errors(), float("inf")])
        due = next(moments)
        shapes = []
        for place, offset_ns in enumerate(offsets_ns):
            second = offset_ns / SECOND_NS
            if second >= due:
                due = next(moments)
                shapes.append(NEVER_LOGGED)
            elif any(begin <= second < end for begin, end in floods):
                shapes.append(UNIQUE)
            else:
                shapes.append(USUAL_ERROR if _is_error(place) else ORDINARY)
        return "".join(shapes)

    def _floods(self) -> Iterator[tuple[float, float]]:
        for number in range(self.times):
            begin = self.at_seconds + number * self.every_seconds
            yield begin, begin + self.for_seconds

    def _new_errors(self) -> Iterator[float]:
        for number in range(self.errors):
            yield self.errors_at_seconds + number * self.errors_for_seconds / self.errors


def _is_error(place: int) -> bool:
    return place % _ERROR_EVERY == 0
