from dataclasses import replace

from harness.judging.check_selection import NOT_ALONE, charge_of, checks_of
from harness.model.protocols import CounterSource, DeadLetterOutlet, Part, Promises, Stack
from tests.unit.harness.literal_history import STEP, scenario

BARE = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())
WHOLE = replace(
    BARE,
    promises=Promises(order_by=("number",)),
    dead_letters=DeadLetterOutlet(Part("file")),
    counters=CounterSource(Part("json_file"), {"delivered": ("a",), "held": ("b",)}),
)
CHECKS = ("conservation", "order", "dead_letters", "accounting")


def examined(stack, *steps, checks=CHECKS):
    return checks_of(replace(scenario(*steps), checks=checks), stack)


def test_what_a_stack_does_not_declare_is_not_planned_and_named():
    checks = examined(BARE)

    assert list(checks.planned) == ["conservation"]
    assert checks.unplanned == {
        "order": "the stack promises no order_by",
        "dead_letters": "the stack declares no dead_letters",
        "accounting": "the stack declares no counters",
    }


def test_what_a_stack_declares_is_planned():
    checks = examined(WHOLE)

    assert list(checks.planned) == list(CHECKS)
    assert checks.unplanned == {}


def test_recovery_is_planned_where_there_is_a_fault_to_recover_from():
    checks = ("backlog_recovery", "throughput_recovery")

    assert list(examined(BARE, checks=checks).planned) == []
    assert list(examined(BARE, STEP, checks=checks).planned) == list(checks)


def test_what_neighbours_would_change_is_planned_only_where_a_scenario_runs_alone():
    checks = ("conservation", "caller_latency", "memory", "exit_time", "throughput_recovery", "liveness")
    stack = replace(BARE, promises=Promises(memory_mib_above_idle=64.0))
    beside = replace(scenario(STEP), checks=checks, exclusive=False)

    found = checks_of(beside, stack)

    assert list(found.planned) == ["conservation", "liveness"]
    assert found.unplanned == {
        "caller_latency": NOT_ALONE,
        "memory": NOT_ALONE,
        "exit_time": "the stack promises no exit_seconds",
        "throughput_recovery": NOT_ALONE,
    }


def test_a_check_that_asks_for_nothing_special_is_always_planned():
    checks = examined(BARE, checks=(f"{__name__}:PLUGIN",))

    assert list(checks.planned) == [f"{__name__}:PLUGIN"]


def test_checkers_are_told_what_the_stack_declares():
    charge = charge_of(scenario(STEP), WHOLE)

    assert (charge.dead_letters, charge.counters) == (True, frozenset({"delivered", "held"}))
    assert charge.promises is WHOLE.promises


class PLUGIN:
    """A checker of somebody's own, named by a dotted path."""

    objective = "own.thing"
    dimension = "delivery"
