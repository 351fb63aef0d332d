"""Bounds the blast radius: how many runs an hour, how much at once, and never two that touch the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logging_system.coordination.workflows.declaration import BlastRadius
from logging_system.coordination.workflows.run import ACTIVE, Run, StepState
from logging_system.coordination.workflows.steps.ordering import OrderingStep

HOUR_SECONDS = 3600.0
_LOGGER = "logger:"


def why_no_room(run: Run, others: Sequence[Run], limits: BlastRadius, now_seconds: float) -> str:
    """Return why a run may not begin now, in a sentence; empty where it may.

    Args:
        run: The run.
        others: All runs that are known.
        limits: What is declared.
        now_seconds: Seconds since 1970.
    """
    others = [each for each in others if each.id != run.id]
    begun = [each for each in others if 0 <= now_seconds - each.started_seconds < HOUR_SECONDS]
    if len(begun) >= limits.runs_per_hour:
        return f"{len(begun)} runs began within the last hour; {limits.runs_per_hour} may"
    active = [each for each in others if each.state in ACTIVE]
    if len(active) >= limits.runs_at_once:
        return f"{len(active)} runs are under way; {limits.runs_at_once} may be"
    namespaces = {each.finding.namespace for each in active} | {run.finding.namespace}
    if len(namespaces) > limits.namespaces_max:
        return f"{len(namespaces) - 1} namespaces have runs; {limits.namespaces_max} may"
    held = [(touched, each.id) for each in others for touched in touched_now(each, now_seconds)]
    for touched, run_id in held:
        if any(_is_same(touched, mine) for mine in run.touches()):
            return f"run {run_id} holds {touched}"
    loggers = {each for each, _ in held if each.startswith(_LOGGER)}
    loggers |= {each for each in run.touches() if each.startswith(_LOGGER)}
    if len(loggers) > limits.loggers_max:
        return f"{len(loggers)} loggers would be changed; {limits.loggers_max} may be"
    return ""


def touched_now(run: Run, now_seconds: float) -> Iterator[str]:
    """Yield what a run holds: all that it touches while it is under way, later what its orders still do.

    Args:
        run: The run.
        now_seconds: Seconds since 1970.
    """
    if run.state in ACTIVE:
        yield from run.touches()
        return
    for step, record in zip(run.workflow.steps, run.steps, strict=True):
        if (
            isinstance(step, OrderingStep)
            and record.state is StepState.DONE
            and now_seconds < record.changed_seconds + step.for_seconds
        ):
            yield from step.touches(run.finding)


def _is_same(one: str, other: str) -> bool:
    """Tell whether two names mean the same, or a logger and one below it."""
    if one == other:
        return True
    both = one.startswith(_LOGGER) and other.startswith(_LOGGER)
    return both and (one.startswith(f"{other}.") or other.startswith(f"{one}."))
