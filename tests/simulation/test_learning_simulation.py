from __future__ import annotations

import json
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

RECORDED = Path(__file__).parents[1] / "learning" / "recorded_times.json"
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


def test_with_times_of_real_episodes_learning_pays_within_sixty_of_each_cause() -> None:
    """What exploring costs is in it: doing nothing is measured first, whatever that takes."""
    recorded = recorded_world(RECORDED)
    runs = [run_world(recorded, seed) for seed in range(3)]

    assert len(json.loads(RECORDED.read_text())["times"]) >= 40
    assert statistics.mean(each.saved for each in runs) >= SAVED_MIN
    assert statistics.mean(each.harm for each in runs) <= HARM_MAX


def test_recorded_times_are_read_and_what_is_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    times: list[dict[str, object]] = [
        {"cause": "disk", "workflow": name, "seconds": seconds}
        for name, seconds in (("a", 3), ("nothing", 9))
    ]
    path.write_text(json.dumps({"times": times}))

    world = recorded_world(path)
    assert (world.causes, world.runbooks) == (["disk"], ["a"])
    assert world.draws["disk", "a"](random.Random(1)) == 3

    path.write_text(json.dumps({"times": times[:1]}))
    with pytest.raises(ValueError, match="cause disk has no time for nothing"):
        recorded_world(path)
    path.write_text(json.dumps({"times": [{}]}))
    with pytest.raises(ValueError, match=r"times\.json times\[0\]: expected cause"):
        recorded_world(path)
