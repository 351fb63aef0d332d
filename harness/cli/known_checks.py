"""Words of a gate file that no check has: said before all the runs are made."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from harness.judging.checkers import CHECKERS
from harness.judging.gate_rules import GateRules
from harness.model.errors import ScenarioError
from harness.model.registry import unknown
from harness.runs.plan import SuitePlan

_NEARLY = 0.8
"""How alike two words are, from 0 to 1, for one to be the other misspelt."""


def require_known(rules: GateRules, plan: SuitePlan) -> None:
    """Refuse rules about a check that is nearly, but not quite, one that is known.

    A check that this plan does not judge is no mistake: one gate file serves several suites, and some of them
    may have checks of their own.

    Args:
        rules: of a gate file, or the built-in ones.
        plan: what is to be run.

    Raises:
        ScenarioError: a word is no check; with the key and the nearest word.
    """
    known = {*CHECKERS.kinds, *plan.planned}
    for key, word in _named(rules):
        if word not in known and get_close_matches(word, known, n=1, cutoff=_NEARLY):
            raise ScenarioError(f"{rules.source}: {key}: {unknown('check', word, dict.fromkeys(known))}")


def _named(rules: GateRules) -> Iterator[tuple[str, str]]:
    """Yield each word with the key at which it stands."""
    yield from (("veto", word) for word in rules.veto)
    yield from ((f"objectives.{word}", word) for word in rules.objectives)
    yield from (("waivers", each.objective) for each in rules.waivers)
    yield from (("not_applicable", each.objective) for each in rules.not_applicable)
