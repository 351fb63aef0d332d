"""Episodes are judged beside each fixed runbook and doing nothing."""

from __future__ import annotations

import pytest

from tests.learning.causes import fault_seconds
from tests.learning.judging import best_fixed, judged, learned, times_of
from tests.learning.runbooks import NAMES, NOTHING

RIGHT = {"disk": NAMES[0], "load": NAMES[1]}


def recorded(right_seconds: float = 2.0, other_seconds: float = 10.0) -> dict[tuple[str, str], list[float]]:
    return {
        (cause, name): [right_seconds if name == right else other_seconds] * 2
        for cause, right in RIGHT.items()
        for name in (*NAMES, NOTHING)
    }


def test_what_is_saved_is_a_share_of_the_best_single_runbook_and_not_of_doing_nothing() -> None:
    judgement = judged(recorded(), {"disk": [2.0, 4.0], "load": [3.0]})

    assert judgement.chosen == 3.0
    assert (judgement.by_choice[NAMES[0]], judgement.by_choice[NOTHING]) == (6.0, 10.0)
    assert judgement.saved.value == pytest.approx(0.5)
    assert judgement.harm.value == pytest.approx(0.3)
    assert judgement.saved.low < 0.5 < judgement.saved.high
    assert judgement.is_as_promised


def test_episodes_that_take_as_long_as_the_best_runbook_save_nothing() -> None:
    judgement = judged(recorded(), {"disk": [6.0], "load": [6.0]})

    assert judgement.saved.value == 0
    assert not judgement.is_as_promised


def test_the_best_single_runbook_is_the_one_with_the_shortest_mean_over_all_causes() -> None:
    times = recorded()
    times["load", NAMES[2]] = times["disk", NAMES[2]] = [5.0]

    assert best_fixed(times) == NAMES[2]


def test_a_cause_counts_the_same_however_often_it_came() -> None:
    judgement = judged(recorded(), {"disk": [2.0] * 9, "load": [4.0]})

    assert judgement.chosen == 3.0


def test_the_drawn_episodes_teach_the_right_runbook_for_each_cause() -> None:
    contexts = {"disk": ("", "disk"), "load": ("shop", "load")}
    _, chosen = learned(recorded(), contexts, episodes=30, seed=1)
    late = chosen[len(chosen) // 2 :]
    counts = times_of((cause, name, 1.0) for cause, name in late)

    assert len(chosen) == 60
    for cause, right in RIGHT.items():
        assert len(counts[cause, right]) > sum(cause == each for each, _ in late) / 2


def test_all_choices_meet_faults_that_are_evenly_spread() -> None:
    assert [fault_seconds(number) for number in range(4)] == [12.0, 10.5, 13.5, 9.75]
