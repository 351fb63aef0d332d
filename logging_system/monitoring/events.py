"""What happens inside, as typed facts: every kind of event, each a frozen dataclass.

Whoever sees something happen emits one of these to an `EventStream` (`event_stream.py`); subscribers show it:
`event_words.py` makes a sentence of it, status files and metrics count it. No emitter formats text.

A new kind, such as an encryption key's rotation, is a class here and its sentence in `event_words.py`. Its
row in docs/reference/logging-events.md is checked by a test; its contract is one test in
tests/unit/logging_system/monitoring/test_events.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

Activity = Literal[
    "adding_ended",
    "evicting",
    "read_spool",
    "write_checkpoint",
    "write_dead_letters",
    "write_spool",
    "write_status",
]
SpanDropReason = Literal["already_shutdown", "export_failed", "queue_full"]
Consequence = Literal["default_used", "ignored", "records_dropped", "settings_kept", "needs_restart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, once or several times.

    Attributes:
        count: How often, or to how many records.
    """

    subject: ClassVar[str] = ""
    """What it is about, shared by events of which the latest holds, such as a breaker opened and closed."""

    count: int = 1

    @property
    def kind(self) -> str:
        """Return the class's name as a word: `records_dropped`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and reason; events of one key are summed up within a second."""
        return self.kind, ""

    def after(self, earlier: Event) -> Event:
        """Return this event with the count of an earlier one of its key added."""
        return replace(self, count=self.count + earlier.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUnavailable(Event):
    """The store could not be prepared; it is tried again, and records wait in the spool.

    Attributes:
        trouble: The sink's words.
    """

    subject: ClassVar[str] = "store"
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAvailable(Event):
    """The store could be prepared after it could not be."""

    subject: ClassVar[str] = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOpened(Event):
    """Several requests in a row had no valid answer: the store is tested by one small request at a time.

    Attributes:
        trouble: Why the last request proved nothing.
    """

    subject: ClassVar[str] = "breaker"
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerClosed(Event):
    """The store stores or refuses documents again."""

    subject: ClassVar[str] = "breaker"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRemark(Event):
    """Something about the store that an operator should know and that stops nothing.

    Attributes:
        stream: The data stream.
        topic: What it is about; a remark on one topic hides none on another.
        remark: What was seen, and the remedy.
    """

    stream: str
    topic: Literal["set_up", "credentials", "authorities", "verification", "key_index"]
    remark: str

    @property
    def key(self) -> tuple[str, str]:
        """Return kind, topic and remark."""
        return self.kind, f"{self.topic} {self.remark}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackBegun(Event):
    """Records go to files, because the store could not be used for long.

    Attributes:
        path: The files.
        outage_seconds: For how long.
        trouble: Why the store could not be used the last time.
    """

    subject: ClassVar[str] = "fallback"
    path: Path
    outage_seconds: float
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackEnded(Event):
    """Records go to the store again.

    Attributes:
        path: Where those are that went to files.
    """

    subject: ClassVar[str] = "fallback"
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolNearlyFull(Event):
    """The spool holds nearly as many bytes as it may.

    Attributes:
        used_bytes: What it holds.
        bytes_max: What it may hold.
    """

    subject: ClassVar[str] = "spool_room"
    used_bytes: int
    bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFull(Event):
    """The spool refuses new records.

    Attributes:
        used_bytes: What it holds.
        bytes_max: What it may hold.
    """

    subject: ClassVar[str] = "spool_room"
    used_bytes: int
    bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolHasRoom(Event):
    """The spool has room again.

    Attributes:
        used_bytes: What it holds.
        bytes_max: What it may hold.
    """

    subject: ClassVar[str] = "spool_room"
    used_bytes: int
    bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsDropped(Event):
    """Records were given up by the handler or the gateway; `count` is how many.

    Attributes:
        reason: Why; a word of docs/reference/logging-metrics.md.
    """

    reason: str

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and reason."""
        return self.kind, self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsEvicted(Event):
    """Records were deleted from the spool by retention, delivered ones included; `count` is how many.

    Attributes:
        freed_bytes: The room that made.
    """

    freed_bytes: int

    def after(self, earlier: Event) -> Event:
        """Return this event with the records and bytes of an earlier one added."""
        earlier_bytes = earlier.freed_bytes if isinstance(earlier, RecordsEvicted) else 0
        return replace(self, count=self.count + earlier.count, freed_bytes=self.freed_bytes + earlier_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersWritten(Event):
    """The store refused records for good, which are in the dead letters now; `count` is how many.

    Attributes:
        status: The store's HTTP status for the last one.
        reason: Its reason for the last one.
    """

    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFailed(Event):
    """`on_durable` raised an exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotated(Event):
    """A new version of an encryption key is in use, and nothing needs the old one.

    Attributes:
        key_id: Which key.
        version: The version that is active now.
        why: `schedule`, `usage`, `demand` or `suspicion`.
    """

    subject: ClassVar[str] = "keys"
    key_id: str
    version: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUnavailable(Event):
    """There is no encryption key, so that nothing is written; it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTrouble(Event):
    """A rotation could not go on; it is tried again.

    Attributes:
        key_id: Which key.
        trouble: The provider's or the disk's words; nothing secret.
    """

    subject: ClassVar[str] = "keys"
    key_id: str
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskTrouble(Event):
    """The disk refused something, which is tried again.

    Attributes:
        activity: What it was needed for.
        error: The name of the errno, such as ENOSPC, or of the exception's class.
        detail: What else the error says, such as the path.
    """

    subject: ClassVar[str] = "disk"
    activity: Activity
    error: str
    detail: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and activity."""
        return self.kind, f"{self.activity} {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRefused(Event):
    """The system could not start another thread.

    Attributes:
        thread: The thread that could not be started.
        folder: The spool folder.
    """

    thread: Literal["worker", "shipper"]
    folder: Path

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and thread."""
        return self.kind, self.thread


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingFailed(Event):
    """The thread that ships could not go on; it tries again, and records stay in the spool.

    Attributes:
        folder: The spool folder.
        error: The class of the exception.
        detail: What the exception says.
    """

    folder: Path
    error: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsWaiting(Event):
    """The process ends while records in the spool are not delivered; `count` is how many.

    Attributes:
        folder: The spool folder.
        is_exact: Whether there was time to count them all; if not, there may be more.
        trouble: Why the store did not take them; empty where it just had no time.
    """

    folder: Path
    is_exact: bool
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolUnwritable(Event):
    """The spool folder could not be used when the process began.

    Attributes:
        trouble: Which folder, and why.
        fallback: Where records go instead; None where they can go nowhere.
    """

    trouble: str
    fallback: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolBusy(Event):
    """A shipper that read its settings again waits for the spool folder.

    Attributes:
        detail: Why it cannot be had.
    """

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolTakenOver(Event):
    """The spool folder was removed, and another process ships the one that took its place.

    Attributes:
        folder: The spool folder.
        unfinished: Records read before that had not arrived.
    """

    folder: Path
    unfinished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsProblem(Event):
    """A setting could not be used.

    Attributes:
        where: Where its value came from, such as `settings.yaml:3 connections`; empty where several did.
        what: What is wrong and what would be right; never the value.
        consequence: What happens instead.
    """

    where: str
    what: str
    consequence: Consequence

    @property
    def key(self) -> tuple[str, str]:
        """Return kind, place and what is wrong: no problem hides another."""
        return self.kind, f"{self.where} {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsReloaded(Event):
    """`ship` has read its settings again.

    Attributes:
        changed: The names of those that changed.
    """

    changed: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledTwice(Event):
    """`install` was called again with other settings, which are not used.

    Attributes:
        differing: The names of the settings that differ.
    """

    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerDetached(Event):
    """Somebody took the handler off the root logger: records reach it no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsReplaced(Event):
    """Somebody replaced Python's threads, as gevent does, after the handler had started its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatterUnused(Event):
    """The handler was given a formatter, which it does not use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChanged(Event):
    """A name was derived from the service's, which holds characters that such a name may not.

    Attributes:
        service: The service's name.
        setting: What would give another name.
        name: The name in use.
    """

    service: str
    setting: Literal["spool", "stream"]
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and setting."""
        return self.kind, self.setting


@dataclass(frozen=True, slots=True, kw_only=True)
class SpansDropped(Event):
    """Spans of the pipeline were given up; no record is affected.

    Attributes:
        reason: Why, in OpenTelemetry's words.
    """

    reason: SpanDropReason

    @property
    def key(self) -> tuple[str, str]:
        """Return kind and reason."""
        return self.kind, self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingUnavailable(Event):
    """The settings ask for spans of the pipeline, and none can be made; no record is affected.

    Attributes:
        trouble: What is missing or broken.
    """

    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBehind(Event):
    """More records come than `watch` reads; detection reads a sample until it has caught up, rules all.

    Attributes:
        lag_seconds: How long the oldest record that is not read has waited.
        one_in: Of how many records below error detection reads one.
    """

    subject: ClassVar[str] = "watch"
    lag_seconds: float
    one_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCaughtUp(Event):
    """`watch` has read all records again.

    Attributes:
        lasted_seconds: For how long it was behind.
    """

    subject: ClassVar[str] = "watch"
    lasted_seconds: float


KINDS: tuple[type[Event], ...] = tuple(Event.__subclasses__())
"""Every kind of event."""


def dropped_since(before: dict[str, int], now: dict[str, int]) -> list[RecordsDropped]:
    """Return what was dropped between two counts, by reason.

    Args:
        before: The earlier count of each reason; one that it lacks is zero.
        now: The later count of each reason.
    """
    return [
        RecordsDropped(reason=reason, count=count - before.get(reason, 0))
        for reason, count in now.items()
        if count > before.get(reason, 0)
    ]
