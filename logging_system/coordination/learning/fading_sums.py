"""Sums in which what is older weighs less."""

from __future__ import annotations

import math


class FadingSums:
    """The weight, the sum and the sum of squares of some values; from these their mean and deviation.

    Args:
        kept: What a value weighs after the next one came, as a share of what it weighed; below 1.
    """

    __slots__ = ("_kept", "squares", "total", "weight")

    def __init__(self, kept: float) -> None:
        self._kept = kept
        self.weight = self.total = self.squares = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        kept = self._kept
        self.weight = self.weight * kept + 1
        self.total = self.total * kept + value
        self.squares = self.squares * kept + value * value

    def add_zeros(self, count: int) -> None:
        """Count nought so many times, at once.

        Args:
            count: How many times; 0 or less counts nothing.
        """
        if count > 0:
            faded = self._kept**count
            self.weight = self.weight * faded + (1 - faded) / (1 - self._kept)
            self.total *= faded
            self.squares *= faded

    @property
    def mean(self) -> float:
        """The mean; nan without a value."""
        return self.total / self.weight if self.weight else math.nan

    @property
    def variance(self) -> float:
        """The variance; nan without a value."""
        if not self.weight:
            return math.nan
        return max(0.0, self.squares / self.weight - self.mean**2)

    def copy(self) -> FadingSums:
        """Return the same sums apart."""
        other = FadingSums(self._kept)
        other.weight, other.total, other.squares = self.weight, self.total, self.squares
        return other

    def content(self) -> list[float]:
        """Return the three sums."""
        return [self.weight, self.total, self.squares]

    def restore(self, content: list[float]) -> None:
        """Take over three sums."""
        self.weight, self.total, self.squares = map(float, content)
