"""The counters of every writer as files in the spool folder: one per epoch, and one for those that ended.

A handler, or a gateway, writes its file when something changed and touches it otherwise, so an old file means
an ended process. The folder's shipper adds such files to the total and removes them: however many processes
come and go, the folder stays small and no count is lost.

A process that ended without closing leaves what its queue held unknown. Its settled records are added, the
rest is not invented: `unclean_exits` says that there may have been some.
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
from logging_system.monitoring.writer_watch import WriterWatch
from logging_system.spool.segment import list_segments

ENDED_NAME = "status-handlers-ended.json"
SHIPPER_NAME = "status-shipper.json"
"""Where a folder's shipper states its counters, unless a setting names another file."""
ENDED_AGE_SECONDS = 600.0
FILES_KEPT_MAX = 256
INTERVAL_SECONDS = 30.0
_TOUCH_SECONDS = 30.0
_BATCH_FILES = 1_000
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
        bounds: What may be queued and spooled at most, by name; a reader compares the counters with it.
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
        bounds: Mapping[str, int] | None = None,
    ) -> None:
        self._folder = folder
        self._bounds = dict(bounds or {})
        self._call_p99_ms: float | None = None
        self._path = folder / f"status-{kind}-{epoch}.json"
        self._fixed = {"epoch": epoch} if service is None else {"epoch": epoch, "service": service}
        self._clock = clock
        self._watch = watch
        self._written: tuple[HandlerCounters, HandlerFlow, dict[str, int], bool] | None = None
        self._base: tuple[HandlerCounters, HandlerFlow, dict[str, int]] | None = None
        self._touch_due_seconds = float("-inf")
        self._report_due_seconds = float("-inf")

    def report(self, live_counters: LiveCounters, *, closing: bool) -> None:
        """Bring the file up to date now and then, and at the end; what the disk refuses is counted."""
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
        self._touch_due_seconds = now_seconds + _TOUCH_SECONDS
        if self._written is not None and self._was_added():
            self._base = self._written[:3]
        shown, metered, said = counters, flow, events
        if self._base is not None:
            shown, metered = _since(self._base[:2], counters, flow)
            said = _less(events, self._base[2])
        performance = {**self._bounds, "log_call_p99_ms": self._call_p99_ms}
        content = {
            **self._fixed,
            "closed": closing,
            **both_content(shown, metered),
            "events": said,
            "performance": performance,
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
        metered_dropped: What their meters said; see `cross_check.py`.
        metered_admitted: As above.
        last_added: The epochs added by the last step, which a crash may have kept from being removed.
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
    metered_dropped: dict[str, int] = field(default_factory=dict)
    metered_admitted: int = 0

    def content(self) -> dict[str, object]:
        """Return it as it is written; it balances because only settled records are in it."""
        content = asdict(self)
        metrics = {"dropped": content.pop("metered_dropped"), "admitted": content.pop("metered_admitted")}
        return {**content, **_settled(content), "metrics": {**metrics, **_settled(metrics)}}

    def add(self, content: Mapping[str, Any]) -> None:
        """Add the counters of one handler.

        Raises:
            KeyError: They are none.
            TypeError: They are none.
            ValueError: They are none.
        """
        dropped = {str(reason): int(count) for reason, count in content["dropped"].items()}
        errors = {str(name): int(count) for name, count in content["spool_errors"].items()}
        events = {str(kind): int(count) for kind, count in content["events"].items()}
        admitted = int(content["admitted"])
        metrics = content.get("metrics") or {"dropped": dropped, "admitted": admitted}
        metered = {str(reason): int(count) for reason, count in metrics["dropped"].items()}
        self.metered_admitted += int(metrics["admitted"])
        _add(self.metered_dropped, metered)
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
            path.rename(path.with_suffix(".ending"))
    taken = _ending(folder)
    if not taken:
        return 0
    for path in taken:
        try:
            total.add(orjson.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError):
            total.unreadable += 1
    total.last_added = [_epoch(path) for path in taken]
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
    """Return the files of handlers and gateways that were not added to the total."""
    return [path for path in folder.glob("status-*.json") if _epoch(path)]


def _ending(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("status-*.ending") if _epoch(path))


def _read_total(folder: Path) -> EndedHandlers:
    try:
        content = orjson.loads((folder / ENDED_NAME).read_bytes())
        # Before there were two surfaces, one was all that was known.
        metrics = content.get("metrics", content)
        content["metered_dropped"], content["metered_admitted"] = metrics["dropped"], metrics["admitted"]
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
    settled = sum(base.dropped.values()) + base.admitted
    settled_flow = sum(base_flow.dropped.values()) + base_flow.admitted
    later_flow = replace(
        flow,
        offered=flow.offered - settled_flow,
        dropped=_less(flow.dropped, base_flow.dropped),
        admitted=flow.admitted - base_flow.admitted,
    )
    later = replace(
        counters,
        offered=counters.offered - settled,
        dropped=_less(counters.dropped, base.dropped),
        admitted=counters.admitted - base.admitted,
        acknowledged_lost=counters.acknowledged_lost - base.acknowledged_lost,
        callback_errors=counters.callback_errors - base.callback_errors,
        spool_errors=_less(counters.spool_errors, base.spool_errors),
    )
    return later, later_flow


def _settled(content: Mapping[str, Any]) -> dict[str, object]:
    """Return what follows where nothing is queued; it balances because only settled records are in it."""
    return {"offered": sum(content["dropped"].values()) + content["admitted"], "queued": 0, "balanced": True}


def _less(counts: Mapping[str, int], base: Mapping[str, int]) -> dict[str, int]:
    return {name: count - base.get(name, 0) for name, count in counts.items()}


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count
