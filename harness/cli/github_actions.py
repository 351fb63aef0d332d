"""What a run tells GitHub Actions beside its files: the step's summary, its outputs, and annotations.

All of it is an extra: what cannot be told is noted, and never changes what the run found.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.cli.output import note
from harness.cli.runner_streams import instruct
from harness.config.library import Library, Sort
from harness.config.yaml_source import Source, read_yaml
from harness.model.errors import HarnessError
from harness.model.result import Result, ScenarioResult
from harness.reporting.annotations import Place, worst_annotations
from harness.reporting.scorecard_words import score_words
from harness.reporting.step_summary import BYTES_MAX, fitted


def tell_github(result: Result, reports: Mapping[str, Path], places: Places) -> None:
    """Write the step's summary and its outputs, and print the annotations; nothing outside of GitHub Actions.

    Args:
        result: of the run.
        reports: where each report was written, by its word.
        places: where objectives stand in files of the repository.
    """
    if os.environ.get("GITHUB_ACTIONS", "").lower() != "true":
        return
    try:
        _append_summary(reports["markdown"])
        _append_outputs(
            {
                "score": score_words(result.score).replace("\N{EN DASH}", "to"),
                "decision": result.gate.status.value,
                "report": str(reports["json"].parent),
                "scorecard": str(reports["html"]),
            }
        )
        instruct(worst_annotations(result, places.find))
    except OSError as error:
        note(f"logquake: GitHub was not told everything: {error}")


def _append_summary(scorecard: Path) -> None:
    if not (name := os.environ.get("GITHUB_STEP_SUMMARY")):
        return
    summary = Path(name)
    there = summary.stat().st_size if summary.exists() else 0
    text = fitted(scorecard.read_text(encoding="utf-8"), BYTES_MAX - there - 1, scorecard.name)
    if not text:
        note("logquake: the step's summary is full; the scorecard is not in it")
        return
    with summary.open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")


def _append_outputs(outputs: Mapping[str, str]) -> None:
    """Write the outputs in the form for values of any lines, each between two lines that nobody can guess."""
    if not (name := os.environ.get("GITHUB_OUTPUT")):
        return
    end = f"end-{secrets.token_hex(16)}"
    with Path(name).open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{key}<<{end}\n{value}\n{end}\n" for key, value in outputs.items())


@dataclass(frozen=True)
class Places:
    """Finds the line of an objective in a scenario's file, or else the stack's file, in the repository.

    Args:
        library: where scenarios are found by their names.
        stack_file: the stack's file; empty where it is not known.
        repository: the folder that a build has checked out; what lies elsewhere has no place.
    """

    library: Library
    stack_file: str
    repository: Path
    _read: dict[Path, Source | None] = field(default_factory=dict)

    def find(self, one: ScenarioResult, objective: str) -> Place | None:
        """Return the place of an objective of a scenario; None where no file in the repository has it."""
        try:
            path = self.library.find(Sort.SCENARIO, one.scenario.source or one.scenario.name).path
        except HarnessError:
            path = None
        return self._in_scenario(path, objective) or self._in_stack()

    def _in_scenario(self, path: Path | None, objective: str) -> Place | None:
        source = None if path is None else self._source(path)
        if path is None or source is None:
            return None
        checks = source.data.get("checks")
        for place, check in enumerate(checks if isinstance(checks, list) else ()):
            word = check.get("check") if isinstance(check, dict) else check
            if word == objective:
                return self._place(path, source.line(("checks", place)))
        return self._place(path, source.line(("checks",)))

    def _in_stack(self) -> Place | None:
        path = Path(self.stack_file)
        source = self._source(path) if self.stack_file else None
        return None if source is None else self._place(path, source.line(("promises",)))

    def _source(self, path: Path) -> Source | None:
        if path not in self._read:
            try:
                self._read[path] = read_yaml(path)
            except HarnessError:
                self._read[path] = None
        return self._read[path]

    def _place(self, path: Path, line: int) -> Place | None:
        whole = path.resolve()
        if not whole.is_relative_to(self.repository.resolve()):
            return None
        return Place(str(whole.relative_to(self.repository.resolve())), line)


def checked_out_folder(here: Path) -> Path:
    """Return the folder that the build has checked out the repository into."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or here)
