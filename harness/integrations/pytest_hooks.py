"""pytest's hooks while a stack is named: scenario files are collected, run, shown, and reported as a run."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.faults import FAULTS
from harness.integrations.alone import Room
from harness.integrations.pytest_scenarios import MARKER, ScenarioItem, collector, marker_of
from harness.integrations.running_stack import RunningStack, running_stack
from harness.integrations.scenario_session import SUITE, ScenarioSession, remove_if_empty
from harness.integrations.session_report import SessionReport
from harness.integrations.settings import settings_of
from harness.model.errors import HarnessError
from harness.model.protocols import Status
from harness.reporting.atomic_file import write_report
from harness.reporting.escaping import clipped
from harness.reporting.result_json import ResultJson, read_result
from harness.runs.merging import Part, merged_result

_FOLDER = "logquake_folder"
_RESULT = "logquake_result"
_ROOM = "room.lock"


class Hooks:
    """What logquake does in a pytest session, or in one worker of pytest-xdist, or in the process above them.

    Args:
        config: pytest's.

    Raises:
        pytest.UsageError: an option cannot be used.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._settings = settings_of(config)
        self._worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._has_workers = False
        self._parts: list[Part] = []
        self._folder = self._session_folder()
        self._session = self._make_session()
        self._report = SessionReport(self._settings.gate is not None)
        self._stacks = 0
        for line in _marker_lines():
            config.addinivalue_line("markers", line)

    def _session_folder(self) -> Path:
        """Return where the session's results lie where there are workers: theirs lie below it."""
        if self._worker is not None:
            return Path(self._worker[_FOLDER])
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.urandom(2).hex()}"
        return self._settings.out.resolve() / SUITE / name

    def _make_session(self) -> ScenarioSession:
        if self._worker is None:
            return ScenarioSession(self._settings, Room(None))
        settings = replace(self._settings, out=self._folder)
        room = Room(self._folder / _ROOM)
        workers = int(self._worker["workercount"])
        return ScenarioSession(settings, room, jobs=workers, suite=str(self._worker["workerid"]))

    # --- the session's course ----------------------------------------------------------------------------

    def pytest_report_header(self) -> str:
        """Say what is under test."""
        settings = self._settings
        return f"logquake: stack {settings.stack}, backend {settings.backend}, seed {settings.seed}"

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect scenario files.

        Args:
            file_path: any file that pytest has come upon.
            parent: the folder's collector.

        Returns:
            What collects it; None leaves the file to pytest's other plug-ins.
        """
        return collector(file_path, parent, self._session)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn which scenarios are selected: they are one plan.

        Args:
            session: its items are what is left after deselection.
        """
        found = [(item.word, item.scenario) for item in session.items if isinstance(item, ScenarioItem)]
        self._session.select(found)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which scenarios of a suite the stack has not got the targets for."""
        return [f"logquake: {clipped(each)}" for each in self._session.left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a report tell a scenario's status, in whichever process it is shown.

        Args:
            item: any test, also one that is no scenario.
            call: of its set-up, its run or its tear-down; only the run has a status.
        """
        report = yield
        if call.when == "call" and isinstance(item, ScenarioItem) and item.status is not None:
            report.__dict__[MARKER] = item.status.value
        return report

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
        """Show what neither passed nor failed by its own word.

        Args:
            report: of any test; one without our marker is left to pytest.

        Returns:
            pytest's category, letter and word for it; None where pytest's own are right.
        """
        status = report.__dict__.get(MARKER)
        if status == Status.WARN.value:
            return "passed", ".", ("WARN", {"yellow": True})
        if not report.failed:
            return None
        if status == Status.INCONCLUSIVE.value:
            return "failed", "I", (status, {"red": True})
        if status in {Status.ERROR.value, Status.NOT_RUN.value}:
            return "error", "E", (status.replace("_", " "), {"red": True})
        return None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what passed with a warning, for the summary.

        Args:
            report: of any test; under xdist the main process gets those of all workers.
        """
        if report.when == "call" and report.__dict__.get(MARKER) == Status.WARN.value:
            self._report.warn(report.nodeid, dict(report.sections).get("Captured logquake call", ""))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Stop everything and write the result.

        Args:
            session: its exit status becomes that of failed tests where all passed, yet the gate says no,
                something broke around the scenarios or the result cannot be written.
        """
        result = self._session.close()
        if self._worker is not None:
            if result is not None:
                path = write_report(ResultJson(), result, self._session.folder)
                self._config.workeroutput[_RESULT] = str(path)  # type: ignore[attr-defined]  # xdist's
            return
        report = self._report
        if self._has_workers:
            if self._parts:
                gate = self._session.gate
                merged = merged_result(self._parts, gate, date.today(), self._folder.name, SUITE)
                report.write(merged, self._folder)
            (self._folder / _ROOM).unlink(missing_ok=True)
            remove_if_empty(self._folder)
        elif result is not None:
            report.write(result, self._session.folder)
        if report.problem and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the scenarios come to together, and where the scorecard is.

        Args:
            terminalreporter: pytest's own; the hook's parameter must have this name.
        """
        self._report.show(terminalreporter)

    # --- workers -----------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the session's results lie.

        Args:
            node: xdist's controller of the worker (`WorkerController`); the folder travels in its
                `workerinput`.
        """
        self._has_workers = True
        node.workerinput[_FOLDER] = str(self._folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has found out.

        Args:
            node: xdist's controller of the worker; one that crashed or ran no scenario has left no result.
        """
        path = getattr(node, "workeroutput", {}).get(_RESULT)
        if path is not None:
            folder = Path(path).parent
            self._parts.append(Part(str(folder.relative_to(self._folder)), read_result(Path(path))))

    # --- for the fixtures --------------------------------------------------------------------------------

    @contextmanager
    def running_stack(self) -> Iterator[RunningStack]:
        """Yield the stack, running on the session's services."""
        __tracebackhide__ = True
        with ExitStack() as stack:
            running: RunningStack | None = None
            problem = ""
            try:
                running = self._start_stack(stack)
            except HarnessError as error:
                problem = f"logquake_stack: {error}"
            if running is None:  # no longer within the handling of an error, which would be shown as well
                pytest.fail(problem, pytrace=False)
            yield running

    def _start_stack(self, stack: ExitStack) -> RunningStack:
        self._stacks += 1
        # One that outlasts its test would keep the machine from the scenarios of its own worker, too.
        if self._config.getini("logquake_stack_scope") == "function":
            stack.callback(self._session.leave)
            self._session.share_room()
        ground = self._session.ground()
        return stack.enter_context(running_stack(ground, self._stacks))


def _marker_lines() -> Iterator[str]:
    yield f"{MARKER}: a scenario that logquake runs"
    for word, kind in FAULTS.kinds.items():
        yield f"{marker_of(word)}: a scenario with this fault: {kind.summary}"
