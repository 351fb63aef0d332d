"""What the file of workflows may say."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from logging_system.coordination.findings import CauseClass, Finding, FindingKind
from logging_system.coordination.workflows.steps import Step

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,49}$"
NOTHING = "nothing"
"""The name of the choice to run no workflow."""
_WORKFLOWS_MAX = 100
_STEPS_MAX = 20
_DAY_SECONDS = 86_400.0
_Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Range(_Declared):
    """What a number must be within."""

    min: float | None = Field(None, description="The least.")
    max: float | None = Field(None, description="The most.")

    @model_validator(mode="after")
    def _says_something(self) -> Range:
        if self.min is None and self.max is None:
            raise ValueError("say min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self

    def holds(self, value: float | None) -> bool:
        """Whether a number is within, both ends included.

        Args:
            value: The number; None, for one that the finding does not have, is not within.
        """
        if value is None:
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


class When(_Declared):
    """Which findings; each line narrows it."""

    kinds: tuple[FindingKind, ...] = Field((), description="What changed: one of these. Default: anything.")
    causes: tuple[CauseClass, ...] = Field((), description="The class of cause: one of these. Default: any.")
    namespaces: tuple[str, ...] = Field(
        (), description="Whose records show it: one of these, with `*` for any text. Default: any."
    )
    subjects: tuple[str, ...] = Field(
        (), description="What it is about: one of these, with `*` for any text. Default: anything."
    )
    confidence_min: float = Field(0.0, ge=0, le=1, description="How sure the finding is at least.")
    measures: dict[str, Range] = Field(
        {}, description="Numbers of the finding by name, each with `min`, `max` or both."
    )

    def why_not(self, finding: Finding) -> str:
        """Return why a finding is not meant; empty where it is."""
        return next(self._reasons(finding), "")

    def _reasons(self, finding: Finding) -> Iterator[str]:
        if self.kinds and finding.kind not in self.kinds:
            yield f"kind is {finding.kind}, not {_any_of(self.kinds)}"
        if self.causes and finding.cause not in self.causes:
            yield f"cause is {finding.cause}, not {_any_of(self.causes)}"
        if self.namespaces and not _fits(finding.namespace, self.namespaces):
            yield f"namespace is {finding.namespace or 'none'}, not {_any_of(self.namespaces)}"
        if self.subjects and not _fits(finding.subject, self.subjects):
            yield f"subject is {finding.subject or 'none'}, not {_any_of(self.subjects)}"
        if finding.confidence < self.confidence_min:
            yield f"confidence is {finding.confidence:.2f}; {self.confidence_min:.2f} needed"
        for name, needed in self.measures.items():
            value = finding.measures.get(name)
            if not needed.holds(value):
                yield f"{name} is {'not known' if value is None else format(value, 'g')}"


class Workflow(_Declared):
    """Steps that are taken in order for a finding; those that change something are undone in reverse."""

    name: _Name = Field(description="Its name: lower case letters, digits and `_`.")
    when: When = Field(When(), description="Which findings it is for.")
    steps: tuple[Step, ...] = Field(
        min_length=1, max_length=_STEPS_MAX, description="What is done, in order, see below."
    )
    until_over: bool = Field(
        False, description="Whether all is undone when the finding is over, or after `hold_seconds`."
    )
    hold_seconds: float = Field(
        3600.0, gt=0, le=_DAY_SECONDS, description="With `until_over`: how long it holds at most."
    )
    timeout_seconds: float = Field(
        300.0,
        gt=0,
        le=_DAY_SECONDS,
        description="Longest time for all steps; what was done is undone beyond.",
    )
    expires_seconds: float = Field(
        _DAY_SECONDS,
        gt=0,
        le=7 * _DAY_SECONDS,
        description="How long a proposal waits for a person, and what was approved for room.",
    )

    @model_validator(mode="after")
    def _is_no_choice(self) -> Workflow:
        if self.name == NOTHING:
            raise ValueError(f"name: {NOTHING} is the choice to run no workflow; take another")
        return self

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return what its steps change."""
        return tuple(dict.fromkeys(each for step in self.steps for each in step.touches(finding)))


class Automatic(_Declared):
    """Lets a workflow run without a person, for some findings."""

    workflow: _Name = Field(description="Which one.")
    when: When = Field(When(), description="For which findings, of those that the workflow is for.")


class BlastRadius(_Declared):
    """How much may be changed at once, and how often."""

    runs_per_hour: int = Field(4, ge=0, le=1_000, description="Runs begun within any hour.")
    runs_at_once: int = Field(3, ge=1, le=100, description="Runs that have begun and are not over.")
    loggers_max: int = Field(
        3, ge=0, le=100, description="Loggers whose level or sampling is changed at once."
    )
    namespaces_max: int = Field(2, ge=1, le=1_000, description="Namespaces that have runs at once.")


class Learning(_Declared):
    """How the choice among several workflows for one finding is learned, see `coordination explain`."""

    enabled: bool = Field(
        True,
        description="Whether one is chosen by measured recovery times; the first of the file is otherwise.",
    )
    may_do_nothing: bool = Field(
        True, description="Whether running no workflow is a choice too, once it was measured."
    )


class Workflows(_Declared):
    """The whole file."""

    workflows: tuple[Workflow, ...] = Field(
        (), max_length=_WORKFLOWS_MAX, description="Workflows; each is proposed to a person by default."
    )
    automatic: tuple[Automatic, ...] = Field((), description="What may run without a person.")
    limits: BlastRadius = Field(BlastRadius(), description="Bounds of all runs together.")
    learning: Learning = Field(Learning(), description="How the choice among workflows is learned.")

    @model_validator(mode="after")
    def _names_fit(self) -> Workflows:
        names = [each.name for each in self.workflows]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two workflows are named {twice[0]}; give each a name of its own")
        for each in self.automatic:
            if each.workflow not in names:
                raise ValueError(f'automatic: no workflow "{each.workflow}"; there are {", ".join(names)}')
        return self

    def named(self, name: str) -> Workflow | None:
        """Return the workflow of a name; None where it is not declared any more."""
        return next((each for each in self.workflows if each.name == name), None)

    def fitting(self, finding: Finding) -> list[Workflow]:
        """Return the workflows that are for a finding, and whose steps can be done for it."""
        return [
            each
            for each in self.workflows
            if not each.when.why_not(finding) and not any(step.trouble(finding) for step in each.steps)
        ]

    def is_automatic(self, workflow: Workflow, finding: Finding) -> bool:
        """Whether a rule lets a workflow run for a finding without a person."""
        return any(
            each.workflow == workflow.name and not each.when.why_not(finding) for each in self.automatic
        )


def _fits(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


def _any_of(words: Sequence[str]) -> str:
    return " or ".join(str(each) for each in words)
