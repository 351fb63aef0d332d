"""Did the stack ever come near the links that a scenario hurts? If not, its faults have examined nothing.

A stack file that gives the stack no address of a link, or a handler that ignores it, looks as if a fault had
cost every record. It did not where all of this holds: every fault is on a link; not one line of the run is in
any place; there is no archive under its name; and from start to end no link has accepted a connection but the
harness's own. What a stack loses that connects only once, whatever it is answered, is lost. So is all that is
lost where no fault is planned: there the question is only whether records arrive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.judging.checker import Charge
from harness.judging.steady import RECORDS_MIN
from harness.judging.timeline import Timeline
from harness.judging.wording import sentence
from harness.model.facts import ANSWERS, CONNECTIONS, OWN_CONNECTIONS, Sample


def unreached(timeline: Timeline, charge: Charge) -> str:
    """Say that no fault can have hit the stack, and what to do; empty where that is not proved.

    Args:
        timeline: of the scenario.
        charge: the scenario and what the stack declares.
    """
    links = timeline.samples_by_process(ANSWERS).keys()
    targets = {step.target for step in charge.scenario.steps}
    if not targets or not targets <= links or not timeline.absent or _something_arrived(timeline):
        return ""
    steady = timeline.steady()
    before = sum(
        entry.acknowledged_ns is not None and steady.holds(entry.acknowledged_ns)
        for entry in timeline.scheduled()
    )
    if before < RECORDS_MIN or _may_be_connected(timeline, links):
        return ""
    return (
        f"Nothing but logquake connected to {' or '.join(links)}, so no fault could hit the stack: the "
        f"{before:,} records that it acknowledged before the first one did not arrive either.\n"
        f"Give it the address {{{min(targets)}.url}} in the stack file, and see that it uses that. Whether "
        "its records arrive at all is judged without a fault: `logquake run no_fault`.\n"
        f"{sentence(timeline.absent)}"
    )


def _something_arrived(timeline: Timeline) -> bool:
    """Return whether anything was read back anywhere, or not everything could be read."""
    places = (timeline.copies, timeline.strays, timeline.letters, timeline.stray_letters, timeline.unreadable)
    return not timeline.read_whole or bool(timeline.elsewhere) or any(places)


def _may_be_connected(timeline: Timeline, links: Collection[str]) -> bool:
    """Return whether any link may have accepted a connection of the stack."""
    accepted = timeline.samples_by_process(CONNECTIONS)
    own = timeline.samples_by_process(OWN_CONNECTIONS)
    is_told = all(link in own and own[link][-1].at_ns >= timeline.probing_ns for link in links)
    return not is_told or any(_last(accepted, link) != _last(own, link) for link in links)


def _last(samples: Mapping[str, Sequence[Sample]], link: str) -> float:
    return samples[link][-1].value if link in samples else 0.0
