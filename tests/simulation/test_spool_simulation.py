from __future__ import annotations

import os
from itertools import islice

import pytest

from tests.simulation.spool import Entry, corpus, main, run_seed, seeds_until_found
from tests.simulation.spool_bugs import BUGS
from tests.simulation.spool_steps import Step, setting, shrunk, steps
from tests.simulation.spool_world import FAULTS_MIN, RECORDS_MIN, BrokenPromiseError, Parts, run
from tests.toy_codec import toy_codecs

SEEDS = int(os.environ.get("LOGQUAKE_SPOOL_SEEDS", "120"))
TOY_CODEC_SEEDS = 10
FIRST_SEED = 1_000_000
_SEEDS_FOR_A_BUG_MAX = 400


@pytest.mark.parametrize("entry", corpus(), ids=lambda entry: entry.bug)
def test_a_schedule_that_once_failed_passes_and_fails_with_its_bug(entry: Entry) -> None:
    run(entry.setting, entry.schedule, Parts())

    with pytest.raises(BrokenPromiseError):
        run(entry.setting, entry.schedule, BUGS[entry.bug])


@pytest.mark.timeout(600)
def test_the_spool_keeps_its_promises_whatever_the_disk_does() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
        world = run_seed(seed, Parts())
        assert world.records >= RECORDS_MIN
        assert world.faults >= FAULTS_MIN


def test_the_spool_keeps_its_promises_where_blocks_are_authenticated() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + TOY_CODEC_SEEDS):
        world = run_seed(seed, Parts(codecs=toy_codecs()))
        assert world.records >= RECORDS_MIN
        assert world.faults >= FAULTS_MIN


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BUGS)
def test_every_deliberate_bug_is_found(name: str) -> None:
    assert seeds_until_found(name, 1, _SEEDS_FOR_A_BUG_MAX) is not None


def test_a_seed_always_gives_the_same_steps() -> None:
    assert list(islice(steps(setting(7)), 50)) == list(islice(steps(setting(7)), 50))
    assert setting(7) != setting(8)


def test_a_failure_prints_how_to_run_it_again_and_a_short_schedule() -> None:
    with pytest.raises(
        AssertionError, match=r"python -m tests\.simulation\.spool --seeds 1 --first 1"
    ) as caught:
        run_seed(1, BUGS["acknowledges before fdatasync"])

    assert str(caught.value).count("Step(action=") < 20


def test_shrinking_keeps_what_the_failure_needs() -> None:
    needed = Step("append", 1, 7)
    schedule = [Step("read", 0, number) for number in range(40)]
    schedule.insert(23, needed)

    assert shrunk(schedule, lambda candidate: needed in candidate, 200) == [needed]


def test_the_command_says_how_much_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2"]) == 0
    assert capsys.readouterr().out.startswith("spool: 2 seeds from 1, ")
