from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from harness.model.protocols import Status, Verdict
from harness.model.result import Attempt, GateDecision, Result
from harness.reporting.ctrf import CtrfReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    passing_result,
    scenario_result,
    vetoed_result,
)

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
FREE = {"type": "object"}
OUTCOMES = {"enum": ["passed", "failed", "skipped", "pending", "other"]}


def closed(required: str, **properties: object) -> dict[str, object]:
    """An object that has these keys and no others, as every object of the published schema but `extra`."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


# The rules of ctrf-io/ctrf's ctrf.schema.json (draft 7) for the keys that the report uses.
TEST = closed(
    "name status duration",
    name={"type": "string", "minLength": 1},
    status=OUTCOMES,
    duration=WHOLE,
    suite={"type": "array", "minItems": 1, "items": TEXT},
    message=TEXT,
    trace=TEXT,
    rawStatus=TEXT,
    tags={"type": "array", "items": TEXT},
    filePath=TEXT,
    retries=WHOLE,
    extra=FREE,
)
SUMMARY = closed(
    "tests passed failed skipped pending other start stop",
    **dict.fromkeys(
        ("tests", "passed", "failed", "skipped", "pending", "other", "suites", "start", "stop", "duration"),
        WHOLE,
    ),
)
SCHEMA = closed(
    "results reportFormat specVersion",
    reportFormat={"const": "CTRF"},
    specVersion={"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
    reportId={"type": "string", "format": "uuid"},
    timestamp={"type": "string", "format": "date-time"},
    generatedBy=TEXT,
    results=closed(
        "tool summary tests",
        tool=closed("name", name={"type": "string", "minLength": 1}, version=TEXT),
        summary=SUMMARY,
        tests={"type": "array", "items": TEST},
        environment=closed(
            "", reportName=TEXT, appName=TEXT, testEnvironment=TEXT, healthy={"type": "boolean"}, extra=FREE
        ),
    ),
)


def made(result: Result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(CtrfReport().text(result))
    return document


def cases_of(result: Result) -> dict[str, dict[str, Any]]:
    return {f"{test['suite'][-1]}.{test['name']}": test for test in made(result)["results"]["tests"]}


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_file_follows_the_published_schema(build):
    checker = jsonschema.FormatChecker()
    validator = jsonschema.Draft7Validator(SCHEMA, format_checker=checker)

    assert [error.message for error in validator.iter_errors(made(build()))] == []


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_counts_are_those_of_the_tests(build):
    results = made(build())["results"]
    statuses = [test["status"] for test in results["tests"]]

    for status in OUTCOMES["enum"]:
        assert results["summary"][status] == statuses.count(status)
    assert results["summary"]["tests"] == len(statuses)
    assert results["summary"]["stop"] - results["summary"]["start"] == results["summary"]["duration"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status.PASS, "passed"),
        (Status.WARN, "passed"),
        (Status.FAIL, "failed"),
        (Status.ERROR, "failed"),
        (Status.INCONCLUSIVE, "failed"),
        (Status.NOT_RUN, "failed"),
        (Status.NOT_APPLICABLE, "skipped"),
    ],
)
def test_nothing_undecided_looks_green(status, shown):
    one = replace(scenario_result(), verdicts=(Verdict("a.b", "delivery", status, "why it is so"),))
    test = cases_of(replace(passing_result(), scenarios=(one,)))["spine.a.b"]

    assert (test["status"], test["rawStatus"]) == (shown, status.value)
    assert status is Status.PASS or "why it is so" in test["message"]


def test_a_scenario_without_a_verdict_is_a_failure_with_its_reason():
    one = replace(scenario_result(), verdicts=(), status=Status.NOT_RUN, remarks=("no such target here",))
    test = cases_of(replace(passing_result(), scenarios=(one,)))["spine.scenario"]

    assert (test["status"], test["message"]) == ("failed", "NOT RUN: no such target here")


def test_a_failure_carries_its_counterexample_and_nothing_invisible():
    test = cases_of(vetoed_result())["spine.acknowledged_lost"]

    assert "record 1612" in test["trace"]
    assert "\\x1b[31mred\\x00" in test["trace"]


def test_a_file_and_each_attempt_are_named():
    attempt = Attempt(Status.INCONCLUSIVE, ("steady state did not hold",), 12.5, "history/spine")
    base = scenario_result()
    own = replace(base.scenario, source="scenarios/spine.yaml")
    one = replace(base, scenario=own, attempts=(attempt,))
    test = cases_of(replace(passing_result(), scenarios=(one,)))["spine.corrupted"]

    assert (test["filePath"], test["retries"]) == ("scenarios/spine.yaml", 1)


def test_the_gate_is_a_test_of_its_own():
    failed = replace(passing_result(), gate=GateDecision(Status.FAIL, ("Score 97.00; 98 required.",)))
    test = cases_of(failed)["gate.gate"]

    assert (test["status"], test["message"]) == ("failed", "FAIL: Score 97.00; 98 required.")
    assert made(failed)["results"]["environment"]["healthy"] is False


def test_the_same_result_is_the_same_report():
    assert CtrfReport().text(passing_result()) == CtrfReport().text(passing_result())
