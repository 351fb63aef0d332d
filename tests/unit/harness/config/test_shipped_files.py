from dataclasses import replace

import pytest

from harness.config.library import Sort, open_library, shipped_folder
from harness.config.scenario import check_targets, load_scenario
from harness.config.stack import load_stack
from harness.config.suite import load_suite
from harness.judging.check_selection import checks_of
from harness.judging.checkers import CHECKERS
from harness.load.schedules import SCHEDULES
from harness.model.declarations import Keys
from harness.model.nanoseconds import SECOND_NS
from harness.runs.plan import plan_scenario

LIBRARY = open_library(shipped_folder().parent)
SCENARIOS = LIBRARY.names(Sort.SCENARIO)
# Bounding a p99 at 95 % confidence needs 299 samples: 0.99 ** 299 < 0.05.
SAMPLES_MIN = 299


@pytest.fixture(params=SCENARIOS)
def scenario(request):
    return load_scenario(LIBRARY.find(Sort.SCENARIO, request.param).path)


WITH_KEYS = ("encrypted", "fernet", "vault", "pkcs11", "aws_kms")


def test_every_shipped_suite_loads():
    suites = [
        load_suite(LIBRARY.find(Sort.SUITE, name).path, SCENARIOS) for name in LIBRARY.names(Sort.SUITE)
    ]

    assert "default" in [suite.name for suite in suites]


@pytest.mark.parametrize("name", LIBRARY.names(Sort.STACK))
def test_every_shipped_stack_loads(name):
    assert load_stack(LIBRARY.find(Sort.STACK, name).path).name == name


def test_every_scenario_fits_a_stack_that_ships(scenario):
    keys = Keys(rotate=("rotate",), status=("status",), provider=("{run.folder}/keys/*",))
    stack = replace(load_stack(LIBRARY.find(Sort.STACK, "reference").path), keys=keys)
    served = load_stack(LIBRARY.find(Sort.STACK, "reference_vault").path)

    watched = load_stack(LIBRARY.find(Sort.STACK, "reference_alerts").path)

    coordinated = load_stack(LIBRARY.find(Sort.STACK, "reference_coordinated").path)

    entered = load_stack(LIBRARY.find(Sort.STACK, "gateway_namespaces").path)

    several = load_stack(LIBRARY.find(Sort.STACK, "many_machines").path)

    stacks = (stack, served, watched, coordinated, entered, several)
    assert [] in [check_targets(scenario, each) for each in stacks]


@pytest.mark.parametrize("name", [f"reference_{kind}" for kind in WITH_KEYS])
def test_the_suite_confidential_fits_every_stack_with_keys(name):
    stack = load_stack(LIBRARY.find(Sort.STACK, name).path)

    assert _misfits("confidential", stack) == []


@pytest.mark.parametrize("name", ["reference_vault", "reference_aws_kms"])
def test_the_suite_key_server_fits_every_stack_whose_keys_are_served(name):
    stack = load_stack(LIBRARY.find(Sort.STACK, name).path)

    assert _misfits("key_server", stack) == []


@pytest.mark.parametrize("name", ["reference_namespaces", "gateway_namespaces"])
def test_the_suite_namespaces_fits_both_stacks_that_keep_tenants_apart_and_plans_its_checks(name):
    stack = load_stack(LIBRARY.find(Sort.STACK, name).path)
    names = load_suite(LIBRARY.find(Sort.SUITE, "namespaces").path, SCENARIOS).scenarios

    assert _misfits("namespaces", stack) == []
    for each in names:
        planned = checks_of(load_scenario(LIBRARY.find(Sort.SCENARIO, each).path), stack).planned
        assert {"namespaces_mixed", "answers_wrong", "answers_missing"} <= set(planned)


def test_the_suite_watched_fits_the_stack_that_promises_alerts_and_plans_each_of_its_checks():
    stack = load_stack(LIBRARY.find(Sort.STACK, "reference_alerts").path)
    names = load_suite(LIBRARY.find(Sort.SUITE, "watched").path, SCENARIOS).scenarios
    alerts = {word for word in CHECKERS.kinds if word.startswith("alerts_")}

    assert _misfits("watched", stack) == []
    for name in names:
        scenario = load_scenario(LIBRARY.find(Sort.SCENARIO, name).path)
        assert alerts <= checks_of(scenario, stack).planned.keys()


def test_the_suite_understood_fits_the_stack_that_promises_findings_and_plans_each_of_its_checks():
    stack = load_stack(LIBRARY.find(Sort.STACK, "reference_findings").path)
    names = load_suite(LIBRARY.find(Sort.SUITE, "understood").path, SCENARIOS).scenarios
    findings = {word for word in CHECKERS.kinds if word.startswith("findings_")}

    assert _misfits("understood", stack) == []
    for name in names:
        scenario = load_scenario(LIBRARY.find(Sort.SCENARIO, name).path)
        planned = checks_of(scenario, stack).planned.keys()
        assert (findings if scenario.steps else {"findings_false"}) <= planned


def test_the_suite_dashboards_fits_the_stack_that_promises_answers_and_plans_each_of_its_checks():
    stack = load_stack(LIBRARY.find(Sort.STACK, "reference_dashboard").path)

    assert _misfits("dashboards", stack) == []
    for name in load_suite(LIBRARY.find(Sort.SUITE, "dashboards").path, SCENARIOS).scenarios:
        scenario = load_scenario(LIBRARY.find(Sort.SCENARIO, name).path)
        assert {"answers_wrong", "answers_missing"} <= checks_of(scenario, stack).planned.keys()


def test_the_suite_coordinated_fits_the_stack_that_promises_actions_and_plans_each_of_its_checks():
    stack = load_stack(LIBRARY.find(Sort.STACK, "reference_coordinated").path)
    wanted = {word for word in CHECKERS.kinds if word.startswith(("actions_", "findings_"))}

    assert _misfits("coordinated", stack) == []
    for name in load_suite(LIBRARY.find(Sort.SUITE, "coordinated").path, SCENARIOS).scenarios:
        scenario = load_scenario(LIBRARY.find(Sort.SCENARIO, name).path)
        assert wanted <= checks_of(scenario, stack).planned.keys()


@pytest.mark.parametrize("name", load_suite(LIBRARY.find(Sort.SUITE, "watched").path, SCENARIOS).scenarios)
def test_in_every_scenario_of_watched_errors_cross_the_threshold_only_in_bursts(name):
    alerts = load_stack(LIBRARY.find(Sort.STACK, "reference_alerts").path).alerts
    assert alerts is not None
    scenario = load_scenario(LIBRARY.find(Sort.SCENARIO, name).path)
    schedule = SCHEDULES.resolve(scenario.schedule.kind)(**scenario.schedule.arguments)

    def crossings(planned):
        plan = plan_scenario(scenario, planned, 1, None)
        moments = [at for at, level in zip(plan.offsets_ns, plan.levels, strict=True) if level == "E"]
        reach_ns = (alerts.window_seconds + alerts.resolution_seconds) * SECOND_NS
        return sum(
            last - first <= reach_ns
            for first, last in zip(moments, moments[alerts.threshold - 1 :], strict=False)
        )

    assert crossings(schedule) > 0
    assert crossings(replace(schedule, times=0)) == 0


def _misfits(suite, stack):
    names = load_suite(LIBRARY.find(Sort.SUITE, suite).path, SCENARIOS).scenarios
    scenarios = [load_scenario(LIBRARY.find(Sort.SCENARIO, name).path) for name in names]
    return [problem for scenario in scenarios for problem in check_targets(scenario, stack)]


def test_every_scenario_says_why_and_those_with_a_fault_where_it_was_seen(scenario):
    assert scenario.why
    assert scenario.seen_in or not scenario.steps


def test_every_stretch_of_a_scenario_can_decide_its_latency(scenario):
    schedule = SCHEDULES.resolve(scenario.schedule.kind)(**scenario.schedule.arguments)
    samples = plan_scenario(scenario, schedule, 1, None).samples()

    assert len(samples) == len(scenario.steps) + 1
    assert min(count for _, count in samples) >= SAMPLES_MIN


def test_whatever_the_default_suite_judges_is_judged_in_scenarios_that_run_alone():
    suite = load_suite(LIBRARY.find(Sort.SUITE, "default").path, SCENARIOS)
    scenarios = [load_scenario(LIBRARY.find(Sort.SCENARIO, name).path) for name in suite.scenarios]
    stack = load_stack(LIBRARY.find(Sort.STACK, "reference").path)

    def judged(chosen):
        return {word for scenario in chosen for word in checks_of(scenario, stack).planned}

    assert not all(scenario.exclusive for scenario in scenarios)
    assert judged(scenario for scenario in scenarios if scenario.exclusive) == judged(
        replace(scenario, exclusive=True) for scenario in scenarios
    )


def test_the_control_runs_alone():
    assert load_scenario(LIBRARY.find(Sort.SCENARIO, "no_fault").path).exclusive


def test_the_default_suite_sends_for_less_than_three_and_a_half_minutes():
    suite = load_suite(LIBRARY.find(Sort.SUITE, "default").path, SCENARIOS)
    seconds = [
        load_scenario(LIBRARY.find(Sort.SCENARIO, name).path).sending_seconds for name in suite.scenarios
    ]

    assert sum(seconds) <= 210
