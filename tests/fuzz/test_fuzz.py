from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz import planted
from tests.fuzz.campaign import Counts, Report, run
from tests.fuzz.mutations import input_of
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.trial import attempt
from tests.fuzz.worker import Plan

CORPUS = Path(__file__).parent / "corpus"
INPUTS = int(os.environ.get("LOGQUAKE_FUZZ_INPUTS", "500"))
"""For each target here; `make prove-fuzz` tries a million."""


@pytest.mark.parametrize(
    "path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_an_input_that_once_broke_a_promise_breaks_none(path: Path) -> None:
    outcome = attempt(TARGETS[path.parent.name], path.read_bytes())

    assert outcome.failure is None, outcome.failure.details


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_a_target_keeps_a_lawful_input(target: Target) -> None:
    outcomes = [attempt(target, seed) for seed in target.seeds()]

    assert [outcome.failure for outcome in outcomes] == [None] * len(outcomes)
    assert any(outcome.kept for outcome in outcomes)


def test_no_mutated_input_breaks_a_promise() -> None:
    plan = Plan("tests.fuzz.targets", tuple(TARGETS), seed=0, inputs=INPUTS)
    report = run(plan)

    assert report.findings == []
    assert [counts.tried for counts in report.counts.values()] == [
        plan.inputs_of(place) for place in range(len(TARGETS))
    ]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_an_input_follows_from_target_seed_and_number(target: Target) -> None:
    numbers = range(100, 150)
    seeds = target.seeds()
    made = [input_of(target, seeds, 7, number) for number in numbers]

    assert target.seeds() == seeds
    assert made == [input_of(target, seeds, 7, number) for number in numbers]
    assert made != [input_of(target, seeds, 8, number) for number in numbers]
    assert len(set(made)) > 25


@pytest.fixture(scope="module")
def planted_report() -> Report:
    plan = Plan("tests.fuzz.planted", tuple(planted.TARGETS), seed=0, inputs=2, base_seconds=0.2)
    return run(plan, stuck_seconds=4.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("raises", "KeyError in planted.py"),
        ("lies", "AssertionError in planted.py"),
        ("spins", "TooSlowError"),
        ("waits", "stood still for 4 s"),
        ("dies", "died with 139"),
        ("grows", "MemoryError"),
    ],
)
def test_a_planted_bug_is_found_and_the_campaign_goes_on(
    planted_report: Report, name: str, signature: str
) -> None:
    (finding,) = [finding for finding in planted_report.findings if finding.target == name]

    assert finding.signature.startswith(signature)
    assert finding.number == 1
    assert finding.body == b"bug"
    assert planted_report.counts[name] == Counts(kept=1, refused=0, failed=1)
