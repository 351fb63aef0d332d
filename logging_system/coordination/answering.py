"""What an answer of a person makes of a run, and says of its workflow; no input or output."""

from __future__ import annotations

from dataclasses import replace

from logging_system.coordination.answers import Answer, Say
from logging_system.coordination.workflows.machine import answered, undo
from logging_system.coordination.workflows.run import ACTIVE, Run, RunState, StepState

OPINIONS = {Say.APPROVE: True, Say.YES: True, Say.REJECT: False, Say.NO: False}
"""What an answer says of whether a workflow helps."""


def after_answer(run: Run, answer: Answer, now_seconds: float) -> Run | None:
    """Return a run after an answer; None where the answer is of no use to it."""
    match answer.say:
        case Say.APPROVE:
            return replace(run, state=RunState.READY) if run.state is RunState.WAITING else None
        case Say.REJECT:
            return _rejected(run, now_seconds)
        case Say.DONE | Say.NOT_DONE:
            if not run.doubts:
                return None
            return answered(run, run.doubts[0], answer.say is Say.DONE, now_seconds)
        case _:
            return run


def _rejected(run: Run, now_seconds: float) -> Run | None:
    """Return a run that a person rejects; None where there is nothing left to reject."""
    if run.state in {RunState.WAITING, RunState.READY}:
        return replace(run, state=RunState.REJECTED, why="a person rejected it", ended_seconds=now_seconds)
    undoable = any(
        record.state is StepState.DONE and step.is_undoable
        for record, step in zip(run.steps, run.workflow.steps, strict=True)
    )
    if run.state in ACTIVE - {RunState.UNDOING} or (run.state is RunState.DONE and undoable):
        return undo(run, RunState.REJECTED, "a person rejected it", now_seconds).run
    return None
