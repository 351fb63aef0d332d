"""Deliberate bugs in how workflows run, put into the engine through its seams, for the simulation to find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from logging_system.coordination.claims import Claim, Claims
from logging_system.coordination.effects import Performer
from logging_system.coordination.engine import AICoordinationEngine
from logging_system.coordination.ledger import Ledger
from logging_system.coordination.progress import Progress
from logging_system.coordination.workflows.machine import Effect, Result, Succeeded
from logging_system.coordination.workflows.run import Run, RunState, StepState
from logging_system.coordination.workflows.steps.declared import DeclaredStep, Occasion


class _BegunAnewLedger(Ledger):
    """Takes a step that was intended for one that was not done."""

    def restore(self) -> None:
        super().restore()
        for run in self.runs.values():
            for place, record in enumerate(run.steps):
                if record.state is StepState.INTENDED:
                    run = run.with_step(place, replace(record, state=StepState.PENDING))  # noqa: PLW2901
            self.runs[run.id] = run


class _BegunAnewAfterCrash(AICoordinationEngine):
    _ledger_class = _BegunAnewLedger


class _ForgetfulLedger(Ledger):
    """Takes a run that was on its way back for one that has ended."""

    def restore(self) -> None:
        super().restore()
        for run in self.runs.values():
            if run.state is RunState.UNDOING:
                self.runs[run.id] = replace(run, state=run.ending)


class _ForgetsRollback(AICoordinationEngine):
    _ledger_class = _ForgetfulLedger


class _UnclaimedPerformer(Performer):
    def _claim(self, occasion: Occasion, *, undoes: bool) -> Claim | Result:
        """Does shared steps without a claim: whoever leads next does them again."""
        del occasion, undoes
        return Claim.MINE


class _Unclaimed(AICoordinationEngine):
    _performer_class = _UnclaimedPerformer


class _GreedyClaims(Claims):
    def take(self, key: str, token: int, until_seconds: float) -> Claim:
        """Takes what another engine has claimed, and did not settle, for its own."""
        claim = super().take(key, token, until_seconds)
        return Claim.MINE if claim is Claim.OTHERS else claim


class _GreedyPerformer(Performer):
    def __init__(self, documents: Any, owner: str, **others: Any) -> None:
        super().__init__(documents, owner, **others)
        if documents is not None:
            self._claims = _GreedyClaims(documents, owner)


class _Greedy(AICoordinationEngine):
    _performer_class = _GreedyPerformer


class _HastyLedger(Ledger):
    """Does not make the intention durable before the effect."""

    def save(self) -> None:
        if any(record.state is StepState.INTENDED for run in self.runs.values() for record in run.steps):
            return
        super().save()


class _ResultsLost(AICoordinationEngine):
    _ledger_class = _HastyLedger


class _ForgetfulPerformer(Performer):
    """Lets claims be removed while another engine may still ask for them."""

    _kept_seconds = 86_400.0


class _ForgetsClaims(AICoordinationEngine):
    _performer_class = _ForgetfulPerformer


class _Optimist(Performer):
    def _asked(self, step: DeclaredStep, effect: Effect, occasion: Occasion) -> Result:
        """Takes what nobody can tell for done."""
        del step, effect, occasion
        return Succeeded()


class _TakesForDone(AICoordinationEngine):
    _performer_class = _Optimist


class _EndlessProgress(Progress):
    """Never ends what holds: a finding that is over is not noticed."""

    def _moment(self, run: Run) -> Any:
        moment = super()._moment(run)
        if run.state is RunState.HOLDING:
            return replace(moment, is_over=False, now_seconds=run.held_seconds)
        return moment


class _HoldsForEver(AICoordinationEngine):
    _progress_class = _EndlessProgress


BUGS: dict[str, type[AICoordinationEngine]] = {
    "begins a step anew after a crash": _BegunAnewAfterCrash,
    "forgets a rollback in a crash": _ForgetsRollback,
    "does shared steps without a claim": _Unclaimed,
    "takes over an unsettled claim": _Greedy,
    "makes no intention durable": _ResultsLost,
    "forgets claims too early": _ForgetsClaims,
    "takes a doubtful undo for done": _TakesForDone,
    "holds for ever": _HoldsForEver,
}
FOUND_BY = {
    "begins a step anew after a crash": 2,
    "forgets a rollback in a crash": 0,
    "does shared steps without a claim": 48,
    "takes over an unsettled claim": 54,
    "makes no intention durable": 2,
    "forgets claims too early": 2,
    "takes a doubtful undo for done": 13,
    "holds for ever": 0,
}
"""The first seed that finds each."""
