"""The counters of every writer as files in the spool folder: one per epoch, and one for those that ended.

A handler, or a gateway, writes its file when something changed and touches it otherwise, so an old file means
an ended process. The folder's shipper adds such files to the total and removes them: however many processes
come and go, the folder stays small and no count is lost.

A process that ended without closing leaves what its queue held unknown: it may be in the spool or lost. Its
settled records are added, and what was queued when it was last heard of is `unsettled`: nothing is invented,
and `offered` never falls, which Prometheus would take for a restart.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from logging_system.monitoring.counters import (
    STATUS_INTERVAL_SECONDS,
    HandlerCounters,
    LiveCounters,
    both_content,
    write_status,
)
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import Delays
from logging_system.monitoring.writer_watch import WriterWatch
from logging_system.spool.segment import list_segments

ENDED_NAME = "status-handlers-ended.json"
ENDING = ".ending"
"""The suffix of a file that is just being added to the total."""
SHIPPER_NAME = "status-shipper.json"
"""Where a folder's shipper states its counters, unless a setting names another file."""
WATCH_NAME = "status-alerts.json"
"""Where `watch` states what it read and found."""
ENDED_AGE_SECONDS = 600.0
FILES_KEPT_MAX = 256
INTERVAL_SECONDS = 30.0
TOUCH_SECONDS = 30.0
"""How often a living process writes its file anew, whatever happens."""
_BATCH_FILES = 1_000
_REMEMBERED_MAX = 256
"""Epochs added before the last step: as many as may be added while a scrape reads the folder."""
_METERED = ("dropped", "admitted", "unsettled")
_NAME = re.compile(r"status-(?:handler|gateway)-([0-9a-f]{32})\.(json|ending)")

Kind = Literal["handler", "gateway"]


class HandlerStatusFile:
    """One epoch's file; used by the thread that writes its spool.

    Args:
        folder: The spool folder.
        epoch: Its 32 hexadecimal digits.
        service: What `service.name` is; None where each document says it.
        clock: Monotonic seconds.
        kind: What writes it.
        watch: Makes events of the counters, whose counts are written too.
        limits: What the queue and the spool may hold, written as it is.
    """

    def __init__(
        self,
        folder: Path,
        epoch: str,
        service: str | None,
        clock: Callable[[], float],
        *,
        kind: Kind = "handler",
        watch: WriterWatch | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self._folder = folder
        self._call_p99_ms: float | None = None
        self._path = folder / f"status-{kind}-{epoch}.json"
        named = {"epoch": epoch} if service is None else {"epoch": epoch, "service": service}
        self._fixed = {**named, **(limits or {})}
        self._clock = clock
        self._watch = watch
        self._written: tuple[HandlerCounters, HandlerFlow, dict[str, int], bool] | None = None
        self._base: tuple[HandlerCounters, HandlerFlow, dict[str, int]] | None = None
        self._touch_due_seconds = float("-inf")
        self._report_due_seconds = float("-inf")

    def report(self, live_counters: LiveCounters, *, closing: bool) -> None:
        """Bring the file up to date now and then, and at the end; what the disk refuses is counted.

        Args:
            live_counters: What is written, and where the disk's refusal is counted.
            closing: Whether the writer ends: the file is then written even if it was a moment ago.
        """
        now_seconds = self._clock()
        if not closing and now_seconds < self._report_due_seconds:
            return
        self._report_due_seconds = now_seconds + STATUS_INTERVAL_SECONDS
        counters, flow = live_counters.moment()
        self._call_p99_ms = live_counters.call_times.p99_ms()
        if self._watch is not None:
            self._watch.look(counters)
        try:
            self.write(counters, flow, closing=closing)
        except OSError as error:
            live_counters.spool_error(error)

    def write(self, counters: HandlerCounters, flow: HandlerFlow, *, closing: bool) -> None:
        """Bring the file up to date.

        Args:
            counters: What the counters say.
            flow: What the meter says of the same moment.
            closing: Whether this is the end.

        Raises:
            OSError: The disk refused.
        """
        now_seconds = self._clock()
        events = {} if self._watch is None else self._watch.events.counts()
        if (counters, flow, events, closing) == self._written and now_seconds < self._touch_due_seconds:
            return
        self._touch_due_seconds = now_seconds + TOUCH_SECONDS
        if self._written is not None and self._was_added():
            self._base = self._written[:3]
        shown, metered, said = counters, flow, events
        if self._base is not None:
            shown, metered = _since(self._base[:2], counters, flow)
            said = _less(events, self._base[2])
        content = {
            **self._fixed,
            "closed": closing,
            **both_content(shown, metered),
            "events": said,
            "log_call_p99_ms": self._call_p99_ms,
        }
        write_status(self._path, content)
        self._written = (counters, flow, events, closing)

    def _was_added(self) -> bool:
        # Held up for long, this process was taken for ended: what it had written is in the total.
        return not self._path.exists() and (self._folder / ENDED_NAME).exists()


@dataclass(slots=True)
class EndedHandlers:
    """What all ended handlers and gateways of a folder counted.

    Attributes:
        handlers: How many, gateways included.
        unclean_exits: How many of them ended without closing.
        unreadable: Files that could not be read, and are not counted.
        unsettled: Records queued where a process ended without closing: in the spool or lost.
        logged_to_durable_seconds: How long the admitted ones took.
        metered_dropped: What their meters said; see `cross_check.py`.
        metered_admitted: As above.
        metered_unsettled: As above.
        last_added: The epochs added by the last step, which a crash may have kept from being removed.
        recently_added: These and some before, by which a reader knows what was added while it read.
    """

    handlers: int = 0
    unclean_exits: int = 0
    unreadable: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    admitted: int = 0
    acknowledged_lost: int = 0
    callback_errors: int = 0
    spool_errors: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    last_added: list[str] = field(default_factory=list)
    recently_added: list[str] = field(default_factory=list)
    unsettled: int = 0
    logged_to_durable_seconds: Delays = field(default_factory=Delays)
    metered_dropped: dict[str, int] = field(default_factory=dict)
    metered_admitted: int = 0
    metered_unsettled: int = 0

    def content(self) -> dict[str, object]:
        """Return it as it is written; it balances because nothing in it is queued."""
        content = asdict(self)
        metrics = {name: content.pop(f"metered_{name}") for name in _METERED}
        return {**content, **_settled(content), "metrics": {**metrics, **_settled(metrics)}}

    def add(self, content: Mapping[str, Any]) -> None:
        """Add the counters of one handler.

        Args:
            content: What its status file states; where this raises, nothing of it is added.

        Raises:
            KeyError: They are none.
            TypeError: They are none.
            ValueError: They are none.
        """
        dropped = {str(reason): int(count) for reason, count in content["dropped"].items()}
        errors = {str(name): int(count) for name, count in content["spool_errors"].items()}
        events = {str(kind): int(count) for kind, count in content["events"].items()}
        delays = Delays.of_content(content["logged_to_durable_seconds"])
        admitted, unsettled = int(content["admitted"]), _unsettled(content)
        metrics = content["metrics"]
        metered = {str(reason): int(count) for reason, count in metrics["dropped"].items()}
        metered_unsettled = _unsettled(metrics)
        self.metered_admitted += int(metrics["admitted"])
        self.metered_unsettled += metered_unsettled
        _add(self.metered_dropped, metered)
        self.unsettled += unsettled
        self.logged_to_durable_seconds += delays
        self.acknowledged_lost += int(content.get("acknowledged_lost", 0))
        self.callback_errors += int(content["callback_errors"])
        self.unclean_exits += not content["closed"]
        self.admitted += admitted
        self.handlers += 1
        _add(self.dropped, dropped)
        _add(self.spool_errors, errors)
        _add(self.events, events)


def add_ended(folder: Path, now_seconds: float) -> int:
    """Add the files of ended handlers to the total; only the process that ships the folder may.

    A file is added when its epoch left nothing in the spool and it was not touched for ten minutes; closed
    ones earlier when there are very many files.

    Args:
        folder: The spool folder.
        now_seconds: Seconds since 1970.

    Returns:
        How many files were added.

    Raises:
        OSError: The disk refused; nothing is counted twice by trying again.
    """
    total = _read_total(folder)
    for path in _ending(folder):
        if _epoch(path) in total.last_added:
            path.unlink(missing_ok=True)
    for path in _ended(folder, now_seconds):
        # Renamed, so that what is read is what is removed, should the process live after all.
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_suffix(ENDING))
    taken = _ending(folder)
    if not taken:
        return 0
    for path in taken:
        try:
            total.add(orjson.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError):
            total.unreadable += 1
    total.last_added = [_epoch(path) for path in taken]
    total.recently_added = [*total.recently_added[-_REMEMBERED_MAX:], *total.last_added]
    write_status(folder / ENDED_NAME, total.content())
    for path in taken:
        path.unlink(missing_ok=True)
    return len(taken)


@contextlib.contextmanager
def adding_ended(
    folder: Path, clock: Callable[[], float], trouble: Callable[[OSError], None]
) -> Iterator[None]:
    """Call `add_ended` now and then, on a thread, for as long as this process ships the folder.

    Args:
        folder: The spool folder.
        clock: Seconds since 1970.
        trouble: Told when the disk refused.

    Yields:
        Nothing: the thread ends with the block, which waits a second for it at most.
    """
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            try:
                add_ended(folder, clock())
            except OSError as error:
                trouble(error)
            stopping.wait(INTERVAL_SECONDS)

    thread = threading.Thread(target=run, name="logging_system.ended-handlers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(1.0)


def status_files(folder: Path) -> list[Path]:
    """Return the files of handlers and gateways that were not added to the total.

    Args:
        folder: The spool folder; one that is not there has none.
    """
    return [path for path in folder.glob("status-*.json") if _epoch(path)]


def stated_files(folder: Path) -> list[tuple[str, Path]]:
    """Return these and the files that are just being added to the total, each with its epoch.

    Args:
        folder: The spool folder; one that is not there has none.
    """
    return [(epoch, path) for path in folder.glob("status-*") if (epoch := _epoch(path))]


def _ending(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"status-*{ENDING}") if _epoch(path))


def _read_total(folder: Path) -> EndedHandlers:
    try:
        content = orjson.loads((folder / ENDED_NAME).read_bytes())
        content |= {f"metered_{name}": content["metrics"][name] for name in _METERED}
        content["logged_to_durable_seconds"] = Delays.of_content(content["logged_to_durable_seconds"])
        return EndedHandlers(**{name: content[name] for name in asdict(EndedHandlers())})
    except FileNotFoundError:
        return EndedHandlers()
    except (ValueError, KeyError, TypeError, AttributeError):
        return EndedHandlers(unreadable=1)


def _ended(folder: Path, now_seconds: float) -> list[Path]:
    spooled = {epoch.hex() for epoch in list_segments(folder)}
    candidates: list[tuple[float, Path]] = []
    count = 0
    for path in status_files(folder):
        count += 1
        if _epoch(path) not in spooled:
            with contextlib.suppress(FileNotFoundError):
                candidates.append((now_seconds - path.stat().st_mtime, path))
    surplus = count - FILES_KEPT_MAX
    ended: list[Path] = []
    for place, (age_seconds, path) in enumerate(sorted(candidates, reverse=True)[:_BATCH_FILES]):
        if age_seconds >= ENDED_AGE_SECONDS or (place < surplus and _is_closed(path)):
            ended.append(path)
    return ended


def _is_closed(path: Path) -> bool:
    try:
        return orjson.loads(path.read_bytes()).get("closed") is True
    except (OSError, ValueError, AttributeError):
        return False


def _epoch(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match[1] if match is not None else ""


def _since(
    written: tuple[HandlerCounters, HandlerFlow], counters: HandlerCounters, flow: HandlerFlow
) -> tuple[HandlerCounters, HandlerFlow]:
    base, base_flow = written
    # What was queued then is in the total as unsettled, and is settled by now or queued here.
    later_flow = replace(
        flow,
        offered=flow.offered - base_flow.offered,
        unsettled=-base_flow.queued,
        dropped=_less(flow.dropped, base_flow.dropped),
        admitted=flow.admitted - base_flow.admitted,
    )
    later = replace(
        counters,
        offered=counters.offered - base.offered,
        unsettled=-base.queued,
        dropped=_less(counters.dropped, base.dropped),
        admitted=counters.admitted - base.admitted,
        acknowledged_lost=counters.acknowledged_lost - base.acknowledged_lost,
        callback_errors=counters.callback_errors - base.callback_errors,
        spool_errors=_less(counters.spool_errors, base.spool_errors),
        logged_to_durable_seconds=counters.logged_to_durable_seconds.less(base.logged_to_durable_seconds),
    )
    return later, later_flow


def _settled(content: Mapping[str, Any]) -> dict[str, object]:
    """Return what follows where nothing is queued."""
    offered = sum(content["dropped"].values()) + content["admitted"] + content["unsettled"]
    return {"offered": offered, "queued": 0, "balanced": True}


def _unsettled(content: Mapping[str, Any]) -> int:
    """Return what was queued when an ended process was last heard of; after a close that is nothing."""
    return int(content["queued"]) + int(content["unsettled"])


def _less(counts: Mapping[str, int], base: Mapping[str, int]) -> dict[str, int]:
    return {name: count - base.get(name, 0) for name, count in counts.items()}


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count
