from __future__ import annotations

import os

import pytest

from tests.simulation.alerts import BrokenPromiseError, run_seed, story_of
from tests.simulation.alerts_bugs import BUGS, FOUND_BY

SEEDS = int(os.environ.get("LOGQUAKE_ALERTS_SEEDS", "40"))
FIRST_SEED = 1_000_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_alert_is_missed_repeated_or_false_whatever_happens() -> None:
    records = 0
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        records += len(run_seed(seed).story.records)

    assert records >= 40 * SEEDS


@pytest.mark.parametrize("name", BUGS)
def test_a_story_that_finds_a_deliberate_bug_passes_without_it(name: str) -> None:
    run_seed(FOUND_BY[name])

    with pytest.raises(BrokenPromiseError):
        run_seed(FOUND_BY[name], BUGS[name])


def test_a_seed_always_gives_the_same_story() -> None:
    assert story_of(7) == story_of(7)
    assert story_of(7) != story_of(8)


def test_stories_have_crashes_outages_late_records_and_jumps_in_both_directions() -> None:
    stories = [story_of(seed) for seed in range(50)]

    assert any(story.crashes for story in stories)
    assert any(any(story.outages.values()) for story in stories)
    assert any(by > 0 for story in stories for _, by in story.jumps)
    assert any(by < 0 for story in stories for _, by in story.jumps)
    assert any(
        record.read_seconds - (record.event_seconds - 1_700_000_000.0) > 60
        for story in stories
        if not story.jumps
        for record in story.records
    )
