from dataclasses import replace

from harness.judging.check_selection import (
    NOT_ALONE,
    NOT_ENDED,
    NOT_POLLED,
    before_the_end,
    charge_of,
    checks_of,
)
from harness.model.declarations import CounterSource, DeadLetterOutlet, Part, Promises, Stack
from tests.unit.harness.literal_history import STEP, scenario

BARE = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())
WHOLE = replace(
    BARE,
    promises=Promises(order_by=("number",)),
    dead_letters=DeadLetterOutlet(Part("file")),
    counters=CounterSource(Part("json_file"), {"delivered": ("a",), "held": ("b",)}),
)
CHECKS = ("acknowledged_lost", "out_of_order", "dead_letters_misplaced", "miscounted")


def examined(stack, *steps, checks=CHECKS, exclusive=True):
    named = tuple(map(Part, checks))
    return checks_of(replace(scenario(*steps), checks=named, exclusive=exclusive), stack)


def test_what_a_stack_does_not_declare_is_not_planned_and_named():
    checks = examined(BARE)

    assert list(checks.planned) == ["acknowledged_lost"]
    assert checks.unplanned == {
        "out_of_order": "the stack promises no order_by",
        "dead_letters_misplaced": "the stack declares no dead_letters",
        "miscounted": "the stack declares no counters",
    }


def test_what_a_stack_declares_is_planned():
    checks = examined(WHOLE)

    assert list(checks.planned) == list(CHECKS)
    assert checks.unplanned == {}


def test_recovery_is_planned_where_there_is_a_fault_to_recover_from():
    checks = ("backlog_seconds", "throughput_recovery_seconds")

    assert list(examined(BARE, checks=checks).planned) == []
    assert list(examined(BARE, STEP, checks=checks).planned) == list(checks)


def test_what_neighbours_would_change_is_planned_only_where_a_scenario_runs_alone():
    checks = (
        "acknowledged_lost",
        "response_p99_ms",
        "memory_mib_above_idle",
        "exit_seconds",
        "throughput_recovery_seconds",
        "fresh_record_seconds",
    )
    stack = replace(BARE, promises=Promises(memory_mib_above_idle=64.0))
    beside = replace(scenario(STEP), checks=tuple(map(Part, checks)), exclusive=False)

    found = checks_of(beside, stack)

    assert list(found.planned) == ["acknowledged_lost", "fresh_record_seconds"]
    assert found.unplanned == {
        "response_p99_ms": NOT_ALONE,
        "memory_mib_above_idle": NOT_ALONE,
        "exit_seconds": "the stack promises no exit_seconds",
        "throughput_recovery_seconds": NOT_ALONE,
    }


def test_what_polls_the_archive_is_planned_only_where_nothing_measures_what_that_changes():
    polling = f"{__name__}:POLLING"
    quiet = examined(BARE, checks=("acknowledged_lost", polling))
    beside_latency = examined(BARE, checks=("acknowledged_lost", "response_p99_ms", polling))
    beside_others = examined(BARE, checks=("response_p99_ms", polling), exclusive=False)

    assert list(quiet.planned) == ["acknowledged_lost", "own_seen"]
    assert beside_latency.unplanned == {"own_seen": NOT_POLLED}
    assert list(beside_latency.planned) == ["acknowledged_lost", "response_p99_ms"]
    assert list(beside_others.planned) == ["own_seen"]


def test_a_check_that_asks_for_nothing_special_is_always_planned():
    checks = examined(BARE, checks=(f"{__name__}:PLUGIN",))

    assert list(checks.planned) == ["own_thing"]


def test_checkers_are_told_what_the_stack_declares():
    charge = charge_of(scenario(STEP), WHOLE)

    assert (charge.dead_letters, charge.counters) == (True, frozenset({"delivered", "held"}))
    assert charge.promises is WHOLE.promises


class PLUGIN:
    """A checker of somebody's own, named by a dotted path."""

    objective = "own_thing"
    dimension = "delivery"

    def __init__(self, charge):
        self.charge = charge


class POLLING(PLUGIN):
    """One that wants to know when records were first seen."""

    objective = "own_seen"
    needs_first_seen = True


def test_what_needs_the_end_of_a_run_judges_no_snapshot():
    stack = replace(BARE, promises=Promises(exit_seconds=5.0))
    checks = before_the_end(examined(stack, checks=("acknowledged_lost", "exit_seconds", "miscounted")))

    assert list(checks.planned) == ["acknowledged_lost"]
    assert checks.unplanned == {"miscounted": "the stack declares no counters", "exit_seconds": NOT_ENDED}
