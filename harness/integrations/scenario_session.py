"""The scenarios of one pytest session or worker: services once, each scenario when its test runs.

load → (make room → run → leave) a scenario → close
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from harness.cli.selection import Selection, make_request
from harness.config.gate import load_gate
from harness.config.library import Library, Sort, open_library
from harness.config.own_code import offer_code, require_startable
from harness.config.scenario import check_targets, load_scenario
from harness.config.stack import load_stack
from harness.config.suite import load_suite, scenarios_for
from harness.config.yaml_source import read_yaml
from harness.integrations.alone import Room
from harness.integrations.failure_text import failure_text, headline
from harness.integrations.interruptible import Interruptible
from harness.integrations.settings import Settings
from harness.judging.gate_rules import GateRules
from harness.judging.verdict import worst
from harness.judging.waivers import is_waived, standing
from harness.model.declarations import Scenario, Stack
from harness.model.errors import HarnessError, InterruptedRunError, ScenarioError
from harness.model.protocols import Progress, Status
from harness.model.result import Result, ScenarioResult
from harness.processes.workplace import current_folder
from harness.runs.grouping import judged_alone, why_one_at_a_time
from harness.runs.request import Request, make_plan
from harness.runs.scenario import Ground
from harness.runs.suite import SuiteRun

SUITE = "pytest"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario came to: status by the gate's waivers, one line, the full text, and its history."""

    status: Status
    headline: str
    text: str
    history: str


class ScenarioSession:
    """Loads scenario files against the session's stack, and runs those that are selected.

    Args:
        settings: what the session was told.
        room: takes care that what runs alone runs alone, among all workers.
        jobs: how many workers run tests.
        suite: what the result calls the suite.
    """

    def __init__(self, settings: Settings, room: Room, jobs: int = 1, suite: str = SUITE) -> None:
        self.settings = settings
        self._room = room
        self._jobs = jobs
        self._suite = suite
        self._here = current_folder()
        self._paths: dict[str, Path] = {}
        self._left_out: dict[str, None] = {}
        self._selected: Sequence[str] = ()
        self._signals = Interruptible()
        self._up = ExitStack()
        self._run: SuiteRun | None = None
        self._ground: Ground | None = None
        self._places: dict[str, int] = {}
        self._alone: dict[str, bool] = {}
        self._command = ""
        self._ended_by: HarnessError | None = None
        self._stack_refused = False

    # --- files -------------------------------------------------------------------------------------------

    def load(self, path: Path) -> tuple[str, Scenario]:
        """Return what a command line calls a scenario's file, and the scenario.

        Raises:
            ScenarioError: the file, or the stack's, has mistakes, or names what the stack does not have.
        """
        stack = self._checked_stack()
        word = os.path.relpath(path, self._here)
        folders = self._code_folders(stack)
        require_startable([read_yaml(Path(word))], (), folders)
        offer_code(folders)
        scenario = load_scenario(Path(word))
        if problems := check_targets(scenario, stack):
            raise ScenarioError("\n".join(problems))
        known = self._paths.setdefault(scenario.name, path.resolve())
        if known != path.resolve():
            raise ScenarioError(
                f'{word}: a scenario of the name "{scenario.name}" is in '
                f"{os.path.relpath(known, self._here)} too. "
                "Results are told by name: rename one of the two."
            )
        return word, scenario

    def load_suite(self, path: Path) -> list[tuple[str, Scenario]]:
        """Return the scenarios of a suite that the stack is examined by, as `load` does each.

        Raises:
            ScenarioError: the suite's file has mistakes, or one of the scenarios has.
        """
        names = {entry.name: entry.path for entry in self._library.entries(Sort.SCENARIO)}
        suite = load_suite(Path(os.path.relpath(path, self._here)), names)
        if not suite.where_possible:
            return [self.load(names[name]) for name in suite.scenarios]
        stack = self._checked_stack()
        offer_code(self._code_folders(stack))
        fitting, left_out = scenarios_for(
            suite, stack, lambda name: Path(os.path.relpath(names[name], self._here))
        )
        self._left_out.update(dict.fromkeys(left_out))
        return [self.load(names[name]) for name in fitting]

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for each scenario of a suite that the stack has not got the targets for."""
        return tuple(self._left_out)

    @cached_property
    def stack(self) -> Stack:
        """The stack under test; raises ScenarioError where its file has mistakes."""
        return load_stack(self._library.find(Sort.STACK, self.settings.stack).path)

    def _checked_stack(self) -> Stack:
        """Return the stack; what is wrong with its file is told in full with the first scenario alone."""
        if self._stack_refused:
            raise ScenarioError(
                f"{self.settings.stack}: the stack file cannot be used, as the first scenario file says"
            )
        try:
            return self.stack
        except HarnessError:
            self._stack_refused = True
            raise

    def _code_folders(self, stack: Stack) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((Path(stack.source).resolve().parent, self._here)))

    @cached_property
    def _library(self) -> Library:
        return open_library(self._here)

    # --- running -----------------------------------------------------------------------------------------

    def select(self, scenarios: Sequence[tuple[str, Scenario]]) -> None:
        """Take what is to be run, as `load` returned it; several tests of one scenario run it once."""
        selected = dict(scenarios)
        self._selected = tuple(selected)
        self._alone = {each.name: each.exclusive for each in judged_alone(tuple(selected.values()))}

    def make_room(self, scenario: Scenario) -> None:
        """Have the services running, and nothing beside the scenario where it runs alone.

        Raises:
            HarnessError: the run cannot begin; what keeps it from that is told once.
        """
        alone = self._alone[scenario.name] or bool(why_one_at_a_time(self.stack))
        self._room.enter(alone=alone)
        self.ground()

    def share_room(self) -> None:
        """Wait until no scenario has the machine to itself.

        Raises:
            UnavailableError: one has had it for too long.
        """
        self._room.enter(alone=bool(why_one_at_a_time(self.stack)))

    def leave(self) -> None:
        """Let others have the machine."""
        self._room.leave()

    def ground(self) -> Ground:
        """Return the services of the session, started when first asked for.

        Raises:
            HarnessError: they cannot be started, or what ended the run before.
            ScenarioError: what ended the run before.
        """
        if self._ended_by is not None:
            raise ScenarioError(f"the run had ended before: {_first_line(self._ended_by)}")
        if self._ground is None:
            try:
                self._ground = self._begin()
            except HarnessError as error:
                self._ended_by = error
                raise
        return self._ground

    def run(self, scenario: Scenario) -> Outcome:
        """Run a scenario, once however often it is asked for.

        Args:
            scenario: one of those that were selected.

        Returns:
            What came out, and where its history lies; of a run that has ended before, why it was not run.

        Raises:
            KeyboardInterrupt: a signal asked the run to end; faults are undone and the scenario is stopped.
        """
        ground, number = self.ground(), self._places[scenario.name]
        assert self._run is not None  # noqa: S101 - tells the type checker that there is ground to stand on
        if self._run.shown(number, "").status is Status.NOT_RUN:
            try:
                with self._signals:
                    self._run.examine(ground, number)
            except InterruptedRunError as error:
                raise KeyboardInterrupt from error
            except HarnessError as error:
                self._ended_by = error
        why = "" if self._ended_by is None else str(self._ended_by)
        return self._outcome(self._run.shown(number, why))

    def close(self) -> Result | None:
        """Stop all that was started, whatever happened.

        Returns:
            The result of the scenarios that were selected; None where none of them began.
        """
        if self._run is None:
            return None
        self._up.close()
        self._ground = None
        if not self._selected:
            remove_if_empty(self._run.folder)
            return None
        return self._run.result(self._ended_by)

    @property
    def folder(self) -> Path:
        """Where this session's results lie."""
        assert self._run is not None  # noqa: S101 - asked for only where something ran
        return self._run.folder

    def _begin(self) -> Ground:
        request = self._request()
        self._command = request.command
        plan = make_plan(request)
        self._places = {each.scenario.name: number for number, each in enumerate(plan.scenarios, start=1)}
        self._run = SuiteRun(plan, request, self._signals, _unwatched)
        self._run.begin()
        return self._up.enter_context(self._run.ready())

    def _request(self) -> Request:
        settings = self.settings
        if not self._selected:
            return self._bare_request()
        selection = Selection(
            self._selected, None, settings.stack, settings.backend, None, settings.seed, settings.gate
        )
        request = make_request(selection, settings.out, None, repeats_max=settings.repeats_max)
        origins = (*request.origins, *self.left_out)
        return replace(request, suite=self._suite, jobs=self._jobs, left_out=self.left_out, origins=origins)

    def _bare_request(self) -> Request:
        """Return a request for services alone, for tests that bring their own load."""
        settings, stack = self.settings, self.stack
        offer_code(self._code_folders(stack))
        return Request(
            suite=self._suite,
            scenarios=(),
            stack=stack,
            backend=settings.backend,
            seed=settings.seed,
            input_path=None,
            out=settings.out,
            command="pytest",
            gate=self.gate,
            max_minutes=None,
            today=date.today(),
            code_folders=self._code_folders(stack),
        )

    @cached_property
    def gate(self) -> GateRules:
        """The gate's rules; raises ScenarioError where its file has mistakes."""
        return GateRules() if self.settings.gate is None else load_gate(self.settings.gate)

    def _outcome(self, result: ScenarioResult) -> Outcome:
        assert self._run is not None  # noqa: S101 - a result is of a run
        waivers = standing(self.gate.waivers, date.today())
        statuses = [
            Status.WARN if is_waived(verdict, waivers) else verdict.status for verdict in result.verdicts
        ]
        status = worst(statuses) if statuses else result.status
        replay = shlex.join([result.scenario.source or result.scenario.name])
        command = f"{self._command} {replay} --seed {self.settings.seed}"
        text = failure_text(result, status, self.folder, command)
        history = os.path.relpath(self.folder / result.history, self._here) if result.history else ""
        return Outcome(status, headline(result, status), text, history)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder in which nothing was kept, and the one above it where that was all there was."""
    with suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def _unwatched(_progress: Progress) -> None:
    """Nobody watches: pytest shows the test that runs."""


def _first_line(error: HarnessError) -> str:
    return str(error).partition("\n")[0]
