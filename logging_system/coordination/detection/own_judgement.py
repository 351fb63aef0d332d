"""Judges what the pipeline needs on its own machine: room, a disk that writes, keys."""

from __future__ import annotations

from collections.abc import Iterator

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.pipeline_moment import PipelineMoment
from logging_system.coordination.detection.pipeline_window import PipelineWindow
from logging_system.coordination.findings import CauseClass, FindingKind

SPOOL = "spool"
KEYS = "keys"
_WINDOW_SECONDS = 5.0
_NO_ROOM_SHARE = 0.01
_NO_ROOM_BYTES_MAX = 64 * 1024 * 1024
_FULL_SHARE = 0.8
_SOON_SECONDS = 600.0
_SOON_SHARE = 0.5
_GROWTH_SECONDS = 60.0
_KEY_EVENTS = ("key_unavailable", "key_trouble")
_KEY_QUIET_SECONDS = 10.0


def judged_disk(window: PipelineWindow, store_cause: CauseClass | None) -> Iterator[Judged]:
    """Yield what holds now about the disk and the room on it; at most one judgement.

    Args:
        window: The last minutes.
        store_cause: The cause of what was judged about the store, whose effect a spool that fills is; None
            where the store is well.
    """
    found = _errors(window) or _no_room(window) or _filling(window, store_cause)
    if found is not None:
        yield found


def _errors(window: PipelineWindow) -> Judged | None:
    errors = window.grown_counts(_WINDOW_SECONDS, lambda moment: moment.writers.spool_errors)
    troubles = window.grown_counts(_WINDOW_SECONDS, lambda moment: moment.events).get("disk_trouble", 0)
    shipper = window.now.shipper
    if not errors and not troubles:
        return None
    names = ", ".join(f"{name} {count} times" for name, count in sorted(errors.items()))
    words = names or (shipper.disk_trouble if shipper is not None and shipper.disk_trouble else "an error")
    return Judged(
        FindingKind.DISK_FILLING,
        CauseClass.DISK,
        SPOOL,
        window.before(_WINDOW_SECONDS).seconds,
        0.95,
        f"The disk of the spool refuses writes: {words}.",
        evidence_for=("the system refused to write", _room_words(window.now)),
        measures={"disk_errors": sum(errors.values()) + troubles, "free_bytes": window.now.room.free_bytes},
    )


def _no_room(window: PipelineWindow) -> Judged | None:
    room = window.now.room
    limit_bytes = min(_NO_ROOM_BYTES_MAX, _NO_ROOM_SHARE * room.disk_bytes)
    if room.free_bytes > limit_bytes:
        return None
    return Judged(
        FindingKind.DISK_FILLING,
        CauseClass.DISK,
        SPOOL,
        window.first_of_run(lambda moment: moment.room.free_bytes <= limit_bytes),
        0.9,
        f"The disk of the spool has {room.free_bytes:,} of {room.disk_bytes:,} bytes left.",
        evidence_for=("the file system has no room for more segments",),
        measures={"free_bytes": room.free_bytes, "disk_bytes": room.disk_bytes},
    )


def _filling(window: PipelineWindow, store_cause: CauseClass | None) -> Judged | None:
    room = window.now.room
    if not room.bytes_max:
        return None
    fill = room.used_bytes / room.bytes_max
    left_seconds = _seconds_left(window)
    refused = window.grown_counts(_WINDOW_SECONDS, lambda moment: moment.writers.dropped)
    is_full = bool(refused.get("spool_full") or refused.get("spool_refused"))
    is_soon = fill >= _SOON_SHARE and left_seconds < _SOON_SECONDS
    if not is_full and fill < _FULL_SHARE and not is_soon:
        return None
    says = (
        "more comes than is delivered" if store_cause is None else "the store takes nothing, so records stay"
    )
    return Judged(
        FindingKind.DISK_FILLING,
        store_cause or CauseClass.LOAD,
        SPOOL,
        window.first_of_run(lambda moment: moment.room.used_bytes >= _SOON_SHARE * room.bytes_max),
        0.8,
        f"The spool holds {room.used_bytes:,} of {room.bytes_max:,} bytes"
        + (f" and is full in {left_seconds:.0f} s at this rate." if left_seconds < _SOON_SECONDS else "."),
        hold_seconds=0.0 if is_full else 2.0,
        evidence_for=(says,),
        evidence_against=("the disk itself takes what is written",),
        measures={"spool_fill": round(fill, 3), "refused_records": sum(refused.values())},
    )


def _seconds_left(window: PipelineWindow) -> float:
    then, now = window.before(_GROWTH_SECONDS), window.now
    grown_bytes, seconds = now.room.used_bytes - then.room.used_bytes, now.seconds - then.seconds
    if grown_bytes <= 0 or seconds < _WINDOW_SECONDS:
        return float("inf")
    return max(0, now.room.bytes_max - now.room.used_bytes) / grown_bytes * seconds


def _room_words(moment: PipelineMoment) -> str:
    room = moment.room
    return f"the file system has {room.free_bytes:,} of {room.disk_bytes:,} bytes left"


def judged_writers(window: PipelineWindow) -> Iterator[Judged]:
    """Yield that the process of a writer died.

    Args:
        window: The last minutes.
    """
    died = window.now.writers.died
    if not died:
        return
    yield Judged(
        FindingKind.SILENCE,
        CauseClass.APPLICATION,
        "writer",
        window.first_of_run(lambda moment: moment.writers.died > 0),
        0.85,
        f"{died} {'process' if died == 1 else 'processes'} that logged died without closing.",
        hold_seconds=1.0,
        evidence_for=("a process that ends in order says so in its status file",),
        measures={"died": died},
    )


def judged_keys(window: PipelineWindow) -> Iterator[Judged]:
    """Yield what holds now about keys.

    Args:
        window: The last minutes.
    """
    events = window.grown_counts(_KEY_QUIET_SECONDS, lambda moment: moment.events)
    shown = {name: events[name] for name in _KEY_EVENTS if name in events}
    dropped = window.grown_counts(_KEY_QUIET_SECONDS, lambda moment: moment.writers.dropped)
    lost = dropped.get("key_unavailable", 0)
    sealed = window.now.shipper.unavailable if window.now.shipper is not None else 0
    if not shown and not lost and not sealed:
        return
    words = [f"{name} {count} times" for name, count in shown.items()]
    words += [f"{lost} records dropped without a key"] if lost else []
    words += [f"{sealed} writers' records cannot be opened"] if sealed else []
    yield Judged(
        FindingKind.KEY_TROUBLE,
        CauseClass.KEYS,
        KEYS,
        window.before(_KEY_QUIET_SECONDS).seconds,
        0.9,
        f"Encryption keys cannot be used: {', '.join(words)}.",
        evidence_for=("the key provider fails or keeps a key back",),
        measures={"unavailable_writers": sealed, "key_events": sum(shown.values())},
    )
