"""Every report shows a comparison with a baseline, apart from what is absolute."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from harness.model.protocols import Status
from harness.model.result import Comparison, Regression, Sampled
from harness.reporting import REPORTS
from harness.reporting.comparison import comparison_markdown, comparison_text
from harness.reporting.junit import JUnitReport
from harness.reporting.result_json import ResultJson, read_result
from tests.unit.harness.reporting.example_result import NASTY, passing_result

RISE = Comparison("spine", "response_p99_ms", "ms", Status.FAIL, "+10%", 10.0, 13.0, "", 0.3, 0.2, 0.4, 0.05)
OPEN = replace(
    RISE, objective="backlog_seconds", status=Status.INCONCLUSIVE, summary="the interval straddles"
)
SAMPLED = Sampled("spine", "response_p99_ms", "ms", (10.0, None), (13.0, 13.1), (9.9, 10.1))
BESIDE = Regression(Status.FAIL, "commit abc", True, "", 0.95, (SAMPLED,), (RISE, OPEN))
FIRST = Regression(Status.PASS, "", False, "The first run of its kind: recorded as the baseline x.json.")


@pytest.mark.parametrize("word", ["html", "markdown", "terminal"])
def test_a_report_shows_both_medians_the_rise_its_interval_and_what_is_allowed(word):
    text = REPORTS.resolve(word)().text(replace(passing_result(), regression=BESIDE))
    plain = re.sub(r"[\\]|<[^>]*>", " ", text)

    for shown in ("10 ms", "13 ms", "+30 %", "+20 %", "+40 %", "+10%"):
        assert shown in re.sub(r" +", " ", plain), shown


@pytest.mark.parametrize("word", ["html", "markdown", "terminal"])
def test_a_first_run_says_that_nothing_was_compared(word):
    text = REPORTS.resolve(word)().text(replace(passing_result(), regression=FIRST))

    assert "The first run of its kind" in text


def test_junit_has_a_suite_of_its_own_for_it():
    text = JUnitReport().text(replace(passing_result(), regression=BESIDE))
    suite = ElementTree.fromstring(text).find("testsuite[@name='baseline']")  # noqa: S314 - our own output

    assert suite is not None
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")


def test_a_comparison_survives_result_json(tmp_path):
    path = tmp_path / "result.json"
    result = replace(passing_result(), regression=BESIDE)
    path.write_text(ResultJson().text(result))

    assert read_result(path) == result


def test_a_comparison_by_itself_says_the_same_as_text_and_as_markdown():
    text = comparison_text(BESIDE, "stack new")
    markdown = comparison_markdown(BESIDE, "stack new")

    assert text.startswith("FAIL: stack new\n  Beside commit abc, run in turn on one machine:")
    assert "median 10 → 13 ms, +30 % (95 % interval +20 % … +40 %); +10% allowed." in text
    assert (
        "| ✕ FAIL | spine: response\\_p99\\_ms | 10 ms | 13 ms | +30 % | +20 % … +40 % | +5 % | +10% |"
        in markdown
    )
    assert "the interval straddles" in markdown


def test_nothing_in_a_comparison_is_obeyed():
    nasty = replace(BESIDE, baseline=NASTY, comparisons=(replace(RISE, scenario=NASTY, summary=NASTY),))
    html = REPORTS.resolve("html")().text(replace(passing_result(), regression=nasty))

    assert "<script>alert" not in html
    assert "<script>" not in comparison_markdown(nasty, NASTY)
