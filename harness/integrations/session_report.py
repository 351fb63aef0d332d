"""What the scenarios of a pytest session come to: the files of a run, and a few lines below the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.judging.points import hundredths, interval
from harness.judging.wording import count
from harness.model.protocols import Status
from harness.model.result import Result
from harness.reporting.escaping import clipped
from harness.reporting.every_report import write_every_report
from harness.reporting.scorecard_words import count_by_status, status_word

_REASONS_MAX = 10
_NOT_GATED = " (shown only; --logquake-gate FILE enforces it)"
_PASSING = (Status.PASS, Status.WARN)


class SessionReport:
    """Writes and shows a session's result.

    Args:
        gated: whether the user named a gate file: then its decision counts like a test's.

    Attributes:
        problem: why the session must not pass though all tests did; empty where it may.
    """

    def __init__(self, gated: bool) -> None:
        self.problem = ""
        self._gated = gated
        self._result: Result | None = None
        self._scorecard: Path | None = None
        self._warnings: list[tuple[str, str]] = []

    def warn(self, test: str, text: str) -> None:
        """Take what is to be said of a test that passed with a warning.

        Args:
            test: its node id.
            text: some lines, as they are shown below all tests.
        """
        self._warnings.append((test, text))

    def write(self, result: Result, folder: Path) -> None:
        """Write every form of the result into a folder."""
        self._result = result
        if self._gated and result.gate.status not in _PASSING:
            self.problem = f"the gate says {status_word(result.gate.status)}"
        if result.broke:
            self.problem = "something broke around the scenarios"
        try:
            paths = write_every_report(result, folder)
        except OSError as error:
            self.problem = f"{folder}: the result cannot be written: {error.strerror}; free space there"
            return
        self._scorecard = paths["html"]

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Say what came out and where the scorecard is; nothing where no scenario ran.

        Args:
            terminal: where pytest writes its summary.
        """
        if self._result is None:
            return
        terminal.section("logquake")
        for test, text in self._warnings:
            terminal.line(test, yellow=True)
            terminal.line(text)
        for line in self._lines(self._result):
            terminal.line(line)
        if self.problem:
            terminal.line(clipped(self.problem), red=True)

    def _lines(self, result: Result) -> list[str]:
        statuses = count_by_status([one.status for one in result.scenarios])
        score = result.score
        points = interval(hundredths(score.low), hundredths(score.high))
        scored = "score withheld: a veto stands" if score.vetoes else f"score {points} of 100"
        reasons = result.gate.reasons[:_REASONS_MAX] if result.gate.status not in _PASSING else ()
        said = [
            f"{count(len(result.scenarios), 'scenario')}: {statuses}; {scored}",
            f"gate: {status_word(result.gate.status)}{'' if self._gated else _NOT_GATED}",
            *(f"  {clipped(reason)}" for reason in reasons),
            *(f"broke: {clipped(what)}" for what in result.broke),
        ]
        if self._scorecard is not None:
            said.append(f"scorecard: {os.path.relpath(self._scorecard)}")
        return said
