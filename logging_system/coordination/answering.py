"""What an answer of a person makes of a run, and says of its workflow; and how answers are taken."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from logging_system.coordination.answers import Answer, Answers, Say
from logging_system.coordination.deciding import Decisions, episode_id
from logging_system.coordination.finding_content import finding_of
from logging_system.coordination.findings import CauseClass
from logging_system.coordination.ledger import Ledger
from logging_system.coordination.workflows.machine import answered, undo
from logging_system.coordination.workflows.run import ACTIVE, Run, RunState, StepState
from logging_system.keys.durable_files import FileHeldError

OPINIONS = {Say.APPROVE: True, Say.YES: True, Say.REJECT: False, Say.NO: False}
"""What an answer says of whether a workflow helps."""


def _after_answer(run: Run, answer: Answer, now_seconds: float) -> Run | None:
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


class AnswersTaken:
    """Takes the answers that wait, each once.

    Args:
        ledger: What is known.
        answers: The file of answers.
        decisions: Takes in findings that a person hands in.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self, ledger: Ledger, answers: Answers, decisions: Decisions, wall_clock: Callable[[], float]
    ) -> None:
        self._ledger, self._answers, self._decisions = ledger, answers, decisions
        self._wall_clock = wall_clock

    def take(self) -> None:
        """Take all; where they cannot be read, at the next look.

        Raises:
            OSError: The disk refused what they change.
            AuditError: Somebody else changed the audit.
        """
        try:
            waiting = self._answers.waiting()
        except OSError:
            return
        fresh = [each for each in waiting if each.id not in self._ledger.answered]
        for answer in fresh:
            self._take(answer)
            self._ledger.answer_taken(answer.id)
        if fresh:
            self._ledger.save()
        if waiting:
            with contextlib.suppress(OSError, FileHeldError):  # they are known by their ids
                self._answers.remove(frozenset(each.id for each in waiting))

    def _take(self, answer: Answer) -> None:
        said = {"author": answer.author, **answer.details}
        if answer.say is Say.FINDING:
            with contextlib.suppress(ValueError):
                self._decisions.take_in(finding_of(answer.details.get("finding"), "answer"))
            return
        if answer.say is Say.RESET:
            namespace, cause = answer.details.get("namespace"), answer.details.get("cause")
            self._ledger.outcomes.reset(namespace, cause)
            self._ledger.note("reset", "", said)
            return
        run = self._ledger.runs.get(answer.run)
        if run is None:
            self._ledger.note("unknown_run", answer.run, {"say": answer.say.value, **said})
            return
        self._answer_run(run, answer, said)

    def _answer_run(self, run: Run, answer: Answer, said: Mapping[str, Any]) -> None:
        says_not_it = answer.say is Say.NOT_IT or bool(answer.details.get("not_it"))
        changed = _after_answer(run, answer, self._wall_clock())
        if changed is None:
            self._ledger.note("no_use", run.id, {"say": answer.say.value, "state": run.state.value, **said})
            return
        helped = OPINIONS.get(answer.say)
        if says_not_it:
            self._not_it(run, answer.details.get("cause"))
        elif helped is not None:
            self._ledger.outcomes.say(
                run.finding.namespace, run.finding.cause.value, run.workflow.name, helped=helped
            )
        self._ledger.put(changed, answer.say.value, said)

    def _not_it(self, run: Run, cause: object) -> None:
        right = cause if isinstance(cause, str) and cause in {each.value for each in CauseClass} else None
        self._ledger.outcomes.not_it(
            episode_id(run.finding), run.finding.namespace, run.finding.cause.value, run.workflow.name, right
        )
