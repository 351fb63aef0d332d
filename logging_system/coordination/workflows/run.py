"""One run of a workflow: what it is about, how far it is, and its form in the state file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from logging_system.coordination.finding_content import content_of, finding_of
from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.declaration import Workflow

_TEXT_CHARACTERS_MAX = 500


class RunState(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    """It is a proposal, and waits for a person."""
    READY = "ready"
    """It is allowed, and waits for room among the others."""
    RUNNING = "running"
    HOLDING = "holding"
    """All steps are done, and hold until the finding is over."""
    UNDOING = "undoing"
    DONE = "done"
    FAILED = "failed"
    """A step failed or took too long; what was done before it was undone."""
    REJECTED = "rejected"
    EXPIRED = "expired"


ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.REJECTED, RunState.EXPIRED})
ACTIVE = frozenset({RunState.RUNNING, RunState.HOLDING, RunState.UNDOING})
"""States in which a run may have changed something, so that others keep away from what it touches."""


class StepState(StrEnum):
    """Where a step is."""

    PENDING = "pending"
    INTENDED = "intended"
    """It was about to be done; whether it was is not known unless its result is."""
    DONE = "done"
    FAILED = "failed"
    """It was not done."""
    BROKEN = "broken"
    """A local step was not done, or not wholly: what there is of it is undone."""
    IN_DOUBT = "in_doubt"
    """Nobody knows but a person whether it was done."""
    UNDO_INTENDED = "undo_intended"
    UNDO_IN_DOUBT = "undo_in_doubt"
    UNDONE = "undone"
    KEPT = "kept"
    """It is done, and there is nothing that undoes it."""
    ABANDONED = "abandoned"
    """No person said in time whether it was done."""


DOUBTS = frozenset({StepState.IN_DOUBT, StepState.UNDO_IN_DOUBT})


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What is known of a step of a run.

    Attributes:
        state: Where it is.
        token: The fencing token it was intended with.
        memo: What was noted before its effect.
        note: The last thing that happened, in a sentence.
        attempts: How often it was tried to be undone, or asked about.
        due_seconds: When it may be tried again, seconds since 1970.
        changed_seconds: When its state changed last, seconds since 1970.
    """

    state: StepState = StepState.PENDING
    token: int = 0
    memo: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    attempts: int = 0
    due_seconds: float = 0.0
    changed_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run.

    Attributes:
        id: Which.
        number: How many runs of the workflow there were for the finding before it.
        workflow: The workflow as it was declared when it was proposed: a file that is changed meanwhile
            changes no run.
        finding: The finding as it was then.
        state: Where it is.
        steps: Its steps, in order.
        is_automatic: Whether a rule allowed it.
        proposed_seconds: When, seconds since 1970; the same for the following, 0 for not yet.
        started_seconds: When its first step might begin.
        held_seconds: When all steps were done.
        undoing_seconds: When undoing began.
        ended_seconds: When it ended.
        ending: Where undoing leads.
        why: Why it is where it is, in a sentence.
        chosen_by: Why this workflow and no other, in a sentence.
    """

    id: str
    number: int
    workflow: Workflow
    finding: Finding
    state: RunState
    steps: tuple[StepRecord, ...]
    is_automatic: bool = False
    proposed_seconds: float = 0.0
    started_seconds: float = 0.0
    held_seconds: float = 0.0
    undoing_seconds: float = 0.0
    ended_seconds: float = 0.0
    ending: RunState = RunState.DONE
    why: str = ""
    chosen_by: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDED

    @property
    def doubts(self) -> list[int]:
        """Return the numbers of the steps that a person must say something about."""
        return [place for place, each in enumerate(self.steps) if each.state in DOUBTS]

    def touches(self) -> tuple[str, ...]:
        """Return what it changes."""
        return self.workflow.touches(self.finding)

    def with_step(self, place: int, record: StepRecord) -> Run:
        """Return it with another record of a step.

        Args:
            place: Which step, from 0.
            record: The record; its note is cut after 500 characters.
        """
        note = record.note[:_TEXT_CHARACTERS_MAX]
        return replace(
            self, steps=(*self.steps[:place], replace(record, note=note), *self.steps[place + 1 :])
        )

    def content(self) -> dict[str, Any]:
        """Return its form in the state file."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "workflow": self.workflow.model_dump(mode="json"),
            "finding": content_of(self.finding),
            "steps": [{**asdict(each), "memo": dict(each.memo)} for each in self.steps],
        }


_PLAIN = (
    "id",
    "number",
    "state",
    "is_automatic",
    "proposed_seconds",
    "started_seconds",
    "held_seconds",
    "undoing_seconds",
    "ended_seconds",
    "ending",
    "why",
    "chosen_by",
)


def run_of(content: Mapping[str, Any]) -> Run:
    """Return the run of its form in the state file.

    Args:
        content: What `Run.content` returned, as JSON gives it back.

    Raises:
        ValueError: It is none.
        KeyError: A part is missing.
        TypeError: A part has the wrong form.
    """
    plain = {name: content[name] for name in _PLAIN}
    return Run(
        **{**plain, "state": RunState(plain["state"]), "ending": RunState(plain["ending"])},
        workflow=Workflow.model_validate(content["workflow"]),
        finding=finding_of(content["finding"], "state"),
        steps=tuple(StepRecord(**{**each, "state": StepState(each["state"])}) for each in content["steps"]),
    )


def proposed(run_id: str, number: int, workflow: Workflow, finding: Finding, now_seconds: float) -> Run:
    """Return a new run, which waits for a person; none of its steps is begun.

    Args:
        run_id: What it is called, among all runs of the ledger.
        number: How many runs of the workflow there were for the finding before it.
        workflow: The workflow, as it is declared now.
        finding: The finding, as it is now.
        now_seconds: Seconds since 1970.
    """
    return Run(
        run_id,
        number,
        workflow,
        finding,
        RunState.WAITING,
        tuple(StepRecord() for _ in workflow.steps),
        proposed_seconds=now_seconds,
    )
