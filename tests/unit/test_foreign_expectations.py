"""How what a foreign stack came to is compared with what is known of it."""

import pytest

from harness.config.library import Sort, open_library, shipped_folder
from harness.config.scenario import load_scenario
from tests.foreign.__main__ import SMOKE_FOLDER
from tests.foreign.expectations import SMOKE, STACKS, Expected, Found, found_in, problem_of

RULES = {"cut": Expected(must=frozenset({"duplicated"}), may=frozenset({"corrupted"}))}


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (Found("calm", "PASS"), ""),
        (Found("calm", "FAIL", {"duplicated": "x"}), "failed besides: duplicated"),
        (Found("calm", "ERROR"), "it is ERROR"),
        (Found("cut", "FAIL", {"duplicated": "x"}), ""),
        (Found("cut", "FAIL", {"duplicated": "x", "corrupted": "y"}), ""),
        (Found("cut", "FAIL", {"corrupted": "y"}), "duplicated did not fail"),
        (Found("cut", "PASS"), "duplicated did not fail"),
        (Found("cut", "FAIL", {"duplicated": "x", "lost": "y"}), "failed besides: lost"),
        (Found("cut", "INCONCLUSIVE"), "duplicated did not fail"),
    ],
)
def test_a_scenario_differs_by_what_failed(found, problem):
    assert problem_of(found, RULES) == problem


def test_what_noise_left_open_is_no_difference():
    assert problem_of(Found("calm", "INCONCLUSIVE"), RULES) == ""


def test_only_failures_of_a_result_are_read():
    verdicts = [
        {"objective": "duplicated", "status": "FAIL", "summary": "3 of 9."},
        {"objective": "corrupted", "status": "PASS", "summary": ""},
    ]
    scenarios = [{"scenario": {"name": "cut"}, "status": "FAIL", "verdicts": verdicts}]

    assert list(found_in(scenarios)) == [Found("cut", "FAIL", {"duplicated": "3 of 9."})]


def test_every_stack_and_scenario_that_is_named_exists():
    library = open_library(shipped_folder().parent)

    assert set(STACKS) <= set(library.names(Sort.STACK))
    assert {name for rules in STACKS.values() for name in rules} <= set(library.names(Sort.SCENARIO))


def test_the_smoke_list_takes_less_than_a_minute():
    scenarios = [load_scenario(SMOKE_FOLDER / f"{name}.yaml") for name in SMOKE]

    # They run side by side; starting, reading back and stopping take some ten seconds.
    assert not any(scenario.exclusive for scenario in scenarios)
    assert max(each.sending_seconds + each.drain_seconds + each.liveness_seconds for each in scenarios) <= 30
    assert len(list(SMOKE_FOLDER.glob("*.yaml"))) == len(SMOKE)
