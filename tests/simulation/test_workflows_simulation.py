from __future__ import annotations

import os

import pytest

from tests.simulation.workflows import BrokenPromiseError, run_seed
from tests.simulation.workflows_bugs import BUGS, FOUND_BY

SEEDS = int(os.environ.get("LOGQUAKE_WORKFLOWS_SEEDS", "40"))
FIRST_SEED = 1_000_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_shared_step_is_done_twice_and_no_rollback_is_lost_whatever_happens() -> None:
    done = crashes = 0
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        world = run_seed(seed)
        done += sum(world.done.values())
        crashes += world.crashes

    assert done >= SEEDS
    assert crashes >= SEEDS


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_a_story_that_finds_a_deliberate_bug_passes_without_it(name: str) -> None:
    run_seed(FOUND_BY[name])

    with pytest.raises(BrokenPromiseError):
        run_seed(FOUND_BY[name], BUGS[name])
