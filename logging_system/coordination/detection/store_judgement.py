"""Judges the way to the store: unreachable, pushing back, refusing for good, storing twice, not shipping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.pipeline_moment import ShipperMoment
from logging_system.coordination.detection.pipeline_window import Growth, PipelineWindow
from logging_system.coordination.detection.troubles import Trouble, quoted_trouble, trouble_of
from logging_system.coordination.findings import CauseClass, FindingKind

STORE = "store"
_FAILING_SECONDS = 5.0
_FAILED_MIN = 3
_TIMEOUT_SECONDS = 10.0
_STALL_SECONDS = 2.5
_BURST = 5.0
_BURST_STALL_SECONDS = 5.0
"""After a burst of so many times the usual rate requests are larger, and the store needs longer for each."""
_STALL_FACTOR = 3.0
_STALL_SECONDS_MAX = 8.0
"""However long the store's pauses were, a stall is found within 10 s unless the machine is busy."""
_HANDS = 8
"""So often shipper and store wait for a processor in a request: on a busy machine that is no stall."""
_PUSHED_SHARE = 0.1
_PUSHED_ITEMS_MIN = 5
_DUPLICATE_SHARE = 0.2
_DUPLICATES_MIN = 50
_COPIES_SECONDS = 6.0
_SILENT_SECONDS = 8.0
_STALE_SECONDS = 3.0
"""The shipper states how things are once a second; older than this, its process has ended, or hangs."""

_Told = tuple[float, ShipperMoment]


def judged_store(window: PipelineWindow) -> Iterator[Judged]:
    """Yield what holds now about the store.

    Args:
        window: The last minutes.
    """
    now = window.now.shipper
    growth = window.growth(_FAILING_SECONDS)
    if now is None or growth is None:
        return
    if now.age_seconds > _STALE_SECONDS:  # what it said last is no news of the store
        yield from _not_shipping(window, now)
        return
    failing = _failing(window, now, growth)
    if failing is not None:
        yield failing
    elif (stalled := _stalled(window, now)) is not None:
        yield stalled
    # Where requests fail, their documents are sent again: that is no word of the store's.
    if failing is None and not growth.unproved:
        yield from _pushed_back(window, growth, trouble_of(now.trouble))
    yield from _refused_for_good(window, growth, now)


def _failing(window: PipelineWindow, now: ShipperMoment, growth: Growth) -> Judged | None:
    """Return that requests fail, by the words of the latest failure."""
    if not now.is_ready and now.trouble:
        words = "the store could not be prepared"
        since_seconds = window.first_of_run(
            lambda moment: moment.shipper is not None and not moment.shipper.is_ready
        )
    elif now.is_breaker_open:
        words = "requests fail in a row, so the store is only tried by one small request at a time"
        since_seconds = _failing_since(window)
    elif growth.unproved >= _FAILED_MIN and 2 * growth.unproved >= growth.requests:
        words = f"{growth.unproved} of {growth.requests} requests failed within {growth.seconds:.0f} s"
        since_seconds = _failing_since(window)
    else:
        return None
    trouble = trouble_of(now.trouble)
    # A request that timed out was on its way for so long, and the machine may have been busy meanwhile.
    excused_seconds = (
        window.excused_seconds(window.now.seconds - _TIMEOUT_SECONDS) if trouble.is_silence else 0
    )
    is_push_back = trouble.cause is CauseClass.STORE_REFUSES
    against = [trouble.against] if trouble.against else []
    if growth.delivered:
        against.append(f"{growth.delivered} records were delivered within {growth.seconds:.0f} s")
    return Judged(
        FindingKind.PUSH_BACK if is_push_back else FindingKind.STORE_UNREACHABLE,
        trouble.cause,
        STORE,
        since_seconds,
        trouble.confidence if not growth.delivered else round(0.8 * trouble.confidence, 2),
        f"The store {'turns requests away' if is_push_back else 'is not reachable'}: {words}; "
        f"{now.spooled} records wait.",
        hold_seconds=1.0 + excused_seconds,
        evidence_for=(trouble.says,),
        # A store's words may quote what it refused: they are masked, or left out, as lines of records are.
        examples=(quoted_trouble(now.trouble),),
        evidence_against=tuple(against),
        measures={
            "failed_requests": growth.unproved,
            "requests": growth.requests,
            "waiting_records": now.spooled,
        },
    )


def _failing_since(window: PipelineWindow) -> float:
    """Return when the first request of the failures failed: no more than one window apart from each other."""
    since_seconds = latest_seconds = window.now.seconds
    for before, after in reversed(list(pairwise(window.moments))):
        if latest_seconds - after.seconds > 2 * _FAILING_SECONDS:
            break
        if before.shipper and after.shipper and after.shipper.unproved > before.shipper.unproved:
            since_seconds = latest_seconds = after.seconds
    return since_seconds


def _stalled(window: PipelineWindow, now: ShipperMoment) -> Judged | None:
    """Return that requests are under way, records wait, and nothing is answered: nobody has failed yet.

    What a machine that is too busy can excuse does not count: either by the longest time that who looks was
    held up, or by how long processors were waited for in all; the smaller one is enough of an excuse.
    """
    if not _is_waiting(now):
        return None
    told = window.told()
    since_seconds = _pause_began(told)
    stalled_seconds = told[-1][0] - since_seconds
    usual_seconds = _longest_pause(told, before_seconds=since_seconds)
    least_seconds = _BURST_STALL_SECONDS if window.load_ratio(1.0) >= _BURST else _STALL_SECONDS
    limit_seconds = min(_STALL_SECONDS_MAX, max(least_seconds, _STALL_FACTOR * usual_seconds))
    late_seconds = _HANDS * window.late_seconds(max(_STALL_SECONDS_MAX, stalled_seconds))
    excused_seconds = window.excused_seconds(since_seconds)
    if stalled_seconds < limit_seconds + min(late_seconds, excused_seconds):
        return None
    return Judged(
        FindingKind.STORE_UNREACHABLE,
        CauseClass.NETWORK,
        STORE,
        since_seconds,
        0.7,
        f"The store has answered nothing for {stalled_seconds:.0f} s while {now.in_flight} requests are "
        f"under way; {now.spooled} records wait.",
        evidence_for=(
            "connections are open and requests are sent, but no answer comes",
            f"the longest pause before was {usual_seconds:.0f} s",
        ),
        evidence_against=("a store that is paused looks the same from here",),
        measures={
            "stalled_seconds": stalled_seconds,
            "requests_under_way": now.in_flight,
            "waiting_records": now.spooled,
        },
    )


def _is_waiting(shipper: ShipperMoment) -> bool:
    return shipper.in_flight > 0 and shipper.spooled > 0


def _answers(shipper: ShipperMoment) -> tuple[int, ...]:
    return shipper.delivered, shipper.retried_items, shipper.refused, shipper.dead_lettered


def _pauses(told: Sequence[_Told]) -> Iterator[tuple[float, float]]:
    """Yield when requests were under way and nothing was answered: from when, and until when at least."""
    began_seconds: float | None = None
    for (before_seconds, before), (after_seconds, after) in pairwise(told):
        if _is_waiting(before) and _is_waiting(after) and _answers(after) == _answers(before):
            began_seconds = before_seconds if began_seconds is None else began_seconds
            yield began_seconds, after_seconds
        else:
            began_seconds = None


def _pause_began(told: Sequence[_Told]) -> float:
    """Return since when nothing was answered although requests are under way; now where that is not so."""
    last_seconds = told[-1][0]
    return next((began for began, until in _pauses(told) if until == last_seconds), last_seconds)


def _longest_pause(told: Sequence[_Told], before_seconds: float) -> float:
    """Return the longest time before a moment in which requests were under way and nothing was answered."""
    return max((until - began for began, until in _pauses(told) if until <= before_seconds), default=0.0)


def _pushed_back(window: PipelineWindow, growth: Growth, trouble: Trouble) -> Iterator[Judged]:
    """Yield that the store answers and turns a share away."""
    tried_items = growth.retried_items + growth.delivered
    item_share = growth.retried_items / tried_items if tried_items > 0 else 0.0
    request_share = growth.refused / growth.requests if growth.requests > 0 else 0.0
    are_items = growth.retried_items >= _PUSHED_ITEMS_MIN and item_share >= _PUSHED_SHARE
    are_requests = growth.refused > 0  # as a whole, and not for now: no store in order does that
    if not are_items and not are_requests:
        return
    share = item_share if are_items else request_share
    what = (
        f"{growth.retried_items} of {tried_items} documents"
        if are_items
        else f"{growth.refused} of {growth.requests} requests"
    )
    against = ("the others are delivered",) if growth.delivered else ()
    yield Judged(
        FindingKind.PUSH_BACK,
        CauseClass.STORE_REFUSES,
        STORE,
        window.before(_FAILING_SECONDS).seconds,
        0.9,
        f"The store turned {what} away within {growth.seconds:.0f} s.",
        hold_seconds=1.0,
        evidence_for=(
            "the store answers and takes no more for now",
            *((trouble.says,) if trouble.is_answer else ()),
        ),
        evidence_against=against,
        measures={"push_back_share": round(share, 3)},
    )


def _refused_for_good(window: PipelineWindow, growth: Growth, now: ShipperMoment) -> Iterator[Judged]:
    if growth.dead_lettered <= 0:
        return
    yield Judged(
        FindingKind.PUSH_BACK,
        CauseClass.STORE_REFUSES,
        "dead_letters",
        window.before(_FAILING_SECONDS).seconds,
        0.8,
        f"The store refused {growth.dead_lettered} documents for good within {growth.seconds:.0f} s; "
        "they are in the dead letters.",
        evidence_for=("the store answers that it will never take these documents",),
        evidence_against=("only some documents are refused: what logged them may be at fault",)
        if growth.delivered > growth.dead_lettered
        else (),
        measures={"dead_lettered": growth.dead_lettered, "dead_lettered_in_all": now.dead_lettered},
    )


def judged_copies(window: PipelineWindow) -> Iterator[Judged]:
    """Yield that the store had many documents already; during an outage and after it that is no news.

    Args:
        window: The last minutes.
    """
    growth = window.growth(_COPIES_SECONDS)
    if growth is None or growth.conflicts < _DUPLICATES_MIN or window.is_busy:
        return
    if growth.conflicts < _DUPLICATE_SHARE * growth.delivered:
        return
    yield Judged(
        FindingKind.DUPLICATES,
        CauseClass.NETWORK,
        STORE,
        window.before(_COPIES_SECONDS).seconds,
        0.7,
        f"The store had {growth.conflicts} of {growth.delivered} documents already.",
        # Requests whose answers came too late are no news once; it takes copies after those.
        hold_seconds=_COPIES_SECONDS + 2.0,
        evidence_for=("answers to requests that were stored got lost, so they were sent again",),
        evidence_against=("after a restart the shipper sends again what it may have sent",),
        measures={"duplicates": growth.conflicts, "delivered": growth.delivered},
    )


def _not_shipping(window: PipelineWindow, now: ShipperMoment) -> Iterator[Judged]:
    """Yield that records come and the shipper has not said anything for long."""
    written = window.now.writers.offered - window.before(_SILENT_SECONDS).writers.offered
    limit_seconds = _SILENT_SECONDS + _HANDS * window.late_seconds(_SILENT_SECONDS)
    if now.age_seconds < limit_seconds or written <= 0:
        return
    yield Judged(
        FindingKind.SILENCE,
        CauseClass.UNKNOWN,
        "shipper",
        window.now.seconds - now.age_seconds,
        0.8,
        f"The shipper has said nothing for {now.age_seconds:.0f} s; {written} records came in the last "
        f"{_SILENT_SECONDS:.0f} s.",
        hold_seconds=1.0,
        evidence_for=("its status file is written once a second while it lives",),
        evidence_against=("a full disk keeps the file from being written",),
        measures={"silent_seconds": now.age_seconds},
    )
