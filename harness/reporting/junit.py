"""The verdicts as JUnit XML, for whatever shows test results: a scenario is a suite, an objective a test.

The form is that of the widely used JUnit XSD (the Ant task's, as Jenkins, GitLab and GitHub actions read it).
What was not decided is an error, never a skipped test: viewers show skipped tests as green.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.judging.regression import said
from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.reporting.escaping import clipped, visible
from harness.reporting.scorecard_words import (
    attempt_line,
    facts_of_run,
    kept_words,
    measured,
    replay_command,
    status_word,
)

CHARACTERS_MAX = 2_000
_GREEN = (Status.PASS, Status.WARN)


class JUnitReport:
    """The verdicts as JUnit XML."""

    file_name: ClassVar[str] = "junit.xml"

    def text(self, result: Result) -> str:
        """Return the XML: a suite a scenario, and one of the gate's own."""
        root = Element("testsuites", name=_words(f"logquake {result.suite}"))
        for one in result.scenarios:
            _suite(root, result, one)
        _regression(root, result)
        _gate(root, result)
        cases = root.findall("testsuite")
        # No XSD knows `skipped` here, and Jenkins refuses a file for it.
        for count in ("tests", "failures", "errors"):
            root.set(count, str(sum(int(suite.get(count, "0")) for suite in cases)))
        root.set("time", f"{result.seconds:.3f}")
        indent(root)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, result: Result, one: ScenarioResult) -> None:
    suite = SubElement(root, "testsuite", name=_words(one.scenario.name))
    _properties(suite, result, one)
    for verdict in one.verdicts:
        _case(suite, result, one, verdict)
    if not one.verdicts:
        # A suite without a test would be no bar at all in most viewers: it must not look like a pass.
        case = SubElement(suite, "testcase", name="scenario", classname=_words(one.scenario.name), time="0")
        _outcome(case, one.status, "; ".join(one.remarks) or "nothing was judged", "")
    said = "\n".join(_account(result, one))
    SubElement(suite, "system-out").text = visible_lines(said)
    _count(suite, result, one.seconds)


def _case(suite: Element, result: Result, one: ScenarioResult, verdict: Verdict) -> None:
    case = SubElement(
        suite,
        "testcase",
        name=_words(verdict.objective),
        classname=_words(f"{result.suite}.{one.scenario.name}"),
        time="0",
    )
    vetoes = (f"veto: {veto}" for veto in verdict.vetoes)
    details = "\n".join(
        (verdict.summary, measured(verdict), *vetoes, *verdict.evidence, *verdict.counterexample)
    )
    _outcome(case, verdict.status, verdict.summary, details)


def _outcome(case: Element, status: Status, message: str, details: str) -> None:
    """Add what makes a viewer show the case as it is; a PASS has nothing inside."""
    if status in _GREEN:
        if status is Status.WARN:
            SubElement(case, "system-out").text = visible_lines(f"WARN: {message}")
        return
    tag = {Status.FAIL: "failure", Status.NOT_APPLICABLE: "skipped"}.get(status, "error")
    said = f"{status_word(status)}: {message}"
    if tag == "skipped":
        SubElement(case, tag, message=_words(said))
        return
    SubElement(case, tag, message=_words(said), type=status.value).text = visible_lines(details or said)


def _regression(root: Element, result: Result) -> None:
    """Add what the comparison with a baseline said as a suite of its own: a rise is no broken promise."""
    found = result.regression
    if found is None:
        return
    suite = SubElement(root, "testsuite", name="baseline")
    classname = _words(f"{result.suite}.baseline")
    for comparison in found.comparisons:
        name = _words(f"{comparison.scenario}: {comparison.objective}")
        case = SubElement(suite, "testcase", name=name, classname=classname, time="0")
        told = said(comparison, found.confidence)
        _outcome(case, comparison.status, told, told)
    if found.remark:
        case = SubElement(suite, "testcase", name="baseline", classname=classname, time="0")
        _outcome(case, found.status, found.remark, found.remark)
    _count(suite, result, 0.0)


def _gate(root: Element, result: Result) -> None:
    suite = SubElement(root, "testsuite", name="gate")
    case = SubElement(suite, "testcase", name="gate", classname=_words(f"{result.suite}.gate"), time="0")
    reasons = result.gate.reasons
    _outcome(case, result.gate.status, reasons[0] if reasons else "", "\n".join(reasons))
    _count(suite, result, 0.0)


def _properties(suite: Element, result: Result, one: ScenarioResult) -> None:
    properties = SubElement(suite, "properties")
    facts = (*facts_of_run(result), ("status", one.status.value), ("replay", replay_command(result, one)))
    for name, value in facts:
        SubElement(properties, "property", name=_words(name), value=_words(value))


def _count(suite: Element, result: Result, seconds: float) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{seconds:.3f}")
    # ISO 8601 without a zone, as the XSD asks for; the time is UTC.
    suite.set("timestamp", _words(result.started_at[:19]))
    suite.set("hostname", "localhost")


def _account(result: Result, one: ScenarioResult) -> Iterator[str]:
    yield from one.remarks
    if one.kept is not None:
        yield f"kept: {one.kept.folder}: {kept_words(one.kept)}"
        yield from (f"not kept: {each}" for each in one.kept.left_out)
    for place, attempt in enumerate(one.attempts, 1):
        yield attempt_line(place, attempt)
    for band in one.bands:
        landed = "landed" if band.landed else "not proved to have landed"
        yield f"{band.fault} on {band.target}: {landed}: {band.proof}"
    yield f"replay: {replay_command(result, one)}"


def _words(text: str) -> str:
    return clipped(text, CHARACTERS_MAX)


def visible_lines(text: str) -> str:
    """Return text of several lines without any character that XML 1.0 forbids."""
    return "\n".join(visible(line) for line in text.split("\n"))
