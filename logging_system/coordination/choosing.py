"""Chooses among the workflows that fit a finding: by what was learned, or the first of the file."""

from __future__ import annotations

from collections.abc import Sequence

from logging_system.coordination.findings import Finding
from logging_system.coordination.outcomes.memory import Outcomes
from logging_system.coordination.workflows.declaration import Learning, Workflow


def chosen(
    finding: Finding,
    fitting: Sequence[Workflow],
    learning: Learning,
    outcomes: Outcomes,
    *,
    is_automatic: bool,
) -> tuple[Workflow | None, str]:
    """Return the workflow for a finding, and why; None for doing nothing.

    Args:
        finding: The finding.
        fitting: The workflows in question, one or more.
        learning: How is chosen.
        outcomes: What was learned.
        is_automatic: Whether it would run without a person.
    """
    names = [each.name for each in fitting]
    namespace, cause = finding.namespace, finding.cause.value
    if not learning.enabled:
        return fitting[0], "the first of the file that fits"
    if len(fitting) == 1:
        if outcomes.is_harmful(namespace, cause, names[0]):
            return None, f"{names[0]} took longer than doing nothing"
        return fitting[0], "the only one that fits"
    if is_automatic and learning.may_do_nothing:
        name = outcomes.choose(namespace, cause, names)
    else:
        name = outcomes.propose(namespace, cause, names)
    if name is None:
        return None, "doing nothing is measured, or promises more"
    return fitting[names.index(name)], f"drawn among {len(names)} by what was measured"
