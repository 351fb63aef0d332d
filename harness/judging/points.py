"""Points of the score in hundredths: never rounded up, and parts that sum to their total."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

EN_DASH = "\N{EN DASH}"
# A millionth of a point, in hundredths: below that, a difference is the float's and not the score's.
FLOAT_NOISE = 1e-4


def hundredths(points: float) -> int:
    """Return the points in hundredths, never rounded up: 97.996 must not read 98.00 where 98 is the bar."""
    return floor(points * 100 + FLOAT_NOISE)


def apportioned(parts: Sequence[float], total: int) -> tuple[int, ...]:
    """Return the parts in hundredths so that they sum to `total`, by the largest remainder (Hamilton).

    Args:
        parts: points of each part; none is negative.
        total: the sum to reach, in hundredths.

    Returns:
        One whole number of hundredths a part. Where the parts are further from the total than rounding can
        explain, each is only rounded, so that the page shows the contradiction instead of hiding it.
    """
    whole = [hundredths(part) for part in parts]
    missing = total - sum(whole)
    if not 0 <= missing <= len(whole):
        return tuple(whole)
    by_remainder = sorted(range(len(whole)), key=lambda index: whole[index] - parts[index] * 100)
    for index in by_remainder[:missing]:
        whole[index] += 1
    return tuple(whole)


def points(in_hundredths: int) -> str:
    """Return hundredths as points with two decimals, e.g. 9625 → `96.25`.

    Args:
        in_hundredths: of a point, at least 0.
    """
    return f"{in_hundredths / 100:.2f}"


def interval(low: int, high: int) -> str:
    """Return an interval of points given in hundredths; one number where both ends are the same.

    Args:
        low: the lower end, in hundredths of a point.
        high: the upper end, likewise.
    """
    return points(low) if low == high else f"{points(low)} {EN_DASH} {points(high)}"
