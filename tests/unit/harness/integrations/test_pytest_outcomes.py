"""What each status of a scenario is as a pytest test: its word, its exit code, what is shown."""

from __future__ import annotations

import json
import re

import pytest

import harness.integrations.pytest_hooks  # noqa: F401 - loaded before pytester notes which modules are
from tests.unit.harness.integrations.test_pytest_collection import STACK, scenario

pytest_plugins = ["pytester"]

FAKE = """\
from pathlib import Path

from harness.integrations.pytest_scenarios import ScenarioFile
from harness.integrations.scenario_session import Outcome
from harness.integrations.settings import settings_of
from harness.config.scenario import load_scenario
from harness.model.protocols import Status


class Scripted:
    '''A session whose one scenario has the status that its file's ending names.'''

    def __init__(self, path, config):
        self.settings = settings_of(config)
        self._status = Status[path.suffix[1:]]

    def load(self, path):
        return "slow_link.yaml", load_scenario(Path("slow_link.yaml"))

    def make_room(self, scenario):
        pass

    def leave(self):
        pass

    def run(self, scenario):
        headline = f"{self._status.value}: it is so"
        text = f"{headline}\\n  counterexample: record 7"
        return Outcome(self._status, headline, text, "history/slow_link")


def pytest_collect_file(file_path, parent):
    if file_path.suffix[1:] in Status.__members__:
        return ScenarioFile.of(file_path, parent, Scripted(file_path, parent.config))
"""


@pytest.fixture
def project(pytester):
    pytester.makeconftest(FAKE)
    (pytester.path / "mine.yaml").write_text(STACK)
    (pytester.path / "slow_link.yaml").write_text(scenario("slow_link"))
    return pytester


def run(project, status: str, *arguments: str):
    """Run a scenario that comes out so."""
    (project.path / f"one.{status}").touch()
    return project.runpytest("--stack", "mine.yaml", "--ignore", "slow_link.yaml", "-v", "-rA", *arguments)


@pytest.mark.parametrize(
    ("status", "word", "outcomes", "code"),
    [
        ("PASS", "PASSED", {"passed": 1}, 0),
        ("WARN", "WARN", {"passed": 1}, 0),
        ("FAIL", "FAILED", {"failed": 1}, 1),
        ("INCONCLUSIVE", "INCONCLUSIVE", {"failed": 1}, 1),
        ("ERROR", "ERROR", {"errors": 1}, 1),
        ("NOT_RUN", "NOT RUN", {"errors": 1}, 1),
    ],
)
def test_a_status_has_a_word_and_only_pass_and_warn_let_pass(project, status, word, outcomes, code):
    result = run(project, status)

    result.stdout.fnmatch_lines([f"one.{status}::slow_link {word} *"])
    result.assert_outcomes(**outcomes)
    assert result.ret == code


def test_what_did_not_pass_is_shown_once_without_a_traceback(project):
    text = run(project, "FAIL").stdout.str()

    assert text.count("counterexample: record 7") == 1
    assert "Traceback" not in text
    assert "pytest_scenarios.py" not in text
    assert f"FAILED one.FAIL::slow_link - {'FAIL: it is so'}" in text


def test_a_warning_is_told_though_its_test_passed(project):
    result = run(project, "WARN")

    result.stdout.fnmatch_lines(["*Captured logquake call*", "WARN: it is so"])


@pytest.mark.parametrize(("choice", "outcomes"), [("xfail", {"xfailed": 1}), ("skip", {"skipped": 1})])
def test_an_inconclusive_scenario_counts_as_the_option_says(project, choice, outcomes):
    result = run(project, "INCONCLUSIVE", "--logquake-inconclusive", choice)

    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(["*INCONCLUSIVE: it is so*"])
    assert result.ret == 0


@pytest.mark.parametrize("choice", ["xfail", "skip"])
def test_no_choice_excuses_a_failure(project, choice):
    run(project, "FAIL", "--logquake-inconclusive", choice).assert_outcomes(failed=1)


def test_what_failed_last_is_selected(pytester):
    (pytester.path / "mine.yaml").write_text(STACK)
    for name in ("slow_link", "cut_link"):
        (pytester.path / f"{name}.yaml").write_text(scenario(name))
    cache = pytester.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({"slow_link.yaml::slow_link": True}))

    result = pytester.runpytest("--stack", "mine.yaml", "--last-failed", "--collect-only", "-q")

    assert [line for line in result.outlines if "::" in line] == ["slow_link.yaml::slow_link"]


def test_services_that_cannot_be_had_are_an_error_told_in_full_once(pytester):
    (pytester.path / "mine.yaml").write_text(STACK)
    for name in ("slow_link", "cut_link"):
        (pytester.path / f"{name}.yaml").write_text(scenario(name))

    result = pytester.runpytest("--stack", "mine.yaml", "--logquake-backend", "attached")

    result.assert_outcomes(errors=2)
    (shown,) = re.findall("= ERRORS =(.*?)= logquake =", result.stdout.str(), re.DOTALL)
    assert shown.count("services.elasticsearch.url: is missing.") == 2
    assert shown.count("the run had ended before: ") == 1
    assert "exception" not in shown
