"""A share of the joined simulation's seeds, and bugs it must find; `make prove-joined` runs more."""

from __future__ import annotations

import os
from collections.abc import Collection

import pytest

from logging_system.delivery.batches import Batch
from logging_system.delivery.machine import DeliveryMachine
from tests.simulation.joined import Joined
from tests.simulation.shrink import failure_of
from tests.simulation.spool_bugs import BUGS
from tests.simulation.spool_world import FAULTS_MIN, RECORDS_MIN

SEEDS = int(os.environ.get("LOGQUAKE_JOINED_SEEDS", "15"))
_SEEDS_FOR_A_BUG_MAX = 60


class SmallSpool(Joined):
    """Full of what was delivered behind a broken document, it takes nothing to judge that one by."""

    spool_bytes_min = 0


class NeverGivesUp(DeliveryMachine):
    def _is_hopeless(self, batch: Batch, now_seconds: float) -> bool:
        """Waits for others to judge by, however long."""
        return False


class DoubtsNothing(DeliveryMachine):
    def doubt(self, epochs: Collection[bytes]) -> None:
        """Sends again what an earlier process may have sent."""


@pytest.mark.timeout(600)
def test_what_was_acknowledged_arrives_once_or_is_accounted_for_whatever_happens() -> None:
    broken = {}
    for seed in range(SEEDS):
        simulation = Joined(seed)
        if trouble := failure_of(simulation):
            broken[seed] = trouble
            continue
        assert simulation.disk_spool.records >= RECORDS_MIN
        assert simulation.faults >= FAULTS_MIN

    assert broken == {}, "see each again with: python -m tests.simulation.joined --seeds 1 --first SEED"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "acknowledges before fdatasync",
        "does not sync the folder",
        "checkpoints what was read, not what was delivered",
        "removes before the checkpoint is durable",
    ],
)
def test_a_bug_of_the_spool_shows_in_the_store(name: str) -> None:
    class Buggy(Joined):
        parts = BUGS[name]

    assert any(failure_of(Buggy(seed)) for seed in range(_SEEDS_FOR_A_BUG_MAX))


def test_a_shipper_that_forgets_its_predecessor_is_found() -> None:
    assert any(failure_of(Joined(seed, machine=DoubtsNothing)) for seed in range(_SEEDS_FOR_A_BUG_MAX))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [700001, 700029, 700052])
def test_a_small_spool_is_not_full_for_ever_of_what_was_delivered(seed: int) -> None:
    assert failure_of(SmallSpool(seed)) is None
    assert failure_of(SmallSpool(seed, machine=NeverGivesUp)) is not None


def test_a_joined_seed_is_the_same_run_each_time() -> None:
    first, second = Joined(5), Joined(5)
    first.run()
    second.run()

    assert (first.now, first.requests, first.disk_spool.faults) == (
        second.now,
        second.requests,
        second.disk_spool.faults,
    )
