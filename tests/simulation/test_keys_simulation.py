"""A share of the seeds with keys, and bugs they must find; `make prove-keys` runs more."""

from __future__ import annotations

import os
import random

import pytest

from tests.simulation.joined import DiskSpool
from tests.simulation.keys import (
    FAULTS_MIN,
    RECORDS_MIN,
    SEEDS_FOR_A_BUG_MAX,
    main,
    run_seed,
    seeds_until_found,
    setting_of,
)
from tests.simulation.keys_bugs import BUGS
from tests.simulation.keys_joined import KeyedJoined, SealedSpool
from tests.simulation.keys_steps import keyed_steps
from tests.simulation.keys_world import CARD
from tests.simulation.shrink import failure_of
from tests.simulation.spool_world import WriterSeat

SEEDS = int(os.environ.get("LOGQUAKE_KEYS_SEEDS", "20"))
JOINED_SEEDS = int(os.environ.get("LOGQUAKE_KEYS_JOINED_SEEDS", "1"))
FIRST_SEED = 2_000_000


@pytest.mark.timeout(600)
def test_what_was_acknowledged_opens_and_nothing_is_in_the_clear_whatever_befalls_keys_and_disk() -> None:
    rotations = 0
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        world = run_seed(seed)
        assert world.records >= RECORDS_MIN
        assert world.faults >= FAULTS_MIN
        rotations += world.rotations

    assert rotations > SEEDS


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BUGS)
def test_every_deliberate_bug_is_found(name: str) -> None:
    assert seeds_until_found(name, 1, SEEDS_FOR_A_BUG_MAX) is not None


def test_a_seed_is_the_same_run_each_time() -> None:
    first, second = run_seed(5), run_seed(5)

    assert (first.records, first.faults, first.rotations) == (
        second.records,
        second.faults,
        second.rotations,
    )


def test_every_key_step_comes_about() -> None:
    drawn = (next(steps) for steps in [keyed_steps(setting_of(3))] for _ in range(2_000))

    assert {"begin", "advance", "outage", "fork", "letter", "look_back", "wait"} <= {
        step.action for step in drawn
    }


def test_a_failure_prints_how_to_run_it_again_and_a_short_schedule() -> None:
    name = "drops the old key before data keys are wrapped anew"
    with pytest.raises(AssertionError, match=r"python -m tests\.simulation\.keys --seeds 1") as caught:
        run_seed(1, BUGS[name])

    assert str(caught.value).count("Step(action=") < 30


def test_the_command_says_how_much_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2"]) == 0
    assert capsys.readouterr().out.startswith("keys: 2 seeds from 1, ")


def test_from_the_log_call_to_the_store_nothing_is_in_the_clear_and_all_opens() -> None:
    broken = {seed: trouble for seed in range(JOINED_SEEDS) if (trouble := failure_of(KeyedJoined(seed)))}

    assert broken == {}, "see each again with: python -m tests.simulation.keys_joined --seeds 1 --first SEED"


class _FieldsInTheClear(SealedSpool):
    def _document_of(self, seat: WriterSeat) -> bytes:
        """Leaves the field to the sealing of the block."""
        return super()._document_of(seat).replace(b'"encrypted"', b'"card":"%b1","sealed"' % CARD.encode())


class _OpenWire(KeyedJoined):
    def open_spool(self, setting: random.Random, poison: dict[str, str]) -> DiskSpool:
        opened = super().open_spool(setting, poison)
        opened.__class__ = _FieldsInTheClear
        return opened


def test_a_field_that_is_not_sealed_is_seen_on_the_wire() -> None:
    assert "goes to the store in the clear" in str(failure_of(_OpenWire(1)))


@pytest.mark.slow
def test_a_bug_of_keys_shows_in_the_store() -> None:
    class Buggy(KeyedJoined):
        key_parts = BUGS["drops the old key before data keys are wrapped anew"]

    assert any(failure_of(Buggy(seed)) for seed in range(10))
