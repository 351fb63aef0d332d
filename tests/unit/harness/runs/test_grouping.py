from dataclasses import replace

import pytest

from harness.model.declarations import DeadLetterOutlet, Part, Promises, Ready, Stack, StackProcess
from harness.runs.grouping import grouping, judged_alone, why_one_at_a_time
from harness.runs.plan import ScenarioPlan
from tests.unit.harness.literal_history import scenario

SUITE = (True, False, True, False, False)


def plans(*exclusive):
    return [ScenarioPlan(replace(scenario(), exclusive=alone), ()) for alone in exclusive]


def test_exclusive_scenarios_come_first_and_the_others_are_side_by_side_in_the_plans_order():
    assert grouping(plans(*SUITE), jobs=2) == ([1, 3], [2, 4, 5])


@pytest.mark.parametrize(("suite", "jobs"), [(SUITE, 1), ((True, False, True), 4)])
def test_where_nothing_can_be_side_by_side_the_plans_order_is_the_runs(suite, jobs):
    alone, together = grouping(plans(*suite), jobs)

    assert (list(alone), list(together)) == (list(range(1, len(suite) + 1)), [])


@pytest.mark.parametrize(
    ("suite", "judged"),
    [((False,), (True,)), ((True, False), (True, True)), (SUITE, SUITE)],
    ids=["selected alone", "beside exclusive ones only", "beside others like it"],
)
def test_a_scenario_with_none_to_run_beside_is_judged_as_one_that_runs_alone(suite, judged):
    scenarios = [plan.scenario for plan in plans(*suite)]

    assert tuple(scenario.exclusive for scenario in judged_alone(scenarios)) == judged


STACK = Stack(
    name="mine",
    needs=(),
    links={},
    processes=(StackProcess("shipper", ("ship",), ready=Ready(http="{shipper.url}/ready")),),
    intake=Part("http"),
    acknowledged_by="return",
    archive=Part("elasticsearch", {"url": "http://127.0.0.1:9200", "index": "logs-{run.id}"}),
    promises=Promises(),
    dead_letters=DeadLetterOutlet(Part("file", {"path": "{run.folder}/refused"})),
)


def test_a_stack_whose_places_are_each_scenarios_own_can_run_several_times_at_once():
    assert why_one_at_a_time(STACK) == ""


def test_a_store_of_the_stacks_own_is_each_scenarios_own():
    archive = Part("elasticsearch", {"url": "{shipper.url}", "index": "logs"})

    assert why_one_at_a_time(replace(STACK, archive=archive)) == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"one_at_a_time": True}, "says one_at_a_time"),
        ({"archive": Part("file", {"path": "/srv/logs/out"})}, "archive is the same place"),
        ({"archive": Part("elasticsearch", {"url": "{elasticsearch.url}"})}, "archive is the same place"),
        (
            {"dead_letters": DeadLetterOutlet(Part("file", {"path": "/srv/refused"}))},
            "dead_letters is the same place",
        ),
        (
            {"processes": (StackProcess("shipper", ("ship",), ready=Ready(http="http://127.0.0.1:9/")),)},
            "let it listen on {shipper.port}",
        ),
    ],
)
def test_two_of_a_stack_that_would_meet_in_one_place_never_run_at_once(change, why):
    assert why in why_one_at_a_time(replace(STACK, **change))
