"""How long each log call took, and how much of that is neither the harness's doing nor a dead process's.

Two numbers (open loop): `call` is enter → return, `response` is due → return. Where the generator was late
although no call was outstanding, the harness is at fault: each producer is replayed with that lateness taken
out. While the application was hurt by a fault, or had ended by itself, no stack could have answered
(docs/decisions/0003): what was under way then is cut off there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.judging.timeline import Entry, Timeline, Window
from harness.model.declarations import APPLICATION, is_sender
from harness.model.nanoseconds import MS_NS, SECOND_NS

_STUCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Timing:
    """One due record: its times in ms. `own_ms` is the response with the harness's lateness taken out.

    Where a fault on the application cut it off, the times are those until then: it took that long at least.
    Where its producer was still working off what such a fault had left due, `response_ms` is its own time.
    `away` says that it was due while its producer's own process was hurt.
    """

    due_ns: int
    call_ms: float
    response_ms: float
    own_ms: float
    cut: bool = False
    behind: bool = False
    away: bool = False
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Outage(Window):
    """When the application was hurt or gone; or, by `target`, one of several workers of the load."""

    target: str = APPLICATION


def outages_of(timeline: Timeline) -> list[Outage]:
    """Return when faults were on the application, and when it was gone by itself, in time's order.

    A fault that was never healed lasts to the end. A label goes on where "while" ends.
    """
    found = [
        Outage(f"{window.label} was on", window.from_ns, window.to_ns, timeline.fault_targets[step])
        for step, window in timeline.fault_windows
        if is_sender(timeline.fault_targets[step])
    ]
    for each in timeline.sender_exits():
        if (gone := timeline.gone(each.process)) is not None:
            found.append(Outage(gone.label, gone.from_ns, gone.to_ns, each.process))
    return sorted(found, key=lambda outage: outage.from_ns)


def stuck_calls(timeline: Timeline, outages: Sequence[Outage]) -> list[Entry]:
    """Return the records whose call never came back, long before anything ended that could have let it."""
    lost = _lost_calls(timeline, outages)
    return [
        entry
        for entry in timeline.entries.values()
        if entry.sequence not in lost
        and entry.sent_ns is not None
        and entry.returned_ns is None
        and timeline.ended_ns - entry.sent_ns > _STUCK_SECONDS * SECOND_NS
    ]


def timings_of(timeline: Timeline, outages: Sequence[Outage]) -> list[Timing]:
    """Return the times of all scheduled records; each producer is also replayed as if on time."""
    timings: list[Timing] = []
    lost = _lost_calls(timeline, outages)
    for mine in _by_producer(timeline.scheduled()):
        timings.extend(_replay(mine, timeline.ended_ns, _hitting(timeline, mine[0], outages), lost))
    return timings


def _by_producer(entries: Iterable[Entry]) -> Iterable[list[Entry]]:
    """Return each producer's records in the order they were due, which is that of its calls."""
    producers: dict[int, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.due_ns):
        producers.setdefault(entry.producer, []).append(entry)
    return producers.values()


def _hitting(timeline: Timeline, entry: Entry, outages: Sequence[Outage]) -> list[Outage]:
    """Return the outages that hit the producer of a record."""
    return [outage for outage in outages if timeline.sends(outage.target, entry.producer)]


def _lost_calls(timeline: Timeline, outages: Sequence[Outage]) -> frozenset[int]:
    """Return the records whose call went down with the application.

    A producer makes one call at a time. A call that began before a fault on the application was healed and
    never came back, although its producer has made another since, did not hold that producer: its process
    died. Where no other followed, the call holds its producer still, and no fault excuses it.

    An application that ended by itself takes all its calls with it; one that was stuck long before that was
    stuck all the same.
    """
    lost: set[int] = set()
    exits = timeline.sender_exits()
    for mine in _by_producer(timeline.entries.values()):
        followed = False
        hitting = _hitting(timeline, mine[0], outages)
        died_ns = [each.at_ns for each in exits if timeline.sends(each.process, mine[0].producer)]
        call_ns: int | None = None
        for entry in reversed(mine):
            if entry.sent_ns is None:
                continue
            # Records with one time of sending shared a call: none of them came after another.
            followed = followed or call_ns not in (None, entry.sent_ns)
            call_ns = entry.sent_ns
            hit = followed and any(entry.sent_ns < outage.to_ns for outage in hitting)
            with_it = any(0 <= at_ns - entry.sent_ns <= _STUCK_SECONDS * SECOND_NS for at_ns in died_ns)
            if entry.returned_ns is None and (hit or with_it):
                lost.add(entry.sequence)
    return frozenset(lost)


def _replay(
    entries: Sequence[Entry], ended_ns: int, outages: Sequence[Outage], lost: frozenset[int]
) -> Iterable[Timing]:
    free_ns = 0
    backlog_ns = 0
    stuck = False
    shared_ns: int | None = None
    for entry in entries:
        cut_ns = _cut_ns(entry, outages, lost)
        end_ns = ended_ns if entry.returned_ns is None else entry.returned_ns
        if cut_ns is not None:
            end_ns = cut_ns
        if entry.sent_ns is not None:
            call_ns = max(0, end_ns - entry.sent_ns)
            stuck = stuck or (entry.returned_ns is None and entry.sequence not in lost)
            # Where the cut came before the call, only an earlier call can have kept it waiting until then.
            waits = cut_ns is not None and entry.sent_ns >= cut_ns and free_ns > entry.due_ns
            if waits:
                free_ns = end_ns
            elif entry.sent_ns == shared_ns:
                # It was sent in one call with the record before it, which took its time once.
                free_ns = max(free_ns, entry.due_ns + call_ns)
            else:
                free_ns = max(entry.due_ns, free_ns) + call_ns
            shared_ns = entry.sent_ns
            own_ns = free_ns - entry.due_ns
        else:
            # Never sent: the stack's doing only where an earlier call of this producer never came back.
            call_ns = 0
            own_ns = ended_ns - entry.due_ns if stuck else 0
        response_ns = end_ns - entry.due_ns
        behind = cut_ns is None and entry.sent_ns is not None and backlog_ns > entry.due_ns
        if behind and entry.sent_ns is not None:
            # What the harness was late with, although its producer was free, is not the backlog's doing.
            response_ns = own_ns + max(0, entry.sent_ns - backlog_ns)
        if behind or any(_spans(entry, outage) for outage in outages):
            backlog_ns = max(backlog_ns, entry.returned_ns or 0)
        yield Timing(
            entry.due_ns,
            call_ns / MS_NS,
            response_ns / MS_NS,
            own_ns / MS_NS,
            cut_ns is not None,
            behind,
            any(outage.holds(entry.due_ns) for outage in outages),
            entry.sent_ns is not None,
        )


def _spans(entry: Entry, outage: Outage) -> bool:
    """Return whether a record was due before the fault was healed, and answered after it had begun."""
    return (
        entry.due_ns < outage.to_ns and entry.returned_ns is not None and entry.returned_ns > outage.from_ns
    )


def _cut_ns(entry: Entry, outages: Sequence[Outage], lost: frozenset[int]) -> int | None:
    """Return when a fault on the application cut off a record that was due and not answered by then."""
    if entry.returned_ns is None and entry.sequence not in lost:
        return None
    for outage in outages:
        if entry.due_ns < outage.from_ns and (entry.returned_ns is None or _spans(entry, outage)):
            return outage.from_ns
        if entry.sequence in lost and entry.sent_ns is not None and outage.holds(entry.due_ns):
            # A kill takes a while: the call began after the fault did. When it went down nobody saw.
            return entry.sent_ns
    return None
