from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from harness.model.protocols import Status, Verdict
from harness.model.result import Result
from harness.reporting.atomic_file import write_report
from harness.reporting.terminal import TerminalReport
from tests.unit.harness.reporting.example_result import (
    EXAMPLES,
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)


@pytest.mark.parametrize("build", EXAMPLES.values(), ids=EXAMPLES)
def test_the_text_is_ascii_and_fits_a_hundred_columns(tmp_path: Path, build: Callable[[], Result]) -> None:
    path = write_report(TerminalReport(), build(), tmp_path)

    text = path.read_text(encoding="ascii")
    assert path == tmp_path / "scorecard.txt"
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text


def test_the_decision_stands_above_the_veto_above_the_score_above_the_scenarios(tmp_path: Path) -> None:
    text = write_report(TerminalReport(), vetoed_result(), tmp_path).read_text()

    order = [
        text.index(word)
        for word in ("x FAIL", "VETO", "| record 1612", "Not examined", "Score withheld", "replay:")
    ]
    assert order == sorted(order)
    assert "100.00 of" not in text


def test_the_points_shown_sum_to_the_score_shown(tmp_path: Path) -> None:
    lines = write_report(TerminalReport(), inconclusive_result(), tmp_path).read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("  dimension"))
    rows = [line[20:].split() for line in lines[start + 1 : start + 5]]

    low = sum(round(float(row[0]) * 100) for row in rows)
    high = sum(round(float(row[2] if row[1] == "-" else row[0]) * 100) for row in rows)
    assert f"Score {low / 100:.2f} - {high / 100:.2f} of 100" in "\n".join(lines)


def test_a_terminal_gets_marks_and_colour_and_no_escape_of_the_stack() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=140)
    TerminalReport().draw(vetoed_result(), console)

    assert "\x1b[1;31m" in out.getvalue()
    assert "\x1b[31mred" not in out.getvalue()
    assert "[31mred" in out.getvalue()


def test_markup_of_the_drawing_library_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    result = replace(passing_result(), stack="[bold]name[/bold]")

    assert "[bold]name[/bold]" in write_report(TerminalReport(), result, tmp_path).read_text()


def test_importing_the_report_does_not_load_the_drawing_library() -> None:
    code = "import harness.reporting.terminal, sys; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_remark_in_several_lines_stands_in_as_many_whole_lines() -> None:
    long_line = "first " + "word " * 120 + "last"
    one = replace(
        scenario_result(), status=Status.ERROR, remarks=(f"it ended. Its log:\n{long_line}\n\nend",)
    )
    text = TerminalReport().text(replace(passing_result(), scenarios=(one,)))

    assert "\\n" not in text
    assert "characters" not in text
    assert " ".join(long_line.split()) in " ".join(text.replace("\n", " ").split())
    assert "    | end\n" in text


def test_verdicts_that_say_the_same_and_show_nothing_are_told_once() -> None:
    verdicts = tuple(
        Verdict(name, "delivery", Status.NOT_RUN, "the run ended before") for name in ("one", "two", "three")
    )
    one = replace(scenario_result(), status=Status.NOT_RUN, verdicts=verdicts)
    text = TerminalReport().text(replace(passing_result(), scenarios=(one,)))

    assert text.count("the run ended before") == 1
    assert "NOT RUN one, two, three: the run ended before" in text


@pytest.mark.parametrize("columns", [0, 1, 20])
def test_a_terminal_that_claims_hardly_any_columns_is_still_told_everything(columns: int) -> None:
    file = StringIO()
    console = Console(file=file, force_terminal=True, color_system=None, width=columns)
    TerminalReport().draw(passing_result(), console)
    words = " ".join(file.getvalue().split())

    assert "PASS" in words
    assert "Score 100.00 of 100" in words
