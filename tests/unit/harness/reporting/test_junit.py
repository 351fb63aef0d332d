from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from harness.model.protocols import Status, Verdict
from harness.model.result import GateDecision, Result
from harness.reporting.junit import JUnitReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)

# The part of junit-10.xsd that the report uses, narrowed to what the Ant task's XSD knows too: Jenkins' xUnit
# plugin validates by it, and pytest's own `xunit2` form and GitLab's reader follow it.
# Each element's attributes (required, optional) and its children in order.
SHAPE = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, ["testsuite"]),
    "testsuite": (
        {"name", "timestamp", "hostname", "tests", "failures", "errors", "time"},
        {"skipped"},
        ["properties", "testcase", "system-out"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": ({"name", "classname", "time"}, set(), ["skipped", "error", "failure", "system-out"]),
    "failure": ({"type"}, {"message"}, []),
    "error": ({"type"}, {"message"}, []),
    "skipped": (set(), {"message"}, []),
    "system-out": (set(), set(), []),
}


def parsed(result: Result) -> Element:
    return ElementTree.fromstring(JUnitReport().text(result).encode())  # noqa: S314 - our own text


def problems(element: Element) -> list[str]:
    """Return where an element or one below it is not of the XSD's shape."""
    required, optional, children = SHAPE[element.tag]
    found = []
    if not required <= set(element.attrib) <= required | optional:
        found.append(f"{element.tag}: attributes {sorted(element.attrib)}")
    places = [children.index(child.tag) if child.tag in children else -1 for child in element]
    if -1 in places or places != sorted(places):
        found.append(f"{element.tag}: children {[child.tag for child in element]}")
    return found + [problem for child in element for problem in problems(child)]


def case(root: Element, name: str) -> Element:
    found = root.find(f".//testcase[@name='{name}']")
    assert found is not None
    return found


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_file_has_the_shape_that_readers_expect(build: Callable[[], Result]) -> None:
    root = parsed(build())

    assert problems(root) == []
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases) > 0
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_every_value_has_the_type_that_the_schemas_give_it(build: Callable[[], Result]) -> None:
    forms = {
        # SUREFIRE_TIME of junit-10.xsd; a number for GitLab.
        "time": r"[0-9]+(\.[0-9]{1,3})?",
        **dict.fromkeys(("tests", "failures", "errors", "skipped"), "[0-9]+"),
        "timestamp": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}",
    }

    wrong = [
        (element.tag, name, value)
        for element in parsed(build()).iter()
        for name, value in element.attrib.items()
        if name in forms and not re.fullmatch(forms[name], value)
    ]

    assert wrong == []


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_no_two_tests_of_a_report_have_the_same_name(build: Callable[[], Result]) -> None:
    names = [(case.attrib["classname"], case.attrib["name"]) for case in parsed(build()).iter("testcase")]

    assert len(names) == len(set(names))


def test_a_scenario_is_a_suite_and_an_objective_a_test() -> None:
    root = parsed(passing_result())

    assert [suite.attrib["name"] for suite in root] == ["spine", "black_hole", "gate"]
    assert root.attrib["failures"] == root.attrib["errors"] == "0"
    assert len(case(root, "corrupted")) == 0


def test_a_failure_carries_its_counterexample_without_what_xml_forbids() -> None:
    failure = case(parsed(vetoed_result()), "acknowledged_lost").find("failure")

    assert failure is not None
    assert failure.attrib["message"].startswith("FAIL: 37 of 7,220")
    assert "record 1612" in (failure.text or "")
    assert "\\x1b[31mred\\x00" in (failure.text or "")


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        (Status.PASS, None),
        (Status.WARN, "system-out"),
        (Status.FAIL, "failure"),
        (Status.ERROR, "error"),
        (Status.INCONCLUSIVE, "error"),
        (Status.NOT_RUN, "error"),
        (Status.NOT_APPLICABLE, "skipped"),
    ],
)
def test_nothing_undecided_looks_green(status: Status, tag: str | None) -> None:
    one = replace(scenario_result(), verdicts=(Verdict("a.b", "delivery", status, "why it is so"),))
    inside = case(parsed(replace(passing_result(), scenarios=(one,))), "a.b")

    assert [child.tag for child in inside] == ([tag] if tag else [])
    assert tag is None or "why it is so" in f"{inside[0].attrib} {inside[0].text}"


def test_a_scenario_without_a_verdict_is_an_error_with_its_reason() -> None:
    error = parsed(inconclusive_result()).find("testsuite[@name='black_hole']/testcase/error")

    assert error is not None
    assert error.attrib["message"] == "NOT RUN: this backend has no target that can be severed"


def test_the_gate_is_a_test_of_its_own() -> None:
    failed = replace(passing_result(), gate=GateDecision(Status.FAIL, ("The score is at most 97.",)))
    failure = case(parsed(failed), "gate").find("failure")

    assert failure is not None
    assert failure.attrib["message"] == "FAIL: The score is at most 97."
