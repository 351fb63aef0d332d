"""`ship`: takes a spool folder to the store until it is told to stop; SIGHUP reads the settings again."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.cli.flags import (
    PRECEDENCE,
    add_flags,
    flag,
    given_settings,
    missing_folder,
    tell_warnings,
)
from logging_system.cli.parser import EXIT_DONE, Parser, fail, say_ready

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.config.encryption import Protection
    from logging_system.config.loading import Loaded
    from logging_system.config.settings import Settings
    from logging_system.monitoring.event_stream import EventStream
    from logging_system.monitoring.tracing import Tracing
    from logging_system.shipping.shipper import Shipper
    from logging_system.sinks import Sink

_BUSY_WAIT_SECONDS = 0.5
_LAST_EVENTS_SECONDS = 0.5
_LAST_SPANS_SECONDS = 0.5
_ALLOCATIONS_PER_COLLECTION = 50_000
_COLLECTION_SECONDS = 1.0


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        "ship",
        help="send a spool folder to Elasticsearch or to a file",
        description="Delivers every record of a spool folder, and new ones as they come. Prints one JSON "
        "line when it is ready; Elasticsearch need not be up. SIGTERM stops it within 5 seconds; SIGHUP "
        "reads the settings again without losing a record. " + PRECEDENCE,
        epilog="Exit codes: 0 stopped, 1 the folder or the port cannot be used, 4 a mistake in arguments or "
        "settings.",
    )
    add_flags(parser, "ship")
    parser.add_argument("--lifeline", action="store_true", help="stop when standard input is closed")
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.config.loading import load_settings
    from logging_system.config.settings import protection_of
    from logging_system.config.tracing import tracing_of
    from logging_system.monitoring.event_stream import EventStream
    from logging_system.monitoring.event_words import WordsInLog
    from logging_system.shipping.sink_factory import sink_opener

    def load() -> Loaded:
        return load_settings(given_settings(options), written=flag)

    loaded = load()
    wrong = [*map(str, loaded.problems), *_missing(loaded)]
    if wrong:
        parser.error("; ".join(wrong))
    events = EventStream(WordsInLog())
    tell_warnings(loaded, events.emit)
    try:
        folder = loaded.settings.spool_folder
        protection = protection_of(loaded.settings)
        tracing = tracing_of(loaded.settings, events.emit)
        sink = sink_opener(loaded.settings, events.emit, protection=protection, tracing=tracing)()
    except (ValueError, RuntimeError, OSError) as error:
        parser.error(str(error))
    # Records are no cycles: looking for some among them took a fifth of the time. What is loaded stays.
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
    shipping = _Shipping(folder, loaded.settings, sink, load, events, protection, tracing)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: shipping.stop())
    signal.signal(signal.SIGHUP, lambda _number, _frame: shipping.reload())
    if options.lifeline:
        threading.Thread(target=_follow_lifeline, args=(shipping.stop,), daemon=True).start()
    try:
        return shipping.run()
    finally:
        tracing.close(_LAST_SPANS_SECONDS)
        events.close(_LAST_EVENTS_SECONDS)


class _Shipping:
    """Ships with one set of settings after the other; the spool holds everything in between."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        sink: Sink,
        load: Callable[[], Loaded],
        events: EventStream,
        protection: Protection | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        from logging_system.config.encryption import UNPROTECTED
        from logging_system.monitoring.tracing import NO_TRACING
        from logging_system.shipping.shipper import STATUS_NAME

        self._folder = folder
        self._status_path = settings.status or folder / STATUS_NAME
        self._settings = settings
        self._protection = protection or UNPROTECTED
        self._tracing = tracing or NO_TRACING
        self._sink = sink
        self._load = load
        self._events = events
        self._shipper: Shipper | None = None
        self._stopping = False
        self._reloading = False

    def stop(self) -> None:
        """End; from a signal handler or another thread."""
        self._stopping = True
        self._interrupt()

    def reload(self) -> None:
        """Read the settings again; from a signal handler."""
        self._reloading = True
        self._interrupt()

    def run(self) -> int:
        from logging_system.monitoring.status_files import adding_ended
        from logging_system.spool.checkpoint import SpoolVersionError
        from logging_system.spool.reader import SpoolBusyError

        try:
            self._shipper = self._new_shipper()
        except (SpoolBusyError, OSError) as error:
            return fail("ship", self._why_not(error))
        try:
            with _serving(self._settings.status_port, self._folder, self._status_path) as port:
                _say_ready(port)
                stated = adding_ended(self._folder, time.time, self._tell_disk)
                with stated, self._exporting(), _collecting_garbage():
                    self._ship()
        except (SpoolBusyError, SpoolVersionError) as error:
            return fail("ship", self._why_not(error))
        except OSError as error:
            return fail("ship", f"--status-port {self._settings.status_port}: {error.strerror}")
        return EXIT_DONE

    def _ship(self) -> None:
        while self._shipper is not None:
            if self._stopping or self._reloading:
                self._shipper.stop()
            try:
                self._shipper.run()
            finally:
                self._sink.close()
                self._shipper = None
            if self._stopping:
                return
            self._reloading = False
            self._take_over_settings()
            self._shipper = self._next_shipper()

    def _take_over_settings(self) -> None:
        from logging_system.config.settings import changed, protection_of, used_by
        from logging_system.monitoring.events import SettingsProblem, SettingsReloaded

        loaded = self._load()
        trouble = "; ".join([*map(str, loaded.problems), *_missing(loaded)])
        if not trouble:
            try:
                protection = protection_of(loaded.settings)
                self._sink, self._protection = self._opened(loaded.settings, protection), protection
            except (ValueError, OSError) as error:
                trouble = str(error)
        if trouble:
            self._events.emit(SettingsProblem(where="", what=trouble, consequence="settings_kept"))
            self._sink = self._opened(self._settings, self._protection)
            return
        names = changed(self._settings, loaded.settings)
        for name in (each for each in names if used_by(each).change == "restart"):
            where = loaded.where(name)
            self._events.emit(SettingsProblem(where=where, what="changed", consequence="needs_restart"))
        self._settings = loaded.settings
        self._events.emit(SettingsReloaded(changed=tuple(names)))

    def _opened(self, settings: Settings, protection: Protection) -> Sink:
        from logging_system.shipping.sink_factory import sink_opener

        return sink_opener(settings, self._events.emit, protection=protection, tracing=self._tracing)()

    def _why_not(self, error: Exception) -> str:
        from logging_system.spool.checkpoint import SpoolVersionError

        if isinstance(error, SpoolVersionError):
            return f"--spool {error.strerror}"
        if isinstance(error, OSError):
            return f"--spool {self._folder}: {error.strerror}; name a folder this user may write to"
        return str(error)

    def _new_shipper(self) -> Shipper:
        from logging_system.shipping.shipper import Shipper
        from logging_system.shipping.sink_factory import limits_of, searchable_after_seconds

        return Shipper(
            self._folder,
            self._sink,
            limits=limits_of(self._settings),
            codecs=self._protection.codecs,
            lines=self._protection.lines,
            rotation=self._protection.rotation(),
            status_path=self._status_path,
            retention_seconds=self._settings.retention_seconds,
            events=self._events,
            searchable_after_seconds=searchable_after_seconds(self._settings),
            tracing=self._tracing,
        )

    def _next_shipper(self) -> Shipper | None:
        from logging_system.monitoring.events import SpoolBusy
        from logging_system.spool.checkpoint import SpoolVersionError
        from logging_system.spool.reader import SpoolBusyError

        while not self._stopping:
            try:
                return self._new_shipper()
            except SpoolVersionError:
                raise  # waiting does not make an older version able to read it
            except (SpoolBusyError, OSError) as error:
                self._events.emit(SpoolBusy(detail=str(error)))
                time.sleep(_BUSY_WAIT_SECONDS)
        return None

    def _exporting(self) -> contextlib.AbstractContextManager[None]:
        from logging_system.monitoring.events import SettingsProblem
        from logging_system.shipping.telemetry import exporting_metrics

        def tell(what: str) -> None:
            self._events.emit(
                SettingsProblem(where="opentelemetry_metrics: ", what=what, consequence="ignored")
            )

        return exporting_metrics(self._settings, self._folder, self._status_path, tell, own_provider=True)

    def _tell_disk(self, error: OSError) -> None:
        from logging_system.monitoring.counters import error_name
        from logging_system.monitoring.events import DiskTrouble

        detail = str(error.filename or "")
        self._events.emit(DiskTrouble(activity="adding_ended", error=error_name(error), detail=detail))

    def _interrupt(self) -> None:
        shipper = self._shipper
        if shipper is not None:
            shipper.stop()


def _missing(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    named = "service" in loaded.origins
    yield from missing_folder(loaded)
    if not settings.elasticsearch and settings.file is None:
        yield "--elasticsearch is required, or --file"
    if settings.elasticsearch and settings.file is None and settings.stream is None and not named:
        yield "--stream is required, or --service, which names the default one"


@contextlib.contextmanager
def _serving(port: int | None, folder: Path, status_path: Path) -> Iterator[int | None]:
    if port is None:
        yield None
        return
    from logging_system.monitoring.prometheus import serve_metrics

    with serve_metrics(port, folder, status_path) as bound_port:
        yield bound_port


@contextlib.contextmanager
def _collecting_garbage() -> Iterator[None]:
    """Look for garbage by the clock too: in a shipper that waits, few allocations may hold much memory.

    So do exceptions of a key provider that hold the frames they came through, and those a piece of the spool.
    """
    stopping = threading.Event()

    def collect() -> None:
        while not stopping.wait(_COLLECTION_SECONDS):
            gc.collect()

    threading.Thread(target=collect, name="logging_system.garbage", daemon=True).start()
    try:
        yield
    finally:
        stopping.set()


def _follow_lifeline(stop: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop()


def _say_ready(status_port: int | None) -> None:
    say_ready(pid=os.getpid(), **({} if status_port is None else {"status_port": status_port}))
