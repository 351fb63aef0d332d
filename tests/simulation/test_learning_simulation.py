from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from tests.simulation.learning import (
    HARM_MAX,
    RELEARN_EPISODES,
    SAVED_MIN,
    drawn_world,
    recorded_world,
    relearning,
    run_world,
)

SEEDS = range(1_000_000, 1_000_008)
"""None of those that the constants were chosen by."""


@pytest.mark.slow
def test_recovery_is_shorter_than_under_the_best_fixed_runbook() -> None:
    runs = [run_world(drawn_world(random.Random(seed), is_harmful=False), seed) for seed in SEEDS]

    assert statistics.mean(each.saved for each in runs) >= SAVED_MIN


@pytest.mark.slow
def test_a_world_of_harmful_runbooks_costs_at_most_a_twentieth() -> None:
    runs = [run_world(drawn_world(random.Random(seed), is_harmful=True), seed) for seed in SEEDS]

    assert statistics.mean(each.harm for each in runs) <= HARM_MAX


@pytest.mark.slow
def test_a_changed_world_is_learned_anew() -> None:
    shares = [statistics.mean(relearning(seed)[RELEARN_EPISODES:]) for seed in SEEDS]

    assert statistics.mean(shares) >= 0.5


def test_recorded_times_are_read_and_what_is_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "times.ndjson"
    lines = [
        f'{{"cause": "disk", "workflow": "{name}", "seconds": {time}}}'
        for name, time in (("a", 3), ("nothing", 9))
    ]
    path.write_text("\n".join(lines))

    world = recorded_world(path)
    assert (world.causes, world.runbooks) == (["disk"], ["a"])
    assert world.draws["disk", "a"](random.Random(1)) == 3

    path.write_text(lines[0])
    with pytest.raises(ValueError, match="cause disk has no time for nothing"):
        recorded_world(path)
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"times\.ndjson:1: expected cause"):
        recorded_world(path)
