"""What a finding leads to: a proposal or a run when it begins, something learned when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from logging_system.coordination.choosing import chosen
from logging_system.coordination.claims import step_key
from logging_system.coordination.finding_content import content_of
from logging_system.coordination.findings import Finding
from logging_system.coordination.ledger import OPEN_MAX, Ledger
from logging_system.coordination.outcomes.memory import NOTHING
from logging_system.coordination.workflows.declaration import Workflows
from logging_system.coordination.workflows.run import RunState, proposed
from logging_system.keys.audit_log import AuditError

_PROPOSALS_MAX = 200
_OPEN_SECONDS_MAX = 7 * 86_400.0
"""A finding of which nobody spoke for so long is taken for over."""


class Decisions:
    """Takes findings in.

    Args:
        ledger: What is known.
        workflows: What is declared.
        wall_clock: Seconds since 1970.
        is_sealed: Whether what is logged must lie nowhere in plain.
    """

    def __init__(
        self,
        ledger: Ledger,
        workflows: Workflows,
        wall_clock: Callable[[], float],
        *,
        is_sealed: bool = False,
    ) -> None:
        self._ledger, self._workflows, self._wall_clock = ledger, workflows, wall_clock
        self._is_sealed = is_sealed

    def kept(self, finding: Finding) -> Finding:
        """Return a finding as it may be kept: without example lines where the spool is sealed."""
        return replace(finding, examples=()) if self._is_sealed else finding

    def take_in(self, finding: Finding) -> None:
        """Take in that a finding began, what it is now, or that it is over; durable on return.

        Raises:
            OSError: The disk refused; the finding is to be told again.
            AuditError: Somebody else changed the audit.
        """
        ledger, finding = self._ledger, self.kept(finding)
        if finding.until_seconds is not None:
            self.is_over(finding)
        elif finding.finding_id not in ledger.open:
            self._begin(finding)
        elif ledger.open[finding.finding_id] != finding:
            ledger.open[finding.finding_id] = finding
            ledger.changed()
        if finding.finding_id in ledger.open:
            ledger.told[finding.finding_id] = self._wall_clock()
        ledger.save()

    def end_forgotten(self, now_seconds: float) -> None:
        """Take findings for over of which nobody spoke for a week; raises as `take_in`.

        Args:
            now_seconds: Seconds since 1970. A finding ends when it was last spoken of.
        """
        ledger = self._ledger
        for finding in list(ledger.open.values()):
            told_seconds = ledger.told.setdefault(finding.finding_id, now_seconds)
            if now_seconds - told_seconds > _OPEN_SECONDS_MAX:
                self.is_over(replace(finding, until_seconds=told_seconds))

    def is_over(self, finding: Finding) -> None:
        """Learn from a finding that is over how long recovery took; raises as `take_in`."""
        ledger = self._ledger
        if ledger.open.pop(finding.finding_id, None) is None:
            return
        ledger.changed()
        ledger.told.pop(finding.finding_id, None)
        ran = next(
            (
                each.workflow.name
                for each in reversed(ledger.runs.values())
                if each.finding.finding_id == finding.finding_id and each.started_seconds
            ),
            NOTHING,
        )
        seconds = ledger.episodes.ended(finding, self._wall_clock())
        if seconds is None:
            return
        ledger.outcomes.note(episode_id(finding), finding.namespace, finding.cause.value, ran, seconds)
        details = {"finding": finding.finding_id, "recovery_seconds": round(seconds, 3), "workflow": ran}
        ledger.note("finding_over", "", details)

    def _begin(self, finding: Finding) -> None:
        ledger = self._ledger
        if len(ledger.open) >= OPEN_MAX:
            self._not_run(finding, f"{OPEN_MAX} findings last already")
            return
        runs = dict(ledger.runs)
        ledger.open[finding.finding_id] = finding
        try:
            ledger.episodes.began(finding, self._wall_clock())
            self._decide(finding)
            ledger.changed()
            ledger.save()
        except (OSError, AuditError):
            # It is told again, and must be new then.
            del ledger.open[finding.finding_id]
            ledger.runs = runs
            raise

    def _decide(self, finding: Finding) -> None:
        ledger, fitting = self._ledger, self._workflows.fitting(finding)
        if not fitting:
            return
        automatic = [each for each in fitting if self._workflows.is_automatic(each, finding)]
        workflow, why = chosen(
            finding,
            automatic or fitting,
            self._workflows.learning,
            ledger.outcomes,
            is_automatic=bool(automatic),
        )
        if workflow is None:
            self._not_run(finding, why)
            return
        waiting = sum(each.state is RunState.WAITING for each in ledger.runs.values())
        if waiting >= _PROPOSALS_MAX:
            self._not_run(finding, f"{waiting} proposals wait")
            return
        number = ledger.episodes.next_number(workflow.name, finding.finding_id)
        run_id = step_key(workflow.name, finding.finding_id, number, 0, undoes=False)[:8]
        while run_id in ledger.runs:
            run_id += "x"
        run = replace(
            proposed(run_id, number, workflow, finding, self._wall_clock()),
            state=RunState.READY if automatic else RunState.WAITING,
            is_automatic=bool(automatic),
            chosen_by=why,
        )
        details = {"workflow": workflow.name, "finding": content_of(finding), "chosen_by": why}
        ledger.put(run, "allowed" if automatic else "proposed", details)

    def _not_run(self, finding: Finding, why: str) -> None:
        self._ledger.note("not_run", "", {"finding": finding.finding_id, "why": why})


def episode_id(finding: Finding) -> str:
    """Return under which id a finding's outcome is counted once."""
    return f"{finding.finding_id}@{finding.since_seconds:.3f}"
