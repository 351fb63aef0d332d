"""What is believed of the recovery time under one choice: log-normal, with a normal-inverse-gamma posterior.

K. Murphy, "Conjugate Bayesian analysis of the Gaussian distribution", 2007, section 6.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

VARIANCE_MAX = 4.0
"""Of the logarithm; a mean of what varies more would be made of its tail alone."""
CAUTION = 0.3
"""How far below, in deviations."""
SECONDS_MIN = 0.1
SECONDS_MAX = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Observations of one choice, of which older ones weigh less.

    Attributes:
        episodes: How many there were.
        weight: What they weigh now.
        total: Their logarithms times their weights.
        squares: The squares of these.
        kept: What is left of the weight of the very first observation.
    """

    episodes: int = 0
    weight: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    kept: float = 1.0

    def with_observation(self, seconds: float, weight: float = 1.0, episodes: int = 1) -> Evidence:
        """Return it with one more; a negative weight takes one back.

        Args:
            seconds: The recovery time.
            weight: What it weighs.
            episodes: How many episodes that is.
        """
        value = log_seconds(seconds)
        left = self.weight + weight
        if left <= 1e-9:
            return Evidence(max(0, self.episodes + episodes), kept=self.kept)
        return Evidence(
            max(0, self.episodes + episodes),
            left,
            self.total + weight * value,
            self.squares + weight * value * value,
            self.kept,
        )

    def forgotten(self, share: float) -> Evidence:
        """Return it with only a share of its weight."""
        return Evidence(
            self.episodes, self.weight * share, self.total * share, self.squares * share, self.kept * share
        )


def log_seconds(seconds: float) -> float:
    """Return the natural logarithm of a recovery time.

    Args:
        seconds: The time; taken for at least `SECONDS_MIN`, and at most `SECONDS_MAX`.
    """
    return math.log(min(max(seconds, SECONDS_MIN), SECONDS_MAX))


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before any observation.

    Attributes:
        mean: Of the logarithm.
        strength: How many observations that is worth.
        shape: Twice that many observations is worth what is believed of the variance.
        variance: Of the logarithm.
    """

    mean: float
    strength: float = 0.5
    shape: float = 2.0
    variance: float = 0.25


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of the logarithm's mean and variance.

    Attributes:
        mean: The mean's own mean.
        strength: How many observations it is worth.
        shape: Of the inverse gamma distribution of the variance.
        scale: The same.
    """

    mean: float
    strength: float
    shape: float
    scale: float

    @classmethod
    def of(cls, prior: Prior, evidence: Evidence) -> Posterior:
        """Return what is believed after the evidence."""
        weight = evidence.weight
        strength = prior.strength + weight
        shape = prior.shape + weight / 2
        scale = prior.shape * prior.variance
        if weight <= 0:
            return cls(prior.mean, strength, shape, scale)
        observed = evidence.total / weight
        spread = max(0.0, evidence.squares - evidence.total * observed)
        scale += spread / 2 + prior.strength * weight * (observed - prior.mean) ** 2 / (2 * strength)
        return cls((prior.strength * prior.mean + evidence.total) / strength, strength, shape, scale)

    def draw_seconds(self, rng: random.Random) -> float:
        """Return a mean recovery time, as likely as it is believed.

        Args:
            rng: Where the two draws come from: one of the variance, one of the mean.
        """
        variance = min(self.scale / rng.gammavariate(self.shape, 1.0), VARIANCE_MAX)
        return math.exp(rng.gauss(self.mean, math.sqrt(variance / self.strength)) + variance / 2)

    def mean_seconds(self) -> float:
        """Return the mean recovery time that is believed most."""
        return math.exp(self.mean + min(self.scale / (self.shape + 1), VARIANCE_MAX) / 2)

    def cautious_seconds(self) -> float:
        """Return a mean recovery time a little below the one that is believed most."""
        variance = min(self.scale / (self.shape + 1), VARIANCE_MAX)
        return math.exp(self.mean - CAUTION * math.sqrt(variance / self.strength) + variance / 2)

    def surprise(self, seconds: float) -> float:
        """Return by how many deviations an observation is longer than was expected; below 0 for shorter.

        Args:
            seconds: The recovery time that was observed.
        """
        variance = self.scale / self.shape * (1 + 1 / self.strength)
        return (log_seconds(seconds) - self.mean) / math.sqrt(variance)
