"""What workflows would do for a finding, without doing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.declaration import Workflow, Workflows
from logging_system.coordination.workflows.limits import why_no_room
from logging_system.coordination.workflows.run import Run, proposed


@dataclass(frozen=True, slots=True)
class DryStep:
    """What a step would do.

    Attributes:
        says: In a sentence.
        is_local: Whether it needs no lead.
        is_undoable: Whether it is undone on the way back.
        trouble: Why it cannot be done for the finding; empty where it can.
    """

    says: str
    is_local: bool
    is_undoable: bool
    trouble: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a workflow would do for a finding.

    Attributes:
        workflow: Its name.
        why_not: Why it is not for the finding; empty where it is.
        is_automatic: Whether it would run without a person.
        no_room: Why it would have to wait; empty where it would not.
        steps: What its steps would do.
    """

    workflow: str
    why_not: str
    is_automatic: bool
    no_room: str
    steps: tuple[DryStep, ...]


def dry_run_of(
    workflow: Workflow, finding: Finding, workflows: Workflows, runs: Sequence[Run], now_seconds: float
) -> DryRun:
    """Return what a workflow would do for a finding.

    Args:
        workflow: The workflow.
        finding: The finding.
        workflows: All that is declared.
        runs: The runs that there are.
        now_seconds: Seconds since 1970.
    """
    run = proposed("dry-run", 0, workflow, finding, now_seconds)
    return DryRun(
        workflow.name,
        workflow.when.why_not(finding),
        workflows.is_automatic(workflow, finding),
        why_no_room(run, runs, workflows.limits, now_seconds),
        tuple(
            DryStep(step.says(finding), step.is_local, step.is_undoable, step.trouble(finding))
            for step in workflow.steps
        ),
    )
