from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.main import exit_code
from harness.reporting import REPORTS
from harness.reporting.atomic_file import write_report
from tests.unit.harness.reporting.example_result import passing_result, vetoed_result


@pytest.fixture
def results(tmp_path: Path) -> dict[str, str]:
    fewer = replace(passing_result(), scenarios=passing_result().scenarios[:1])
    made = {"good": passing_result(), "bad": vetoed_result(), "fewer": fewer}
    for name, result in made.items():
        write_report(REPORTS.resolve("json")(), result, tmp_path / name)
    return {name: str(tmp_path / name) for name in made}


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [("good", "good", 0), ("good", "bad", 1), ("good", "fewer", 6), ("fewer", "good", 0)],
)
def test_the_exit_code_says_whether_anything_is_worse(results, before, after, code, capsys):
    assert exit_code(["diff", results[before], results[after]]) == code
    assert capsys.readouterr().out.startswith("From run ")


def test_a_result_that_is_none_is_a_usage_error(results, tmp_path, capsys):
    (tmp_path / "other.json").write_text("{}")

    assert exit_code(["diff", results["good"], str(tmp_path / "other.json")]) == 4
    assert exit_code(["diff", results["good"], str(tmp_path / "none")]) == 4
    assert exit_code(["diff", results["good"]]) == 4
    assert exit_code(["diff", results["good"], results["bad"], "--format", "xml"]) == 4
