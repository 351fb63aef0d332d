"""Chooses among workflows and doing nothing: Thompson sampling that never risks more than may be lost.

W. R. Thompson, "On the likelihood that one unknown probability exceeds another", 1933. What may be risked
is an account, as in Y. Wu et al., "Conservative Bandits", 2016: it begins small, each episode adds a share of
what doing nothing costs, and what a workflow saves or costs beside doing nothing is put in or taken out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logging_system.coordination.outcomes.posterior import Evidence, Posterior, Prior, log_seconds

HARM = 1.05
"""A workflow that takes so many times as long as doing nothing does harm."""
HARM_CHANCE_MAX = 0.8
"""One that is more likely than this to do harm is not chosen."""
NOTHING_WEIGHT_MIN = 3.4
"""Doing nothing is measured so often before anything else is risked by itself."""
RISK_QUANTILE = 0.8
RISK_FREE = HARM - 1
RISK_MAX = 2.0
"""A workflow ends, and is undone, in bounded time: no more is counted as at risk, in recoveries."""
DRAWS = 100
_USUAL_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of one workflow.

    Attributes:
        why_not: Why it is not chosen, in a sentence; empty where it may be.
        harm_chance: How likely it is to do harm.
        risk: How much longer than doing nothing it may take, in recoveries.
    """

    why_not: str
    harm_chance: float
    risk: float


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is believed of the choices in one context.

    Attributes:
        nothing: Of doing nothing.
        workflows: Of each workflow, by name.
        nothing_weight: What the observations of doing nothing weigh.
        credit: What may be risked, in recoveries.
    """

    nothing: Posterior
    workflows: Mapping[str, Posterior]
    nothing_weight: float
    credit: float


def beliefs(
    evidence: Mapping[str, Evidence], nothing: Evidence, candidates: Sequence[str], credit: float
) -> Beliefs:
    """Return what is believed of the candidates.

    A workflow that was never run is believed to take as long as doing nothing, more or less.

    Args:
        evidence: Of each workflow, by name.
        nothing: Of doing nothing.
        candidates: The workflows in question.
        credit: What may be risked, in recoveries.
    """
    of_nothing = Posterior.of(Prior(log_seconds(_USUAL_SECONDS), strength=0.01), nothing)
    prior = Prior(of_nothing.mean)
    return Beliefs(
        of_nothing,
        {name: Posterior.of(prior, evidence.get(name, Evidence())) for name in candidates},
        nothing.weight,
        credit,
    )


def verdict(believed: Beliefs, name: str, rng: random.Random) -> Verdict:
    """Return what is thought of a workflow.

    Args:
        believed: What is believed of the choices.
        name: The workflow, one of `believed.workflows`.
        rng: Where the `DRAWS` draws come from on which both numbers of the verdict rest.
    """
    posterior = believed.workflows[name]
    ratios = sorted(posterior.draw_seconds(rng) / believed.nothing.draw_seconds(rng) for _ in range(DRAWS))
    harm_chance = sum(each > HARM for each in ratios) / DRAWS
    risk = min(RISK_MAX, max(0.0, ratios[int(RISK_QUANTILE * DRAWS)] - 1))
    why_not = ""
    if harm_chance > HARM_CHANCE_MAX:
        why_not = f"{harm_chance:.0%} likely to take longer than doing nothing"
    elif risk > RISK_FREE and believed.credit <= 0:
        why_not = f"may cost {risk:.1f} recoveries, and nothing may be risked now"
    return Verdict(why_not, harm_chance, risk)


def choose(believed: Beliefs, rng: random.Random, *, measures_nothing: bool = True) -> str | None:
    """Return the workflow to be run; None for doing nothing.

    Args:
        believed: What is believed.
        rng: Where the draws come from.
        measures_nothing: Whether doing nothing is chosen until it was measured often enough.
    """
    if measures_nothing and believed.nothing_weight < NOTHING_WEIGHT_MIN:
        return None
    best, best_seconds = None, believed.nothing.draw_seconds(rng)
    for name, posterior in believed.workflows.items():
        if verdict(believed, name, rng).why_not:
            continue
        seconds = posterior.draw_seconds(rng)
        if seconds < best_seconds:
            best, best_seconds = name, seconds
    return best


def most_promising(believed: Beliefs, rng: random.Random) -> str | None:
    """Return the workflow to be proposed to a person, who decides; None where all are likely to do harm.

    Args:
        believed: What is believed of the choices; what may be risked plays no part.
        rng: Where the draws of recovery times come from, of which the shortest is proposed.
    """
    drawn = {
        name: posterior.draw_seconds(rng)
        for name, posterior in believed.workflows.items()
        if not is_harmful(believed, name, rng)
    }
    return min(drawn, key=lambda name: drawn[name], default=None)


def is_harmful(believed: Beliefs, name: str, rng: random.Random) -> bool:
    """Whether a workflow is likely to do harm; never before doing nothing was measured often enough.

    Args:
        believed: What is believed of the choices.
        name: The workflow, one of `believed.workflows`.
        rng: Where the draws come from.
    """
    is_measured = believed.nothing_weight >= NOTHING_WEIGHT_MIN
    return is_measured and verdict(believed, name, rng).harm_chance > HARM_CHANCE_MAX
