"""The corpus, a share of the seeds and each deliberate bug once; `make prove-simulation` runs more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.delivery import FAULTS_MIN, Simulation
from tests.simulation.faults import Fault
from tests.simulation.memory_spool import RECORDS, MemorySpool
from tests.simulation.mutants import MUTANTS, Mutant, seeds_until_found
from tests.simulation.shrink import failure_of, shrink
from tests.simulation.store import BrokenPromiseError

SEEDS = int(os.environ.get("LOGQUAKE_SIMULATION_SEEDS", "120"))
CORPUS = [
    int(line.split()[0])
    for line in (Path(__file__).parent / "corpus.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("seed", CORPUS)
def test_a_seed_that_failed_once_holds_now(seed: int) -> None:
    assert failure_of(Simulation(seed)) is None


@pytest.mark.timeout(1_800)
def test_every_promise_holds_at_every_step_of_every_seed() -> None:
    broken = {seed: trouble for seed in range(SEEDS) if (trouble := failure_of(Simulation(seed)))}

    assert broken == {}, "see each again with: python -m tests.simulation --seeds 1 --first SEED"


def test_a_seed_has_its_thousand_records_and_twenty_faults() -> None:
    simulation = Simulation(3)
    simulation.run()

    assert isinstance(simulation.spool, MemorySpool)
    assert simulation.records >= RECORDS >= 1_000
    assert len(simulation.schedule) >= FAULTS_MIN >= 20


def test_a_seed_is_the_same_run_each_time() -> None:
    first, second = Simulation(5), Simulation(5)
    first.run()
    second.run()

    assert (first.now, first.requests, first.store.buried) == (
        second.now,
        second.requests,
        second.store.buried,
    )


def test_a_failure_is_shrunk_to_the_faults_that_cause_it() -> None:
    schedule = Simulation(7).schedule
    culprit = schedule[5]

    class OnlyTheCulpritHurts(Simulation):
        def run(self) -> None:
            if culprit in self.schedule:
                raise BrokenPromiseError("hurt")

    smallest: tuple[Fault, ...] = shrink(7, schedule, simulation=OnlyTheCulpritHurts)

    assert smallest == (culprit,)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_simulation_finds_a_deliberate_bug(mutant: Mutant) -> None:
    assert seeds_until_found(mutant, first=0) is not None
