"""Makes a sentence of an event, and logs it where the process's own warnings go."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from logging_system.monitoring.events import (
    BreakerClosed,
    BreakerOpened,
    CallbackFailed,
    DeadLettersWritten,
    DiskTrouble,
    Event,
    FallbackBegun,
    FallbackEnded,
    FormatterUnused,
    HandlerDetached,
    InstalledTwice,
    KeyRotated,
    KeyTrouble,
    KeyUnavailable,
    NameChanged,
    RecordsDropped,
    RecordsEvicted,
    RecordsWaiting,
    SettingsProblem,
    SettingsReloaded,
    ShippingFailed,
    SpansDropped,
    SpoolBusy,
    SpoolFull,
    SpoolHasRoom,
    SpoolNearlyFull,
    SpoolTakenOver,
    SpoolUnwritable,
    StoreAvailable,
    StoreRemark,
    StoreUnavailable,
    ThreadRefused,
    ThreadsReplaced,
    TracingUnavailable,
    WatchBehind,
    WatchCaughtUp,
)

AGAIN_SECONDS = 60.0
"""How often the same trouble is logged while it lasts."""

_SENTENCES: Mapping[type[Event], str] = {
    BreakerClosed: "The store accepts requests again.",
    BreakerOpened: "The store accepts no requests; it is tried with one small request at a time: {trouble}",
    CallbackFailed: "on_durable raised an exception.",
    DeadLettersWritten: "{records} refused by the store for good and written to the dead letters. "
    "Last reason: {status} {reason}",
    DiskTrouble: "Disk error while {activity}: {error}{meaning}{detail}. It is tried again.",
    FallbackBegun: "The store was not available for {outage_seconds:.0f} s; records go to {path} until it is "
    "available: {trouble}",
    FallbackEnded: "The store is available again and receives records. Those of the outage are in {path}.",
    FormatterUnused: "The handler does not use the formatter that it was given: it stores fields, and the "
    "message as the log call made it. To change records use processors.",
    HandlerDetached: "The handler was taken off the root logger, as logging.config and Celery do: records no "
    "longer reach it. Call logging_system.install() again after that, or see "
    "docs/how-to/install-logging.md, When something else configures logging.",
    InstalledTwice: "install() was called again with another {differing}, which is not used; "
    "close() the first installation before.",
    KeyRotated: "Key {key_id} was rotated ({why}); version {version} is active.",
    KeyTrouble: "The rotation of key {key_id} cannot go on and is tried again: {trouble}",
    KeyUnavailable: "The encryption key is not available and nothing is written without it; records wait in "
    "the queue. `python -m logging_system keys status` says more.",
    NameChanged: "The service {service} is written {name} in the name of the {setting}; {setting}=… gives "
    "another.",
    RecordsDropped: "{records} dropped in the last second: {reason}.",
    RecordsEvicted: "{records} ({freed_bytes:,} bytes) deleted from the spool by retention, "
    "delivered ones included.",
    RecordsWaiting: "{counted} not delivered when this process ended and wait in {folder}; the next process "
    "that ships this folder delivers them{trouble}",
    SettingsProblem: "{where}{what}{consequence}",
    SettingsReloaded: "Settings read again; changed: {changed}.",
    ShippingFailed: "Shipping failed and is tried again; records stay in {folder}: {error}{detail}",
    SpansDropped: "Spans of the pipeline are dropped, records are not affected: {reason}.",
    SpoolBusy: "Waiting for the spool folder: {detail}",
    SpoolFull: "The spool is full and refuses records: {used_bytes:,} of {bytes_max:,} bytes used. "
    "Start a shipper or raise spool_bytes_max.",
    SpoolHasRoom: "The spool has room again: {used_bytes:,} of {bytes_max:,} bytes used.",
    SpoolNearlyFull: "The spool is nearly full: {used_bytes:,} of {bytes_max:,} bytes used.",
    SpoolTakenOver: "{folder} was removed and taken by another process; {unfinished:,} records read before "
    "had not arrived.",
    SpoolUnwritable: "{trouble}; {consequence_of_folder}.",
    StoreAvailable: "The store is available again.",
    StoreRemark: "{stream}: {remark}",
    StoreUnavailable: "The store is not available; records wait in the spool: {trouble}",
    ThreadRefused: "The system has no thread for the {thread}; {consequence_of_thread}.",
    ThreadsReplaced: "Python's threads were replaced after install(), as gevent does: records reach the "
    "spool, but this process may not ship them. Call install() after monkey.patch_all(); with gunicorn call "
    "it in the application's module, not in post_fork. See docs/how-to/prefork-servers.md.",
    TracingUnavailable: "The pipeline makes no spans of itself, though the settings ask for them: {trouble}",
    WatchBehind: "watch is {lag_seconds:.0f} s behind what is logged. Detection reads one in {one_in} "
    "records below error until it has caught up; rules read all.",
    WatchCaughtUp: "watch has caught up after {lasted_seconds:.0f} s, and detection reads all records again.",
}

DROP_REASONS: Mapping[str, str] = {
    "busy": "too much was waiting for the disk",
    "capture_error": "a filter raised an exception",
    "closed": "the handler is closed",
    "encode_error": "the record could not be processed safely",
    "key_unavailable": "the encryption key was not available until the process ended",
    "own_thread": "on_durable logged through its own handler",
    "processor_error": "a processor raised an exception",
    "processor_unavailable": "a configured processor could not be loaded",
    "quarantined": "a workflow quarantined their template",
    "queue_full": "queue full",
    "reentrant": "logged inside another log call too many times",
    "sampled": "a workflow samples their logger",
    "spool_error": "the disk refused until the process ended",
    "spool_full": "spool full",
    "spool_refused": "the spool was full or the disk refused",
    "too_large": "larger than a block",
    "worker_error": "the worker failed",
}
_ACTIVITIES = {
    "adding_ended": "summing up the counters of ended processes",
    "evicting": "deleting old records",
    "read_spool": "reading the spool",
    "write_checkpoint": "writing the checkpoint",
    "write_dead_letters": "writing dead letters",
    "write_spool": "writing the spool",
    "write_status": "writing the status file",
}
_SPAN_DROP_REASONS = {
    "already_shutdown": "the process ended before they were exported",
    "export_failed": "the exporter could not deliver them",
    "queue_full": "the exporter is too slow",
}
_CONSEQUENCES = {
    "default_used": "; the default is used",
    "ignored": "",
    "records_dropped": "; which processors a record needs is unknown, so all records are dropped and counted",
    "settings_kept": "; the settings stay as they were",
    "needs_restart": "; restart to change it",
}
_COUNTED = (DeadLettersWritten, RecordsDropped, RecordsEvicted, RecordsWaiting)
"""Kinds whose count is the news."""
_ANSWERS = (FormatterUnused, InstalledTwice, NameChanged, SettingsProblem, SettingsReloaded)
"""Kinds that answer what somebody did, who waits for the answer."""

_log = logging.getLogger("logging_system.events")


def in_words(event: Event) -> str:
    """Return what happened as a sentence, the fact first."""
    facts: dict[str, Any] = {each.name: getattr(event, each.name) for each in fields(event)}
    facts["records"] = f"{event.count:,} record{'' if event.count == 1 else 's'}"
    if isinstance(event, RecordsDropped):
        facts["reason"] = _drop_reason(event.reason)
    elif isinstance(event, DiskTrouble):
        facts["activity"] = _ACTIVITIES[event.activity]
        facts["meaning"] = _meaning(event.error)
        facts["detail"] = event.detail and f" ({event.detail})"
    elif isinstance(event, SettingsProblem):
        facts["where"] = event.where and f"{event.where}: "
        facts["consequence"] = _CONSEQUENCES[event.consequence]
    elif isinstance(event, SettingsReloaded):
        facts["changed"] = ", ".join(event.changed) or "nothing"
    elif isinstance(event, SpansDropped):
        facts["reason"] = _SPAN_DROP_REASONS[event.reason]
    else:
        facts |= _more(event)
    return _SENTENCES[type(event)].format_map(facts) + _times(event)


def _drop_reason(reason: str) -> str:
    own = reason.removeprefix("processor:")
    return DROP_REASONS.get(reason, reason) if own == reason else f"a processor dropped them ({own})"


def _more(event: Event) -> dict[str, str]:
    if isinstance(event, InstalledTwice):
        return {"differing": ", ".join(event.differing)}
    if isinstance(event, ShippingFailed):
        return {"detail": event.detail and f": {event.detail}"}
    if isinstance(event, RecordsWaiting):
        were = "record was" if event.count == 1 else "records were"
        counted = f"{'' if event.is_exact else 'At least '}{event.count:,} {were}"
        return {"counted": counted, "trouble": f": {event.trouble}" if event.trouble else "."}
    if isinstance(event, SpoolUnwritable):
        lost = "records are kept in memory until it can be written, and are lost if the process ends before"
        return {"consequence_of_folder": f"records go to {event.fallback}" if event.fallback else lost}
    if isinstance(event, ThreadRefused):
        waits = "records wait in the queue" if event.thread == "worker" else f"records stay in {event.folder}"
        return {"consequence_of_thread": waits}
    return {}


def _times(event: Event) -> str:
    counted = isinstance(event, _COUNTED)
    return "" if counted or event.count == 1 else f" ({event.count:,} times in the last second)"


def _meaning(error: str) -> str:
    number = getattr(errno, error, None)
    return f", {os.strerror(number)}" if isinstance(number, int) else ""


def log_in_words(event: Event) -> None:
    """Log an event as a warning of this package, which its own handler never takes."""
    # `logging.config` disables the loggers it does not know, unless told otherwise; nobody meant this one.
    _log.disabled = False
    _log.warning("%s", in_words(event))


class WordsInLog:
    """A subscriber that logs events in words; a trouble that lasts, once a minute.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged: dict[tuple[str, str], tuple[Event, float]] = {}

    def __call__(self, event: Event) -> None:
        """Log an event, unless it repeats the latest about its subject."""
        if not isinstance(event, (*_COUNTED, *_ANSWERS)) and self._repeats(event):
            return
        log_in_words(event)

    def _repeats(self, event: Event) -> bool:
        # Of a subject that changed in between, such as a breaker that closed, the next is news again.
        key = (event.subject, "") if event.subject and event.subject != "disk" else event.key
        facts, now_seconds = replace(event, count=1), self._clock()
        earlier = self._logged.get(key)
        if earlier is not None and earlier[0] == facts and now_seconds < earlier[1] + AGAIN_SECONDS:
            return True
        if len(self._logged) >= 256:
            self._logged.clear()
        self._logged[key] = (facts, now_seconds)
        return False
