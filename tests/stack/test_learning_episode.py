"""An episode as `make prove-learning-real` runs them: a fault, a runbook, and what the engine measures."""

from __future__ import annotations

import os

import pytest

from harness.model.errors import FaultError
from harness.targets.small_disk import REMEDY
from tests.learning.episode import run_episode


@pytest.mark.alone
@pytest.mark.skipif(
    os.environ.get("LOGQUAKE_REAL_EPISODES") != "1",
    reason="on a machine that has no time for it an episode says nothing; set LOGQUAKE_REAL_EPISODES=1",
)
def test_a_runbook_that_makes_room_ends_the_finding_long_before_the_fault_would_have_ended() -> None:
    """The engine of `watch` runs it by itself, and learns what recovery took."""
    try:
        row = run_episode("disk", 0, ["clear_cache"], warm_seconds=0.0)
    except FaultError as error:
        if REMEDY not in str(error):
            raise
        pytest.skip("this machine lets nobody mount a disk here")

    assert (row.workflow, row.found_as) == ("clear_cache", "disk")
    assert row.found_seconds + row.seconds < row.fault_seconds / 2
