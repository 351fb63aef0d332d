"""What was learned, by namespace, class of cause and workflow; it can be shown, exported and reset."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from logging_system.coordination.outcomes.choice import (
    Beliefs,
    beliefs,
    choose,
    is_harmful,
    most_promising,
    verdict,
)
from logging_system.coordination.outcomes.posterior import Evidence, Posterior

NOTHING = "nothing"
KEPT_SHARE = 0.97
"""What of the evidence is left after each further episode: about thirty are remembered."""
NOTHING_KEPT_SHARE = 0.99
"""The same for doing nothing, which is measured seldom once something helps."""
SURPRISE = 5.0
"""So many deviations, summed up beyond half a one each, say that recovery takes longer than it did: E. S.
Page, "Continuous inspection schemes", 1954."""
DRIFT_ALLOWED = 0.5
SURPRISE_WEIGHT_MIN = 3.0
SURPRISED_SHARE = 0.2
"""What is left of the evidence where an outcome contradicts it: the world may have changed."""
CREDIT_START = 2.0
CREDIT_MAX = 15.0
CREDIT_SHARE = 0.02
"""What each episode adds to what may be risked, in recoveries; below the harm that is allowed (0.05)."""
OPINION_WEIGHT = 0.5
_YES_SHARE, _NO_SHARE = 0.5, 1.5
_CONTEXTS_MAX = 10_000
_EPISODES_MAX = 1_000
_SHOWN_DRAWS = 400
VERSION = 1


@dataclass(frozen=True, slots=True)
class Opinions:
    """What people said of a workflow in a context.

    Attributes:
        yes: That it helped.
        no: That it did not.
        not_it: That the cause was another one.
    """

    yes: int = 0
    no: int = 0
    not_it: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of one class of cause in one namespace.

    Attributes:
        evidence: By workflow; `nothing` is one of them.
        opinions: By workflow.
        drift: By workflow, how much longer than expected recovery took lately, in deviations.
    """

    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    opinions: Mapping[str, Opinions] = field(default_factory=dict)
    drift: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Episode:
    """One finding that ended, as it was counted; kept so that it can be taken back.

    Attributes:
        namespace: Where.
        cause: The class of cause it was counted for.
        workflow: What was run; `nothing` is one.
        seconds: The recovery time.
        kept: The evidence's `kept` at that time.
    """

    namespace: str
    cause: str
    workflow: str
    seconds: float
    kept: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What `explain` shows of one workflow in one context.

    Attributes:
        workflow: Which; `nothing` is one.
        episodes: How many were measured.
        weight: What they weigh now.
        mean_seconds: The mean recovery time that is believed most.
        low_seconds: The mean is above this with a probability of 95 %.
        high_seconds: The mean is below this with a probability of 95 %.
        chosen_share: How likely it is to be chosen by itself next time.
        harm_chance: How likely it takes over 5 % longer than doing nothing.
        opinions: What people said.
        why_not: Why it is not chosen now; empty where it may be.
    """

    workflow: str
    episodes: int
    weight: float
    mean_seconds: float
    low_seconds: float
    high_seconds: float
    chosen_share: float
    harm_chance: float
    opinions: Opinions
    why_not: str


class Outcomes:
    """Everything that was learned; a pure machine: randomness is an argument.

    Args:
        rng: Where draws come from.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._contexts: dict[tuple[str, str], Context] = {}
        self._credit: dict[str, float] = {}
        self._episodes: dict[str, Episode] = {}

    def choose(
        self, namespace: str, cause: str, candidates: Sequence[str], *, measures_nothing: bool = True
    ) -> str | None:
        """Return the workflow that is to be run without a person; None for nothing.

        Args:
            namespace: Where.
            cause: The class of cause.
            candidates: Workflows that fit.
            measures_nothing: Whether doing nothing is measured first.
        """
        believed = self._beliefs(namespace, cause, candidates)
        return choose(believed, self._rng, measures_nothing=measures_nothing)

    def propose(self, namespace: str, cause: str, candidates: Sequence[str]) -> str | None:
        """Return the workflow that is to be proposed to a person; None where all are likely to do harm.

        Args:
            namespace: Where.
            cause: The class of cause.
            candidates: Workflows that fit, by name.
        """
        return most_promising(self._beliefs(namespace, cause, candidates), self._rng)

    def is_harmful(self, namespace: str, cause: str, workflow: str) -> bool:
        """Whether a workflow is likely to take longer than doing nothing; False before that is known well.

        Args:
            namespace: Where.
            cause: The class of cause.
            workflow: Which workflow, by name.
        """
        return is_harmful(self._beliefs(namespace, cause, [workflow]), workflow, self._rng)

    def note(self, episode_id: str, namespace: str, cause: str, workflow: str, seconds: float) -> None:
        """Take in how long recovery took.

        Args:
            episode_id: Which finding; the same one counts once.
            namespace: Where.
            cause: The class of cause.
            workflow: What was run, or `nothing`.
            seconds: From the decision to the finding's end.
        """
        if episode_id in self._episodes:
            return
        context = self._contexts.get((namespace, cause), Context())
        believed = self._beliefs(namespace, cause, [workflow] if workflow != NOTHING else [])
        before = context.evidence.get(workflow, Evidence())
        posterior = believed.nothing if workflow == NOTHING else believed.workflows[workflow]
        drift = 0.0
        if before.weight >= SURPRISE_WEIGHT_MIN:
            drift = max(0.0, context.drift.get(workflow, 0.0) + posterior.surprise(seconds) - DRIFT_ALLOWED)
        share, drift = (SURPRISED_SHARE, 0.0) if drift > SURPRISE else (1.0, drift)
        self._count(namespace, workflow, seconds, believed)
        evidence = {
            name: each.forgotten(share * (NOTHING_KEPT_SHARE if name == NOTHING else KEPT_SHARE))
            for name, each in context.evidence.items()
        }
        evidence[workflow] = evidence.get(workflow, Evidence()).with_observation(seconds)
        drifts = {**context.drift, workflow: drift}
        self._put(namespace, cause, replace(context, evidence=evidence, drift=drifts))
        self._episodes[episode_id] = Episode(namespace, cause, workflow, seconds, evidence[workflow].kept)
        while len(self._episodes) > _EPISODES_MAX:
            del self._episodes[next(iter(self._episodes))]

    def _count(self, namespace: str, workflow: str, seconds: float, believed: Beliefs) -> None:
        credit = self._credit.get(namespace, CREDIT_START) + CREDIT_SHARE
        if workflow != NOTHING:
            # Where little is known of doing nothing, it is taken for short: a saving must be sure.
            credit -= seconds / believed.nothing.cautious_seconds() - 1
        self._credit[namespace] = min(CREDIT_MAX, credit)

    def say(self, namespace: str, cause: str, workflow: str, *, helped: bool) -> None:
        """Take in a person's yes or no; it weighs half of a measured episode.

        Args:
            namespace: Where.
            cause: The class of cause.
            workflow: Which workflow.
            helped: What the person said.
        """
        context = self._contexts.get((namespace, cause), Context())
        nothing_seconds = self._beliefs(namespace, cause, []).nothing.mean_seconds()
        seconds = nothing_seconds * (_YES_SHARE if helped else _NO_SHARE)
        evidence = context.evidence.get(workflow, Evidence())
        opinions = context.opinions.get(workflow, Opinions())
        opinions = (
            replace(opinions, yes=opinions.yes + 1) if helped else replace(opinions, no=opinions.no + 1)
        )
        self._put(
            namespace,
            cause,
            replace(
                context,
                evidence={
                    **context.evidence,
                    workflow: evidence.with_observation(seconds, OPINION_WEIGHT, episodes=0),
                },
                opinions={**context.opinions, workflow: opinions},
            ),
        )

    def not_it(
        self, episode_id: str, namespace: str, cause: str, workflow: str, right_cause: str | None
    ) -> None:
        """Take in that the cause was another one: what was measured is taken back.

        Args:
            episode_id: Which finding; it is not counted later either.
            namespace: Where.
            cause: The class of cause it was taken for.
            workflow: What was run, or `nothing`.
            right_cause: What it was, for which it is counted then; None where that is not said.
        """
        context = self._contexts.get((namespace, cause), Context())
        opinions = context.opinions.get(workflow, Opinions())
        context = replace(
            context,
            opinions={**context.opinions, workflow: replace(opinions, not_it=opinions.not_it + 1)},
        )
        counted = self._episodes.get(episode_id)
        if counted is not None and counted.cause == cause and counted.seconds > 0:
            evidence = context.evidence.get(counted.workflow, Evidence())
            weight = evidence.kept / counted.kept
            context = replace(
                context,
                evidence={
                    **context.evidence,
                    counted.workflow: evidence.with_observation(counted.seconds, -weight, episodes=-1),
                },
            )
        self._put(namespace, cause, context)
        if counted is not None and right_cause is not None and counted.seconds > 0:
            del self._episodes[episode_id]
            self.note(episode_id, namespace, right_cause, counted.workflow, counted.seconds)
        else:
            self._episodes[episode_id] = Episode(namespace, cause, workflow, 0.0, 1.0)

    def standings(self, namespace: str, cause: str, candidates: Sequence[str]) -> list[Standing]:
        """Return what is known of each candidate, and first of doing nothing; the same every time.

        Args:
            namespace: Where.
            cause: The class of cause.
            candidates: Workflows that fit, by name; those of which something is known here are added.
        """
        rng = random.Random(0)  # noqa: S311 - no secret
        context = self._contexts.get((namespace, cause), Context())
        known = [name for name in context.evidence if name != NOTHING]
        names = list(
            dict.fromkeys([*candidates, *known, *(each for each in context.opinions if each != NOTHING)])
        )
        believed = self._beliefs(namespace, cause, names)
        picks = [choose(believed, rng) or NOTHING for _ in range(_SHOWN_DRAWS)]
        standings = []
        for name in [NOTHING, *names]:
            posterior = believed.nothing if name == NOTHING else believed.workflows[name]
            thought = None if name == NOTHING else verdict(believed, name, rng)
            low_seconds, high_seconds = _interval(posterior, rng)
            evidence = context.evidence.get(name, Evidence())
            standings.append(
                Standing(
                    name,
                    evidence.episodes,
                    evidence.weight,
                    posterior.mean_seconds(),
                    low_seconds,
                    high_seconds,
                    picks.count(name) / len(picks),
                    0.0 if thought is None else thought.harm_chance,
                    context.opinions.get(name, Opinions()),
                    "" if thought is None else thought.why_not,
                )
            )
        return standings

    def contexts(self) -> Iterator[tuple[str, str]]:
        """Yield each namespace and class of cause of which something is known."""
        yield from sorted(self._contexts)

    def credit(self, namespace: str) -> float:
        """Return what may be risked in a namespace, in recoveries."""
        return self._credit.get(namespace, CREDIT_START)

    def reset(self, namespace: str | None = None, cause: str | None = None) -> int:
        """Forget what was learned, and return of how many contexts.

        Args:
            namespace: Of this namespace only; None for all.
            cause: Of this class of cause only; None for all.
        """
        gone = [each for each in self._contexts if namespace in {None, each[0]} and cause in {None, each[1]}]
        for each in gone:
            del self._contexts[each]
        for name in [each for each in self._credit if cause is None and namespace in {None, each}]:
            del self._credit[name]
        return len(gone)

    def content(self) -> dict[str, Any]:
        """Return everything as an object of JSON."""
        return {
            "version": VERSION,
            "contexts": [
                {
                    "namespace": namespace,
                    "cause": cause,
                    "drift": dict(context.drift),
                    "evidence": {name: asdict(each) for name, each in context.evidence.items()},
                    "opinions": {name: asdict(each) for name, each in context.opinions.items()},
                }
                for (namespace, cause), context in self._contexts.items()
            ],
            "credit": dict(self._credit),
            "episodes": {name: asdict(each) for name, each in self._episodes.items()},
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take in what `content` returned, in place of what there was.

        Raises:
            ValueError: A newer version wrote it.
            KeyError: A part is missing.
            TypeError: A part has the wrong form.
        """
        if content["version"] != VERSION:
            raise ValueError("what was learned comes from a newer version")
        contexts = {
            (each["namespace"], each["cause"]): Context(
                {name: Evidence(**one) for name, one in each["evidence"].items()},
                {name: Opinions(**one) for name, one in each["opinions"].items()},
                each["drift"],
            )
            for each in content["contexts"]
        }
        credit = {str(name): float(each) for name, each in content["credit"].items()}
        episodes = {name: Episode(**each) for name, each in content["episodes"].items()}
        self._contexts, self._credit, self._episodes = contexts, credit, episodes

    def _beliefs(self, namespace: str, cause: str, candidates: Sequence[str]) -> Beliefs:
        context = self._contexts.get((namespace, cause), Context())
        nothing = context.evidence.get(NOTHING, Evidence())
        return beliefs(context.evidence, nothing, candidates, self.credit(namespace))

    def _put(self, namespace: str, cause: str, context: Context) -> None:
        # What was used last goes to the end, and of too many the first goes.
        self._contexts.pop((namespace, cause), None)
        self._contexts[namespace, cause] = context
        while len(self._contexts) > _CONTEXTS_MAX:
            del self._contexts[next(iter(self._contexts))]


def _interval(posterior: Posterior, rng: random.Random) -> tuple[float, float]:
    drawn = sorted(posterior.draw_seconds(rng) for _ in range(_SHOWN_DRAWS))
    return drawn[_SHOWN_DRAWS // 20], drawn[-_SHOWN_DRAWS // 20]
