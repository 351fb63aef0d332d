"""The timeline of an incident in every form of the scorecard."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from harness.model.result import IncidentMoment, MomentKind
from harness.reporting.atomic_file import write_report
from harness.reporting.html import Scorecard
from harness.reporting.markdown import MarkdownReport
from harness.reporting.result_json import ResultJson, read_result
from harness.reporting.terminal import TerminalReport
from tests.unit.harness.reporting.example_result import INCIDENT, NASTY, acting_result, passing_result

LINES = [
    "8.0 s  connection_reset on to_store injected",
    "10.5 s  the stack finds network: finding f1",
    "11.2 s  the stack acts on finding f1",
    "18.0 s  connection_reset on to_store healed",
    "20.8 s  recovered: the backlog is gone",
]


def test_the_text_tells_each_moment_in_a_line() -> None:
    text = TerminalReport().text(acting_result())
    start = text.index("timeline:")

    assert [line.removeprefix("timeline:").strip() for line in text[start:].splitlines()[:5]] == LINES
    assert "timeline" not in TerminalReport().text(passing_result())


def test_markdown_tells_each_moment_below_the_faults() -> None:
    text = MarkdownReport().text(acting_result())

    told = text[text.index("* Timeline:") :].splitlines()[1:6]
    assert [" ".join(line.strip("* ").replace("\\", "").split()) for line in told] == [
        " ".join(line.split()) for line in LINES
    ]
    assert "Timeline" not in MarkdownReport().text(passing_result())


def test_the_page_lists_the_moments_and_marks_what_the_stack_did_across_the_backlog() -> None:
    text = Scorecard().text(acting_result())
    marks = re.findall(r'<line class="mark" x1="([\d.]+)%"[^>]*><title>([^<]*)</title>', text)

    assert [words for _, words in marks] == ["found: network", "acted", "recovered"]
    assert [float(x) for x, _ in marks] == sorted(float(x) for x, _ in marks)
    assert all(line in text for line in LINES)
    assert text.count("<h4>Timeline</h4>") == 1
    assert "<h4>Timeline</h4>" not in Scorecard().text(passing_result())


def test_words_of_a_stack_are_shown_and_never_obeyed() -> None:
    base = acting_result()
    moments = tuple(IncidentMoment(1.0, kind, NASTY, NASTY) for kind in MomentKind)
    result = replace(base, scenarios=(replace(base.scenarios[0], incident=moments),))

    assert "<script>alert" not in Scorecard().text(result)
    assert "<script>" not in MarkdownReport().text(result)
    assert "\x1b" not in TerminalReport().text(result)


def test_a_result_that_was_written_before_there_were_incidents_is_read(tmp_path: Path) -> None:
    path = write_report(ResultJson(), acting_result(), tmp_path)
    document = json.loads(path.read_text())
    assert read_result(path).scenarios[0].incident == INCIDENT
    for scenario in document["scenarios"]:
        del scenario["incident"]
    path.write_text(json.dumps(document))

    assert read_result(path).scenarios[0].incident == ()
