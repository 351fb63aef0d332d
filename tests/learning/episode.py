"""One episode: a fault of a cause, what the engine did about it, and how long recovery took by it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from logging_system.coordination.detection.finding_lines import seconds_of
from tests.learning.causes import CAUSES, Cause, fault_seconds
from tests.learning.runbooks import workflows
from tests.learning.stand import EpisodeError, Stand, stand, until

WARM_SECONDS = 5.0
"""So long a load must have been seen before a spike of it is one."""
_OVER_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """What an episode came to.

    Attributes:
        cause: The class of cause of the fault.
        number: Which episode of it.
        workflow: What was run; `nothing` is one.
        seconds: From the engine's decision to the end of the finding, as the engine measured it.
        found_as: The cause that the finding named.
        namespace: The finding's.
        found_seconds: From the injection to the engine's decision.
        fault_seconds: How long the fault lasted.
        why: Why that was chosen, as the engine says.
    """

    cause: str
    number: int
    workflow: str
    seconds: float
    found_as: str
    namespace: str
    found_seconds: float
    fault_seconds: float
    why: str

    def content(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def run_episode(
    cause: str,
    number: int,
    names: Sequence[str],
    memory: Path | None = None,
    *,
    warm_seconds: float = WARM_SECONDS,
) -> Row:
    """Run a stack, put a fault into it, and see what becomes of it.

    Args:
        cause: The class of cause.
        number: Which episode of it; the length of the fault follows from it.
        names: The runbooks that may be run; none for doing nothing.
        memory: The engine's folder, which it goes on from; None begins anew.
        warm_seconds: How long the stack runs before the fault.

    Raises:
        EpisodeError: It says nothing of recovery: something did not start, or the fault was not found.
        FaultError: The small disk cannot be mounted.
    """
    kinds = [each.kind for each in CAUSES.values()]
    with tempfile.TemporaryDirectory(prefix="logquake-learning-") as name:
        folder = Path(name)
        declared = workflows(kinds, names, folder / "disk" / "cache.bin")
        with stand(folder, declared, memory) as running:
            time.sleep(warm_seconds)
            return _seen(running, CAUSES[cause], number, fault_seconds(number))


def _seen(running: Stand, cause: Cause, number: int, seconds: float) -> Row:
    injected_seconds = time.time()
    heal_seconds = time.monotonic() + seconds
    with ExitStack() as fault:
        fault.enter_context(cause.inject(running))

        def is_over() -> bool:
            if time.monotonic() >= heal_seconds:
                fault.close()
            return _over(running, cause, injected_seconds) is not None

        until(is_over, seconds + _OVER_SECONDS_MAX, f"the end of a finding of kind {cause.kind}")
    over = _over(running, cause, injected_seconds)
    if over is None:
        raise EpisodeError("the audit has lost an event")
    finding, details = over
    return Row(
        cause=cause.cause,
        number=number,
        workflow=str(details["workflow"]),
        seconds=float(details["recovery_seconds"]),
        found_as=str(finding["cause"]),
        namespace=str(finding["namespace"]),
        found_seconds=round(seconds_of(str(finding["found"])) - injected_seconds, 3),
        fault_seconds=seconds,
        why=_why(running, str(finding["finding_id"])),
    )


def _over(
    running: Stand, cause: Cause, injected_seconds: float
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return the first finding of the kind since the injection, and what the engine says of its end."""
    found = [
        each
        for each in running.findings()
        if each["kind"] == cause.kind and seconds_of(str(each["found"])) >= injected_seconds
    ]
    for event in running.events() if found else ():
        if event["event"] == "finding_over" and event["details"]["finding"] == found[0]["finding_id"]:
            return found[0], event["details"]
    return None


def _why(running: Stand, finding_id: str) -> str:
    for event in running.events():
        details = event["details"]
        if event["event"] == "allowed" and details["finding"]["finding_id"] == finding_id:
            return str(details["chosen_by"])
        if event["event"] == "not_run" and details["finding"] == finding_id:
            return str(details["why"])
    return "nothing fits"
