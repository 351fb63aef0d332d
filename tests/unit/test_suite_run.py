from dataclasses import replace

import pytest

from harness.plan import ScenarioPlan
from harness.suite_run import phases
from tests.unit.literal_history import scenario

SUITE = (True, False, True, False, False)


def plans(*exclusive):
    return [ScenarioPlan(replace(scenario(), exclusive=alone), ()) for alone in exclusive]


def test_exclusive_scenarios_come_first_and_the_others_are_side_by_side_in_the_plans_order():
    assert phases(plans(*SUITE), jobs=2) == ([1, 3], [2, 4, 5])


@pytest.mark.parametrize(("suite", "jobs"), [(SUITE, 1), ((True, False, True), 4)])
def test_where_nothing_can_be_side_by_side_the_plans_order_is_the_runs(suite, jobs):
    alone, together = phases(plans(*suite), jobs)

    assert (list(alone), list(together)) == (list(range(1, len(suite) + 1)), [])
