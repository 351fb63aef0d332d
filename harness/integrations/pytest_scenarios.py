"""Scenario files as pytest's tests: which files are some, and what is said of one that does not pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.config.yaml_source import FILE_BYTES_MAX
from harness.faults import FAULTS
from harness.integrations.scenario_session import Outcome, ScenarioSession
from harness.model.declarations import Scenario
from harness.model.errors import HarnessError
from harness.model.protocols import Status

ENDINGS = (".yaml", ".yml")
MARKER = "logquake"
# Looked for in the text, so that a file which cannot be read as YAML is still known for what it is.
_SCENARIO = re.compile(r"""^["']?(hypothesis|sending_seconds)["']?\s*:""", re.MULTILINE)
_SUITE = re.compile(r"""^["']?scenarios["']?\s*:""", re.MULTILINE)


def collector(path: Path, parent: pytest.Collector, session: ScenarioSession) -> pytest.Collector | None:
    """Return what collects a file: a scenario's own test, or those of a suite; None where it is neither.

    A suite is collected only where the command line names its file: in a folder its scenarios are there
    themselves.

    Args:
        path: any file; only one whose ending is that of YAML is read.
        parent: the folder's collector.
        session: runs what is collected.
    """
    if path.suffix not in ENDINGS:
        return None
    text = _beginning(path)
    named = parent.session.isinitpath(path)
    if _SCENARIO.search(text):
        return ScenarioFile.of(path, parent, session)
    if named and _SUITE.search(text):
        return SuiteFile.of(path, parent, session)
    return None


def marker_of(fault: str) -> str:
    """Return the marker of a scenario with such a fault; of a dotted path it is the class's name."""
    return f"fault_{fault.rpartition(':')[2]}"


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("utf-8-sig", "replace")
    except OSError:
        return ""


class _Collected(pytest.File):
    """A file that a session of logquake reads."""

    session_of_scenarios: ScenarioSession

    @classmethod
    def of(cls, path: Path, parent: pytest.Collector, session: ScenarioSession) -> _Collected:
        """Return the collector of this file."""
        collected: _Collected = cls.from_parent(parent, path=path)
        collected.session_of_scenarios = session
        return collected

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test a scenario; a mistake in a file is a collection error: where, what, remedy."""
        try:
            found = self.found()
        except HarnessError as error:
            raise self.CollectError(str(error)) from None
        for word, scenario in found:
            yield ScenarioItem.of(self, word, scenario)

    def found(self) -> list[tuple[str, Scenario]]:
        """Return each scenario with what a command line calls it."""
        raise NotImplementedError


class ScenarioFile(_Collected):
    """A scenario file: one test."""

    def found(self) -> list[tuple[str, Scenario]]:
        """Return the one scenario."""
        return [self.session_of_scenarios.load(self.path)]


class SuiteFile(_Collected):
    """A suite file that the command line names: a test for each of its scenarios."""

    def found(self) -> list[tuple[str, Scenario]]:
        """Return the suite's scenarios in its order."""
        return self.session_of_scenarios.load_suite(self.path)


class NotPassedError(Exception):
    """A scenario did not pass; its outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.headline)
        self.outcome = outcome


class Told:
    """What did not pass, as pytest shows failures: whole, and one line of it in the summary."""

    def __init__(self, outcome: Outcome) -> None:
        self._text = outcome.text
        self.reprcrash = SimpleNamespace(message=outcome.headline)

    def __str__(self) -> str:
        return self._text

    def toterminal(self, writer: Any) -> None:
        """Write it to pytest's `TerminalWriter` `writer`; the first line is the verdict."""
        first, *others = self._text.splitlines()
        writer.line(first, red=True, bold=True)
        for line in others:
            writer.line(line)


class ScenarioItem(pytest.Item):
    """One scenario on the session's stack."""

    word: str
    scenario: Scenario
    status: Status | None = None

    @classmethod
    def of(cls, parent: _Collected, word: str, scenario: Scenario) -> ScenarioItem:
        """Return the test of a scenario, marked by its faults.

        Args:
            parent: the file's collector.
            word: the scenario file's path from the current folder.
            scenario: as it was read.
        """
        item: ScenarioItem = cls.from_parent(parent, name=scenario.name)
        item.word, item.scenario = word, scenario
        item.add_marker(MARKER)
        for fault in dict.fromkeys(step.fault for step in scenario.steps):
            if fault not in FAULTS.kinds:
                item.config.addinivalue_line("markers", f"{marker_of(fault)}: a scenario with this fault")
            item.add_marker(marker_of(fault))
        return item

    def setup(self) -> None:
        """Have the services running, and the machine to itself where the scenario asks for that."""
        problem = ""
        try:
            self._session.make_room(self.scenario)
        except HarnessError as error:
            problem = "\n".join((str(error), *getattr(error, "__notes__", ())))
        # Only of the call itself does pytest ask a test how to show what went wrong.
        if problem:
            pytest.fail(problem, pytrace=False)

    def runtest(self) -> None:
        """Run the scenario; what is not a pass is raised, skipped or expected, as the options say.

        Raises:
            NotPassedError: it failed, broke off or was not run; also where it is inconclusive and the
                options do not excuse that.
        """
        outcome = self._session.run(self.scenario)
        self.status = outcome.status
        self.user_properties += [
            ("logquake_status", outcome.status.value),
            ("logquake_history", outcome.history),
        ]
        if outcome.status is Status.PASS:
            return
        if outcome.status is Status.WARN:
            self.add_report_section("call", "logquake", outcome.text)
            return
        if outcome.status is Status.INCONCLUSIVE:
            self._excuse(outcome)
        raise NotPassedError(outcome)

    def _excuse(self, outcome: Outcome) -> None:
        """End the test as skipped or as expected where the options say so."""
        if self._session.settings.inconclusive == "skip":
            pytest.skip(outcome.headline)
        if self._session.settings.inconclusive == "xfail":
            pytest.xfail(outcome.headline)

    def teardown(self) -> None:
        """Let others have the machine again."""
        self._session.leave()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what is wrong in the words of a scorecard; a traceback only of what nobody foresaw.

        Args:
            excinfo: what the test has raised.
            style: pytest's word for how tracebacks are shown.
        """
        if isinstance(excinfo.value, NotPassedError):
            return Told(excinfo.value.outcome)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the test is, and its title in a list of failures."""
        return self.path, 0, self.scenario.name

    @property
    def _session(self) -> ScenarioSession:
        parent = self.parent
        assert isinstance(parent, _Collected)  # noqa: S101 - tells the type checker what `of` was given
        return parent.session_of_scenarios
