"""Templates of real logs are what people said they are; the judge is shown groups that are wrong."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import mean

import pytest

from logging_system.coordination.learning.miner import TemplateMiner
from tests.templates.judge import Miss, judge
from tests.templates.log_sets import LogSet, log_sets
from tests.templates.miners import our_groups

LOGHUB = os.environ.get("LOGHUB_DIR", "")
needs_loghub = pytest.mark.skipif(not LOGHUB, reason="LOGHUB_DIR names no folder with the Loghub-2k log sets")
EVENTS = ["a", "a", "b", "b", "b", "c"]


def sets() -> list[LogSet]:
    return log_sets(Path(LOGHUB))


@pytest.mark.parametrize(
    ("groups", "right"),
    [
        ([1, 1, 2, 2, 2, 3], 6),
        ([1, 9, 2, 2, 2, 3], 4),  # split
        ([1, 1, 2, 2, 2, 2], 2),  # one with another
        ([1, 1, 1, 1, 1, 1], 0),
    ],
)
def test_a_line_is_right_if_its_group_is_its_kind(groups: list[int], right: int) -> None:
    assert judge(groups, EVENTS).right == right


def test_what_is_missed_is_said() -> None:
    found = judge([1, 9, 2, 2, 2, 2], EVENTS)

    assert found.accuracy == 0
    assert found.missed == [
        Miss("b", 3, 1, {"c": 1}, 2),
        Miss("a", 2, 2, {}, 0),
        Miss("c", 1, 1, {"b": 3}, 5),
    ]


@needs_loghub
def test_grouping_accuracy_is_at_least_what_was_measured() -> None:
    """The promise is .865 in the mean; a change that loses a hundredth of what was reached is seen."""
    accuracy = {it.name: judge(our_groups(it.messages), it.events).accuracy for it in sets()}

    assert mean(accuracy.values()) >= 0.965
    assert min(accuracy.values()) >= 0.8


@needs_loghub
def test_each_real_line_has_a_parameter_for_each_wildcard() -> None:
    for log_set in sets():
        miner = TemplateMiner()
        for message in log_set.messages:
            miner.learn(message)
        for message in log_set.messages:
            template = miner.match(message)
            assert template is not None
            assert len(miner.parameters(template, message)) == template.values


@needs_loghub
def test_two_halves_of_a_real_log_merged_are_the_whole() -> None:
    for log_set in sets()[-3:]:
        halves = [TemplateMiner(), TemplateMiner()]
        for number, message in enumerate(log_set.messages):
            halves[number % 2].learn(message)

        both = halves[0].merged(halves[1])

        groups = [both.match(message) for message in log_set.messages]
        assert judge(groups, log_set.events).accuracy >= 0.8
        assert both.content() == halves[1].merged(halves[0]).content()
        assert sum(it.count for it in both.templates()) == len(log_set.messages)
