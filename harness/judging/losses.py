"""Which records are lost, by when they were acknowledged: before, in or after each fault.

What is lost of a fault's own time shows how long the stack goes on trying; what is lost of the moments before
it stood in the stack's buffer when it began. Both are losses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.judging.timeline import AFTER, BEFORE, WHILE, Entry, Place, Timeline, sequences_text
from harness.judging.wording import count

_PHASES_SHOWN = 12
_ORDER = (BEFORE, WHILE, AFTER)


@dataclass(frozen=True, slots=True)
class Phase:
    """The lost records of one stretch. `seconds` are theirs, from the edge that `place` is measured from."""

    place: Place
    seconds: tuple[float, ...]
    sequences: tuple[int, ...]
    buffered: bool


def _phases_of(timeline: Timeline, lost: Sequence[Entry], visible_seconds: float) -> list[Phase]:
    """Sort lost records into the stretches in which they were acknowledged, in time's order.

    Args:
        timeline: of the scenario.
        lost: acknowledged records that cannot be read back.
        visible_seconds: how long a record may wait in the stack's buffer; one younger than that when a fault
            began stood in it.
    """
    begun = _lost_from_the_buffer(timeline, lost, visible_seconds)
    found: dict[tuple[int, str, bool], list[tuple[Entry, Place]]] = {}
    for entry in lost:
        if entry.acknowledged_ns is None or (place := timeline.place(entry.acknowledged_ns)) is None:
            continue
        coming = _next_fault(timeline, entry)
        buffered = coming is not None and coming.step in begun and coming.seconds <= visible_seconds
        if buffered and coming is not None:
            place = coming
        found.setdefault((place.step, place.when, buffered), []).append((entry, place))
    begins_ns = {number: window.from_ns for number, window in timeline.fault_windows}
    ordered = sorted(found, key=lambda key: (begins_ns[key[0]], _ORDER.index(key[1]), key[2]))
    return [_phase(found[key], buffered=key[2]) for key in ordered]


def _next_fault(timeline: Timeline, entry: Entry) -> Place | None:
    """Return the fault that began after a record was acknowledged; None while another was on."""
    acknowledged_ns = entry.acknowledged_ns or 0
    place = timeline.place(acknowledged_ns)
    return None if place is None or place.when == WHILE else timeline.next_place(acknowledged_ns)


def _lost_from_the_buffer(timeline: Timeline, lost: Iterable[Entry], visible_seconds: float) -> set[int]:
    """Return the faults that took what stood in the buffer: the records before those were mostly kept."""
    young: Counter[int] = Counter()
    older: Counter[int] = Counter()
    for entry in lost:
        if (coming := _next_fault(timeline, entry)) is not None:
            (young if coming.seconds <= visible_seconds else older)[coming.step] += 1
    return {step for step, number in young.items() if number > older[step]}


def _phase(found: Sequence[tuple[Entry, Place]], *, buffered: bool) -> Phase:
    return Phase(
        found[0][1],
        tuple(place.seconds for _, place in found),
        tuple(entry.sequence for entry, _ in found),
        buffered,
    )


def loss_lines(timeline: Timeline, lost: Sequence[Entry], visible_seconds: float) -> list[str]:
    """Return a line a stretch: when its missing records were acknowledged, how many, and which.

    Args:
        timeline: of the scenario.
        lost: acknowledged records that cannot be read back.
        visible_seconds: how long a record may wait in the stack's buffer.
    """
    phases = _phases_of(timeline, lost, visible_seconds)
    lines = [_line(timeline, phase, visible_seconds) for phase in phases[:_PHASES_SHOWN]]
    if left := sum(len(phase.sequences) for phase in phases[_PHASES_SHOWN:]):
        lines.append(f"Missing, acknowledged later: {count(left, 'record')}.")
    placed = {sequence for phase in phases for sequence in phase.sequences}
    if others := [entry.sequence for entry in lost if entry.sequence not in placed]:
        lines.append(f"Missing: {sequences_text(others)}.")
    return lines


def buffered_told(timeline: Timeline, lost: Sequence[Entry], visible_seconds: float) -> str:
    """Say how many of the lost stood in the stack's buffer when a fault began; empty where none did.

    Args:
        timeline: of the scenario.
        lost: acknowledged records that cannot be read back.
        visible_seconds: how long a record may wait in the stack's buffer.
    """
    stood = [phase for phase in _phases_of(timeline, lost, visible_seconds) if phase.buffered]
    if not stood:
        return ""
    number = sum(len(phase.sequences) for phase in stood)
    when = _when(timeline, stood[0]) if len(stood) == 1 else "when a fault began"
    return f"{number:,} of them stood in the stack's buffer {when}"


def _when(timeline: Timeline, phase: Phase) -> str:
    return f"when {timeline.edge(phase.place)}"


def _line(timeline: Timeline, phase: Phase, visible_seconds: float) -> str:
    first, last = min(phase.seconds), max(phase.seconds)
    if phase.place.when == BEFORE:
        first, last = last, first
    span = f"{first:.1f} s" if f"{first:.1f}" == f"{last:.1f}" else f"{first:.1f} s to {last:.1f} s"
    names = f"{count(len(phase.sequences), 'record')}: {sequences_text(phase.sequences)}"
    if phase.buffered:
        return (
            f"Missing from the stack's buffer {_when(timeline, phase)}, acknowledged {span} before that "
            f"(visible_seconds: {visible_seconds:g}), {names}."
        )
    if phase.place.when == WHILE:
        return f"Missing, acknowledged {span} after {timeline.edge(phase.place)}, while it was on, {names}."
    return f"Missing, acknowledged {span} {phase.place.when} {timeline.edge(phase.place)}, {names}."
