"""Which scenarios of a run are alone, and which side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.model.declarations import Part, Scenario, Stack
from harness.runs.plan import ScenarioPlan


def grouping(plans: Sequence[ScenarioPlan], jobs: int) -> tuple[Sequence[int], Sequence[int]]:
    """Return the places, from 1, of the scenarios that run alone, and of those that run side by side.

    Nothing is side by side with one job or one scenario for it; the plan's order is then that of the run.

    Args:
        plans: all scenarios of the run, in its order.
        jobs: how many scenarios may run at a time.
    """
    places = range(1, len(plans) + 1)
    together = [number for number in places if not plans[number - 1].scenario.exclusive]
    if jobs < 2 or len(together) < 2:
        return places, ()
    return [number for number in places if number not in together], together


def judged_alone(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Return the scenarios as they are judged: one that has none to run beside runs alone.

    That follows from what is selected, not from the machine, so that the same selection is the same plan.
    """
    if sum(not scenario.exclusive for scenario in scenarios) > 1:
        return tuple(scenarios)
    return tuple(replace(scenario, exclusive=True) for scenario in scenarios)


def why_one_at_a_time(stack: Stack) -> str:
    """Say why two of a stack must not run on a machine at once; empty where they may.

    Where two would meet in one place, each would find the other's records in it. What only the stack's own
    configuration knows nobody here can see: its file says that with `one_at_a_time`.
    """
    if stack.one_at_a_time:
        return "the stack file says one_at_a_time"
    outlets = {"archive": stack.archive}
    if stack.dead_letters is not None:
        outlets["dead_letters"] = stack.dead_letters.archive
    for key, outlet in outlets.items():
        if not _is_own(outlet, stack):
            return f"{key} is the same place in every scenario; name it with {{run.id}} or {{run.folder}}"
    for process in stack.processes:
        if process.ready.http and "{" not in process.ready.http:
            port = f"{{{process.name}.port}}"
            return f"processes.{process.name} has an address of its own; let it listen on {port}"
    return ""


def _is_own(outlet: Part, stack: Stack) -> bool:
    text = " ".join(str(value) for value in outlet.arguments.values())
    own = ("run", *(process.name for process in stack.processes))
    return any(f"{{{name}." in text for name in own)
