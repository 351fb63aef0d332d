"""Workflows that wait for a person, and what a person says of them; nothing of them is done by the console.

What is said is durable, and taken in by the engine that coordinates the folder, such as that of `watch`: so a
page that could be asked to run a command does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from logging_system.console.board import PanelError
from logging_system.console.shown_text import ShownText
from logging_system.coordination.answers import Say
from logging_system.coordination.engine import AICoordinationEngine
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.machine import Moment, Wait, next_action
from logging_system.coordination.workflows.run import ACTIVE, Run, RunState
from logging_system.coordination.workflows.state_file import StateDamagedError
from logging_system.keys.durable_files import FileHeldError

TAKEN_SECONDS_MAX = 4.0
_PAUSE_SECONDS = 0.1
_RUNS_MAX = 40
_REJECTABLE = frozenset({RunState.WAITING, RunState.READY, *ACTIVE}) - {RunState.UNDOING}


class RefusedError(Exception):
    """An answer of a person that is of no use now: a sentence that says why."""


class Proposals:
    """The runs of one spool folder, as its engine saved them; safe for threads.

    Args:
        spool: The spool folder.
        shown: Takes secrets out of what is shown.
        clock: Seconds since 1970.
    """

    def __init__(self, spool: Path, shown: ShownText, clock: Callable[[], float] = time.time) -> None:
        self._spool = spool
        self._shown = shown
        self._clock = clock

    def read(self) -> dict[str, Any]:
        """Return the runs that are not over, those that wait for a person first, and the latest others."""
        engine = self._engine()
        runs = engine.runs()
        waiting = [each for each in runs if each.state is RunState.WAITING]
        active = [each for each in runs if not each.is_over and each.state is not RunState.WAITING]
        over = [each for each in runs if each.is_over][::-1]
        try:
            is_heard = not engine.answers_wait()
        except OSError:
            is_heard = False
        return {
            "waiting": len(waiting),
            "active": len(active),
            "are_answers_taken": is_heard,
            "runs": [self._run(each) for each in (waiting + active + over)[:_RUNS_MAX]],
        }

    def answer(self, run_id: str, say: str, author: str) -> str:
        """Say something of a run, and wait a little for the engine to take it in.

        Args:
            run_id: Which.
            say: `approve` or `reject`.
            author: Who says it.

        Returns:
            What became of it, in a sentence.

        Raises:
            RefusedError: There is no such run, or it is not in a state for that.
            PanelError: It could not be kept.
        """
        engine = self._engine()
        run = next((each for each in engine.runs() if each.id == run_id), None)
        if run is None:
            raise RefusedError("There is no such workflow any more.")
        allowed = {"approve": frozenset({RunState.WAITING}), "reject": _REJECTABLE}.get(say)
        if allowed is None:
            raise RefusedError("Say approve or reject.")
        if run.state not in allowed:
            raise RefusedError(f"It is {run.state} already: {run.why or 'somebody was faster'}.")
        try:
            engine.say(Say(say), run_id, author)
            is_taken = _is_taken(engine)
        except (OSError, FileHeldError, ValueError, KeyError) as error:
            raise PanelError(f"The answer could not be kept: {error}") from error
        word = {"approve": "Approved", "reject": "Rejected"}[say]
        if is_taken:
            return f"{word}. The engine has taken it in."
        return f"{word}, and kept. No engine took it in yet; `watch --workflows` does once it runs."

    def _engine(self) -> AICoordinationEngine:
        """Return an engine that only looks: it is never asked to coordinate."""
        try:
            return AICoordinationEngine(self._spool, Workflows(), wall_clock=self._clock)
        except (OSError, StateDamagedError, KeyError, TypeError, ValueError) as error:
            raise PanelError(f"What was proposed cannot be read: {error}") from error

    def _run(self, run: Run) -> dict[str, Any]:
        text = self._shown.text
        finding = run.finding
        action = None if run.is_over else next_action(run, Moment(self._clock()))
        steps = zip(run.workflow.steps, run.steps, strict=True)
        return {
            "id": run.id,
            "state": run.state.value,
            "is_over": run.is_over,
            "can_approve": run.state is RunState.WAITING,
            "can_reject": run.state in _REJECTABLE,
            "workflow": text(run.workflow.name, 200),
            "kind": finding.kind.value,
            "cause": finding.cause.value,
            "confidence": finding.confidence,
            "namespace": text(finding.namespace, 200),
            "summary": text(finding.summary),
            "why": text(run.why, 500),
            "chosen_by": text(run.chosen_by, 500),
            "waits": action.why if isinstance(action, Wait) else "",
            "proposed_ms": round(run.proposed_seconds * 1000),
            "expires_ms": round((run.proposed_seconds + run.workflow.expires_seconds) * 1000),
            "ended_ms": round(run.ended_seconds * 1000),
            "has_doubts": bool(run.doubts),
            "steps": [
                {
                    "state": record.state.value,
                    "says": text(step.says(finding)),
                    "note": text(record.note, 500),
                }
                for step, record in steps
            ],
        }


def _is_taken(engine: AICoordinationEngine) -> bool:
    give_up_seconds = time.monotonic() + TAKEN_SECONDS_MAX
    while engine.answers_wait():
        if time.monotonic() > give_up_seconds:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True
