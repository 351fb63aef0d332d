"""Takes runs on, step by step: intention, effect, result, each durable before what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from logging_system.coordination.claims import step_key
from logging_system.coordination.effects import LEAD_WANTED, Performer
from logging_system.coordination.ledger import Ledger
from logging_system.coordination.workflows.declaration import BlastRadius
from logging_system.coordination.workflows.limits import why_no_room
from logging_system.coordination.workflows.machine import (
    Effect,
    Moment,
    Move,
    Wait,
    intended,
    next_action,
    settled,
)
from logging_system.coordination.workflows.run import Run, RunState
from logging_system.coordination.workflows.steps.declared import Effects, Occasion
from logging_system.keys.audit_log import AuditError
from logging_system.spool.disk import Disk

_ACTIONS_MAX = 200
"""Of one run in one look; what is left is done in the next one."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What steps are done with.

    Attributes:
        spool: The spool folder.
        folder: The folder of coordination in it.
        effects: What steps need of the rest of the system.
        disk: The system calls.
        wall_clock: Seconds since 1970.
    """

    spool: Path
    folder: Path
    effects: Effects
    disk: Disk
    wall_clock: Callable[[], float]


class Progress:
    """Goes on with runs.

    Args:
        ledger: What is known.
        limits: Bounds of all runs together.
        surroundings: What steps are done with.
        performer: Returns who does them.

    Attributes:
        waits: What a run waits for, in a sentence, by its id.
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: BlastRadius,
        surroundings: Surroundings,
        performer: Callable[[], Performer],
    ) -> None:
        self._ledger, self._limits = ledger, limits
        self._surroundings, self._performer = surroundings, performer
        self.waits: dict[str, str] = {}

    def go_on(self, run_id: str) -> None:
        """Take a run as far as it goes now.

        Args:
            run_id: One of the ledger's runs. Where it has to wait, `waits` says for what.

        Raises:
            OSError: The disk refused; what was not durable is not done.
            AuditError: Somebody else changed the audit.
        """
        for _ in range(_ACTIONS_MAX):
            run = self._ledger.runs[run_id]
            if run.is_over:
                self.waits.pop(run_id, None)
                return
            action = next_action(run, self._moment(run))
            if isinstance(action, Wait):
                self.waits[run_id] = action.why
                return
            if isinstance(action, Move):
                self._put(action.run, action.what, {"why": action.run.why} if action.run.why else {})
            elif not self._perform(run, action):
                return

    def save(self) -> None:
        """Make what changed durable, what is still to be said of claims with it; raises OSError."""
        performer = self._performer()
        if performer.is_changed:
            self._ledger.unsettled = performer.content()
            self._ledger.changed()
            performer.is_changed = False
        self._ledger.save()

    def _put(self, run: Run, what: str, details: Mapping[str, Any]) -> None:
        self._ledger.put(run, what, details)
        self.save()

    def _moment(self, run: Run) -> Moment:
        now_seconds = self._surroundings.wall_clock()
        no_room = ""
        if run.state is RunState.READY:
            no_room = why_no_room(run, list(self._ledger.runs.values()), self._limits, now_seconds)
        return Moment(
            now_seconds,
            is_over=run.finding.finding_id not in self._ledger.open,
            has_room=no_room,
            no_lead=self._performer().why_no_lead(),
        )

    def _perform(self, run: Run, effect: Effect) -> bool:
        """Do, undo or ask about a step; return whether there may be more to do at once."""
        performer, step = self._performer(), run.workflow.steps[effect.place]
        token = 0
        if not step.is_local and not effect.asks:
            token = performer.token(step.timeout_seconds)
            if not token:
                self.waits[run.id] = LEAD_WANTED
                return False
        occasion = self._occasion(run, effect, token)
        details = {"step": effect.place + 1, "kind": step.kind, "undoes": effect.undoes}
        if not effect.asks:
            memo = performer.memo(step, effect, occasion)
            if not isinstance(memo, dict):
                self._settle(run, effect, memo, details)
                return True
            run = self._intend(run, effect, memo, occasion, details)
            occasion = replace(occasion, memo=run.steps[effect.place].memo)
        result = performer.perform(step, effect, occasion)
        self._settle(run, effect, result, details)
        return True

    def _intend(
        self,
        run: Run,
        effect: Effect,
        memo: dict[str, Any],
        occasion: Occasion,
        details: Mapping[str, Any],
    ) -> Run:
        """Make durable that an effect is about to be."""
        to_be = intended(run, effect, occasion.token, memo, occasion.now_seconds)
        try:
            self._put(to_be, "intended", {**details, "key": occasion.key, "token": occasion.token})
        except (OSError, AuditError):
            self._ledger.runs[run.id] = run  # nothing was done
            self._ledger.changed()
            raise
        return to_be

    def _settle(self, run: Run, effect: Effect, result: Any, details: Mapping[str, Any]) -> None:
        run = settled(run, effect, result, self._surroundings.wall_clock())
        record = run.steps[effect.place]
        self._put(run, str(record.state), {**details, "note": record.note} if record.note else details)

    def _occasion(self, run: Run, effect: Effect, token: int) -> Occasion:
        # A local order is given and taken back under one name.
        undoes = effect.undoes and not run.workflow.steps[effect.place].is_local
        around = self._surroundings
        return Occasion(
            run_id=run.id,
            key=step_key(run.workflow.name, run.finding.finding_id, run.number, effect.place, undoes=undoes),
            token=token,
            finding=run.finding,
            now_seconds=around.wall_clock(),
            spool=around.spool,
            folder=around.folder,
            effects=around.effects,
            memo=run.steps[effect.place].memo,
            disk=around.disk,
        )
