"""What every report says of a comparison with a baseline: one row a measure, apart from absolute limits."""

from __future__ import annotations

from dataclasses import dataclass

from harness.judging.regression import parse_rise
from harness.model.protocols import Status
from harness.model.result import Comparison, Regression
from harness.reporting.numbers import quantity

HEADS = ("verdict", "objective", "baseline", "candidate", "rise", "interval", "noise", "allowed")


@dataclass(frozen=True, slots=True)
class RegressionRow:
    """One measure in one scenario. `cells` are those of `HEADS` after the verdict; `why` may be empty."""

    status: Status
    cells: tuple[str, ...]
    why: str


def regression_head(regression: Regression) -> str:
    """Say what was compared with what, and how."""
    if not regression.comparisons:
        return regression.remark or "Nothing was compared with a baseline."
    how = "run in turn on one machine" if regression.interleaved else "recorded before"
    return (
        f"Beside {regression.baseline}, {how}: medians of the runs, "
        f"intervals at a confidence of {100 * regression.confidence:g} % in all"
    )


def regression_rows(regression: Regression) -> tuple[RegressionRow, ...]:
    """Return a row for each comparison."""
    return tuple(map(_row, regression.comparisons))


def _row(comparison: Comparison) -> RegressionRow:
    rise = parse_rise(comparison.limit)

    def amount(value: float | None) -> str:
        return "" if value is None else quantity(value, comparison.unit)

    def change(value: float | None) -> str:
        return "" if value is None or rise is None else rise.words(value, comparison.unit)

    interval = "" if comparison.low is None else f"{change(comparison.low)} … {change(comparison.high)}"
    return RegressionRow(
        comparison.status,
        (
            f"{comparison.scenario}: {comparison.objective}",
            amount(comparison.baseline_median),
            amount(comparison.candidate_median),
            change(comparison.rise),
            interval,
            change(comparison.noise),
            comparison.limit,
        ),
        comparison.summary,
    )
