"""The few statistics verdicts rest on: quantiles, how many samples decide, and the odds of an excess."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], fraction: float) -> float:
    """Return the nearest-rank quantile: the smallest value that at least `fraction` of all do not exceed.

    Args:
        values: samples in any order and unit; at least one.
        fraction: in (0, 1].

    Raises:
        ValueError: there is no sample, or the fraction lies outside its range.
    """
    if not values:
        raise ValueError("a quantile needs at least one sample")
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction {fraction} is not in (0, 1]")
    return sorted(values)[math.ceil(fraction * len(values)) - 1]


def samples_needed(fraction: float, confidence: float = 0.95) -> int:
    """Return how many samples without an excess bound a quantile at this confidence.

    With n independent samples all below a limit, the quantile lies above it with probability at most
    fraction**n (the order-statistics bound of Wilks 1941); hence n = ln(1 - confidence) / ln(fraction).
    """
    return math.ceil(math.log(1 - confidence) / math.log(fraction))


def excess_odds(samples: int, excesses: int, share: float) -> float:
    """Return the probability of at least this many excesses if the true share were `share`: a binomial tail.

    Args:
        samples: how many were looked at.
        excesses: how many of them were above the limit.
        share: the share that would still be in order, in (0, 1).
    """
    below = sum(
        math.exp(_log_binomial(samples, k) + k * math.log(share) + (samples - k) * math.log1p(-share))
        for k in range(min(excesses, samples + 1))
    )
    return max(0.0, 1.0 - below)


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
