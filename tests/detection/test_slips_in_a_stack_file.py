"""A slip in a stack file is an ERROR that names the key, and no verdict against the stack."""

from dataclasses import replace
from datetime import UTC, datetime

from harness.config.scenario import load_scenario
from harness.judging.gate_rules import GateRules
from harness.model.declarations import CounterSource, Part, Stack
from harness.model.protocols import Status
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun
from harness.selftest.examination import scenario_path
from harness.selftest.stacks import HONEST, Case

HONEST_STACK = Case("honest", "none", HONEST, "no_fault").stack()


def remarks_of(stack: Stack, out):
    """Return what a run of a few seconds says, having checked that all of it is an ERROR without a veto."""
    scenario = replace(load_scenario(scenario_path("no_fault")), drain_seconds=1.0, liveness_seconds=1.0)
    request = Request(
        suite="slips",
        scenarios=(scenario,),
        stack=replace(stack, source="stacks/mine.yaml"),
        backend="embedded",
        seed=1,
        input_path=None,
        out=out,
        command="",
        gate=GateRules(),
        max_minutes=None,
        today=datetime.now(UTC).date(),
    )
    result, ended_by = SuiteRun(make_plan(request), request, lambda: 0, lambda _: None).run()
    (outcome,) = result.scenarios
    assert ended_by is None
    assert {verdict.status for verdict in outcome.verdicts} == {Status.ERROR}
    assert {verdict.summary for verdict in outcome.verdicts} == {outcome.remarks[0]}
    assert [verdict for verdict in outcome.verdicts if verdict.vetoes or verdict.value is not None] == []
    return outcome.remarks


def test_lines_under_another_index_and_field_are_found(tmp_path):
    archive = Part(
        "elasticsearch",
        {"url": "{elasticsearch.url}", "index": "log-selftest-{run.id}", "field": "event.original"},
    )

    (told,) = remarks_of(replace(HONEST_STACK, archive=archive), tmp_path)

    assert told.startswith(
        "stacks/mine.yaml archive.index, archive.field: "
        "write `index: logs-selftest-{run.id}` and write `field: message`. No line of this run"
    )


def test_a_field_of_order_by_and_a_counter_that_are_not_there_are_told(tmp_path):
    assert HONEST_STACK.counters is not None
    stack = replace(
        HONEST_STACK,
        promises=replace(HONEST_STACK.promises, order_by=("event.sequnce",)),
        counters=CounterSource(HONEST_STACK.counters.part, {"delivered": ("sent_ok",)}),
    )

    order, counter = remarks_of(stack, tmp_path)

    assert "promises.order_by: not one of" in order
    assert 'no field "event.sequnce". Did you mean "event.sequence"?' in order
    assert 'counters.names.delivered: no counter "sent_ok". Known: accepted,' in counter
