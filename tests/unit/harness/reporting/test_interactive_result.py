"""A result made by hand says so in every form, and no gate takes it."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from harness.cli.main import exit_code
from harness.judging.gate import INTERACTIVE, gates_nothing
from harness.reporting import REPORTS
from harness.reporting.atomic_file import write_report
from harness.reporting.result_json import ResultJson, read_result
from tests.unit.harness.reporting.example_result import passing_result


@pytest.fixture
def by_hand():
    made = passing_result()
    return replace(made, interactive=True, gate=gates_nothing(made.gate))


@pytest.mark.parametrize(
    "form", [word for word in REPORTS.kinds if word in {"terminal", "markdown", "html", "junit"}]
)
def test_each_form_says_that_the_faults_were_started_by_hand(by_hand, form):
    text = REPORTS.resolve(form)().text(by_hand)

    assert "were started by hand, so it gates nothing" in " ".join(text.split())


def test_the_gate_of_a_junit_file_is_skipped_and_never_green(by_hand):
    root = ElementTree.fromstring(REPORTS.resolve("junit")().text(by_hand))  # noqa: S314 - our own text

    assert root.find("testsuite[@name='gate']/testcase/skipped") is not None


def test_a_result_keeps_the_mark(by_hand, tmp_path):
    assert read_result(write_report(ResultJson(), by_hand, tmp_path)).interactive


@pytest.mark.parametrize("named", ["folder", "file"])
def test_the_gate_refuses_it_with_a_word_and_the_exit_code_of_a_mistake(by_hand, tmp_path, capsys, named):
    path = write_report(ResultJson(), by_hand, tmp_path)

    code = exit_code(["gate", str(tmp_path if named == "folder" else path)])

    told = capsys.readouterr()
    assert code == 4
    assert INTERACTIVE in told.err
    assert told.out == ""
