"""When the scenarios of a session keep it from passing though every test passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.integrations.session_report import SessionReport
from harness.model.protocols import Status
from harness.model.result import GateDecision
from harness.reporting import REPORTS
from tests.unit.harness.reporting.example_result import passing_result


def written(folder, status: Status, *, gated: bool, broke: tuple[str, ...] = ()) -> SessionReport:
    report = SessionReport(gated)
    report.write(replace(passing_result(), gate=GateDecision(status, ("so it is",)), broke=broke), folder)
    return report


def test_every_form_of_the_result_is_written(tmp_path):
    written(tmp_path, Status.PASS, gated=False)

    files = {REPORTS.resolve(word).file_name for word in REPORTS.kinds}
    assert files <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN])
def test_a_gate_that_lets_pass_is_no_problem(tmp_path, status):
    assert written(tmp_path, status, gated=True).problem == ""


@pytest.mark.parametrize("status", [Status.FAIL, Status.INCONCLUSIVE])
def test_a_gate_counts_only_where_the_user_named_one(tmp_path, status):
    assert written(tmp_path, status, gated=False).problem == ""
    assert written(tmp_path, status, gated=True).problem == f"the gate says {status.value}"


def test_what_broke_around_the_scenarios_is_never_passed_over(tmp_path):
    assert written(tmp_path, Status.PASS, gated=False, broke=("a process is left",)).problem


def test_a_result_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").touch()

    assert "cannot be written" in written(tmp_path / "file", Status.PASS, gated=False).problem
