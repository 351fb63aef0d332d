"""Every masking rule takes time in proportion to the text, on texts made of its pieces to slow it down."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from logging_system.masking.rule import Rule
from logging_system.masking.rule_set import RuleSet
from logging_system.masking.rules import RULES

CHARACTERS = 32 * 1024
GROWTH_MAX = 3.0
"""A doubled text takes twice as long; in quadratic time it would be four times."""
UNNOTICED_SECONDS = 0.004
"""Below that the clock and the collector of garbage tell more than the rule."""
SECONDS_MAX = 1.0
ROUNDS = 5
MARKS = re.compile("[«»]")


def hostile_pieces(rule: Rule) -> Iterator[str]:
    """Yield pieces that make a rule begin again and again: its examples, whole, cut, and run together."""
    yield from ("a", "1", "1 ", "4111 ", "-", "a.", "a@", "a-", '"', "\\", "é", ":", "=", "a=")
    for example in rule.examples[:3]:
        plain, start = MARKS.sub("", example), example.find("«")
        yield from (plain, f"{plain} ", plain[: len(plain) // 2 + 1], plain[: start + 6])
        yield from (plain[: start + 1], plain[start : start + 4])


def hostile_runs(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what stands before a rule's first secret, with a character that may go on behind it for ever."""
    before = rule.examples[0].partition("«")[0]
    for run in (")", ".", "a", "1", "-", "{", "a.", "\\"):
        yield before, run


def seconds(rules: RuleSet, piece: str, characters: int, rounds: int, before: str = "") -> float:
    text = before + (piece * (characters // len(piece) + 1))[:characters] + "€"
    taken = []
    for _ in range(rounds):
        begin = time.process_time()
        # Not by `masked_text`, whose gate would keep most of these texts away from the rule.
        for _find in rules.found(1, text):
            pass
        taken.append(time.process_time() - begin)
    return min(taken)


def is_linear(rules: RuleSet, piece: str, before: str = "") -> bool:
    for rounds in (1, ROUNDS):
        whole = seconds(rules, piece, CHARACTERS, rounds, before)
        if whole < UNNOTICED_SECONDS:
            return True
        if whole < GROWTH_MAX * seconds(rules, piece, CHARACTERS // 2, rounds, before):
            return whole < SECONDS_MAX
    return False


@pytest.mark.alone
@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
def test_a_rule_takes_linear_time_on_hostile_lines(rule: Rule) -> None:
    rules = RuleSet([rule], names=None)

    assert [piece for piece in dict.fromkeys(hostile_pieces(rule)) if not is_linear(rules, piece)] == []
    assert [(before, run) for before, run in hostile_runs(rule) if not is_linear(rules, run, before)] == []


@pytest.mark.alone
def test_a_rule_in_quadratic_time_would_be_found() -> None:
    def look_back(text: str, found: tuple[int, int]) -> list[tuple[int, int]]:
        return [found] if sum(each == "b" for each in text[: found[0]]) else []

    rules = RuleSet([Rule("slow", "", ("a",), "a", (), (), judge=look_back)], names=None)

    assert not is_linear(rules, "a" + " " * 200)
