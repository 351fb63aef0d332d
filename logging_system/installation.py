"""Puts the logging system into an application with one call.

Nothing here raises for a bad setting, an unusable folder or a dead store: the application starts, the trouble
is reported and counted.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from stat import S_ISDIR
from typing import Any

import orjson

from logging_system.config.encryption import UNPROTECTED, Protection
from logging_system.config.loading import Loaded, Problem, load_settings
from logging_system.config.settings import (
    Settings,
    chain_of,
    changed,
    derived_names,
    protection_of,
)
from logging_system.config.tracing import tracing_of
from logging_system.handler.attachment import Attachment
from logging_system.handler.handler import CLOSE_SECONDS_MAX, SpoolHandler
from logging_system.handler.own_warnings import OWN_NAME
from logging_system.handler.worker import OnDurable
from logging_system.monitoring.counters import HandlerCounters, ShipperCounters, error_name
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import WordsInLog
from logging_system.monitoring.events import (
    Consequence,
    InstalledTwice,
    NameChanged,
    SettingsProblem,
    SpoolUnwritable,
)
from logging_system.monitoring.tracing import Tracing
from logging_system.records.processors import Chain, Closed, ProcessorError
from logging_system.shipping.in_process import InProcessShipper
from logging_system.shipping.shipper import STATUS_NAME
from logging_system.shipping.sink_factory import limits_of, searchable_after_seconds, sink_opener
from logging_system.shipping.telemetry import exporting_metrics
from logging_system.spool.forks import FORKS
from logging_system.spool.segment import FOLDER_MODE, check_writable
from logging_system.spool.uwsgi import forks_to_come


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of the records.

    Attributes:
        handler: The counters of this process, of one moment.
        shipper: Those of the spool folder's shipper, whichever process that is, at most about a second old;
            None before there was one.
        settings_problems: Settings that could not be used and have their defaults.
    """

    handler: HandlerCounters
    shipper: ShipperCounters | None
    settings_problems: int


class Installation:
    """The logging system of this process.

    Attributes:
        settings: What is in force.
        spool: The spool folder.
        handler: The handler.
        problems: The settings that could not be used.

    Args:
        loaded: The settings, and where each came from.
        on_durable: Called on the worker's thread with the log records that have become durable.
    """

    def __init__(self, loaded: Loaded, *, on_durable: OnDurable | None) -> None:
        self.settings = settings = loaded.settings
        self.problems = list(loaded.problems)
        self.spool, unwritable = _usable_folder(settings)
        if "service" not in loaded.origins:
            self._note(Problem("service", loaded.where("service"), 'not given; say service="checkout"'))
        chain = self._chain(loaded)
        protection = self._protection(loaded)
        if protection is None:
            chain, protection = Closed(), UNPROTECTED  # nothing comes through to be written
        events = EventStream(WordsInLog())
        tracing = tracing_of(settings, events.emit)
        self.handler = SpoolHandler(
            spool=self.spool,
            service=settings.service,
            durability=settings.durability,
            queue_records_max=settings.queue_records_max,
            queue_bytes_max=settings.queue_bytes_max,
            spool_bytes_max=settings.spool_bytes_max,
            retention=settings.retention,
            when_full=settings.when_full,
            block_seconds=settings.block_seconds,
            close_seconds=settings.close_seconds,
            on_durable=on_durable,
            chain=chain,
            codecs=protection.codecs,
            in_process=self._in_process(loaded, protection, tracing),
            tracing=tracing,
            events=events,
            is_namespaced=bool(settings.namespaces),
            level=settings.level,
        )
        self.on_durable = on_durable
        for setting, name in derived_names(settings).items():
            self.handler.events.emit(NameChanged(service=settings.service, setting=setting, name=name))
        for problem in loaded.warnings:
            self._tell(problem, "ignored")
        for problem in self.problems:
            self._tell(problem, "records_dropped" if problem.hides_processors else "default_used")
        if unwritable is not None:
            self._note(Problem("spool", loaded.where("spool"), unwritable.trouble))
            self.handler.events.emit(unwritable)

    def flush(self, timeout: float = CLOSE_SECONDS_MAX) -> bool:
        """Wait until all records logged so far are as durable as promised, or dropped.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether that happened in time.
        """
        return self.handler.flush(timeout)

    def stats(self) -> Stats:
        """Return the counters."""
        return Stats(self.handler.stats(), _shipper_counters(self.spool / STATUS_NAME), len(self.problems))

    def close(self) -> None:
        """Seal the spool in bounded time; later records are dropped, counted and told."""
        self.handler.attachment = None
        logging.getLogger().removeHandler(self.handler)
        self.handler.end()

    def is_replaced_by(self, loaded: Loaded, on_durable: OnDurable | None) -> bool:
        """Whether an `install` with these settings begins anew.

        Args:
            loaded: The settings.
            on_durable: As of `install`.
        """
        handler = self.handler
        return handler.ended or (
            handler.closed
            and (bool(changed(self.settings, loaded.settings)) or on_durable is not self.on_durable)
        )

    def attach(self) -> None:
        """Give the root logger the handler, and a level at which it lets through what is to be kept."""
        root = logging.getLogger()
        if self.handler not in root.handlers:
            root.addHandler(self.handler)
        if root.level > self.handler.level:
            root.setLevel(self.handler.level)
        self.handler.attachment = Attachment(self.handler, self.handler.events.emit)
        if forks_to_come():
            self.handler.events.hand_on()  # no thread does it

    def _chain(self, loaded: Loaded) -> Chain:
        if any(problem.hides_processors for problem in loaded.problems):
            return Closed()
        try:
            return chain_of(loaded.settings)
        except ProcessorError as error:
            self._note(Problem("processors", loaded.where("processors"), str(error)))
            return Closed()

    def _protection(self, loaded: Loaded) -> Protection | None:
        """Return how records are stored; None where that is not known, so that none may be."""
        try:
            return protection_of(loaded.settings, self.spool)
        except (ValueError, RuntimeError) as error:
            self._note(Problem("encryption", loaded.where("encryption"), str(error)))
            return None

    def _in_process(
        self, loaded: Loaded, protection: Protection, tracing: Tracing
    ) -> InProcessShipper | None:
        settings = loaded.settings
        if settings.shipper == "none":
            return None
        if not settings.elasticsearch and settings.file is None:
            self._note(
                Problem(
                    "elasticsearch", loaded.where("elasticsearch"), f"not given; records stay in {self.spool}"
                )
            )
            return None
        return InProcessShipper(
            self.spool,
            partial(sink_opener, settings, protection=protection, tracing=tracing),
            limits=limits_of(settings),
            codecs=protection.codecs,
            lines=protection.lines,
            rotation=protection.rotation(),
            retention_seconds=settings.retention_seconds,
            searchable_after_seconds=searchable_after_seconds(settings),
            tracing=tracing,
            exporting=partial(
                exporting_metrics, settings, self.spool, self.spool / STATUS_NAME, own_provider=False
            ),
        )

    def _tell(self, problem: Problem, consequence: Consequence) -> None:
        self.handler.events.emit(
            SettingsProblem(where=problem.where, what=problem.what, consequence=consequence)
        )

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)


_lock = threading.RLock()
_current: Installation | None = None


def install(
    elasticsearch: str | list[str] | None = None,
    *,
    on_durable: OnDurable | None = None,
    **settings: Any,
) -> Installation:
    """Send what this process logs to Elasticsearch, through a durable spool.

    A second call returns the first one's installation. Never raises for the value of a setting.

    Args:
        elasticsearch: The URL of a node, or several.
        on_durable: Called with exactly the records that have just become durable.
        settings: Any other setting by its name, see docs/reference/settings.md; `settings="settings.yaml"`
            names a file of them; `processors=[…]` takes objects as well as words.

    Returns:
        The handle: `flush(timeout)`, `stats()`, `close()`.
    """
    installation = _install({"elasticsearch": elasticsearch, **settings}, on_durable)
    installation.attach()
    return installation


def installed_handler(*, on_durable: OnDurable | None = None, **settings: Any) -> SpoolHandler:
    """Return the handler of `install` without attaching it: a factory for `logging.config.dictConfig`.

    Args:
        on_durable: As of `install`.
        settings: As of `install`; `elasticsearch` is one of them here.
    """
    was_closed = _current is not None and _current.handler.closed
    installation = _install(settings, on_durable)
    if was_closed:
        # A configuration says anew which filters there are.
        installation.handler.filters.clear()
        installation.handler.setLevel(installation.settings.level)
    return installation.handler


def _install(keywords: dict[str, Any], on_durable: OnDurable | None) -> Installation:
    global _current  # noqa: PLW0603 - one per process, as the tree of loggers is
    FORKS.notice()
    loaded = load_settings(keywords, written="install({}=…)".format)
    with _lock:
        if _current is None or _current.is_replaced_by(loaded, on_durable):
            if _current is not None:
                _current.close()  # not twice what a handler left attached would keep too
            _current = Installation(loaded, on_durable=on_durable)
        elif differing := changed(_current.settings, loaded.settings):
            _current.handler.events.emit(InstalledTwice(differing=tuple(differing)))
        return _current


def _shipper_counters(path: Path) -> ShipperCounters | None:
    try:
        content = orjson.loads(path.read_bytes())
        return ShipperCounters(**{field.name: content[field.name] for field in fields(ShipperCounters)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _usable_folder(settings: Settings) -> tuple[Path, SpoolUnwritable | None]:
    """Return the spool folder, or else a temporary one and what was wrong with the first."""
    folder: Path | None = None
    try:
        folder = settings.spool_folder
        check_writable(folder)
    except RuntimeError:
        trouble = "This user has no home folder"
    except OSError as error:
        trouble = f"Cannot write to {folder}: {error_name(error)}, {error.strerror}"
    else:
        return folder, None
    try:
        fallback = _temporary_folder(settings.service_name)
        check_writable(fallback)
    except OSError as error:
        also = f"{trouble}, nor to a temporary folder: {error_name(error)}, {error.strerror}"
        return folder or Path(os.devnull) / OWN_NAME, SpoolUnwritable(trouble=also, fallback=None)
    return fallback, SpoolUnwritable(trouble=trouble, fallback=fallback)


def _temporary_folder(name: str) -> Path:
    """Return a folder that is this user's alone, the same one the next time where that is possible.

    Raises:
        OSError: There is none.
    """
    folder = Path(tempfile.gettempdir()) / f"{OWN_NAME}-{os.getuid()}"
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        status = folder.lstat()
        mine = S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    except OSError:
        mine = False
    return folder / name if mine else Path(tempfile.mkdtemp(prefix=f"{OWN_NAME}-"))


def _forget_lock() -> None:
    global _lock  # noqa: PLW0603 - a thread of the parent may have held it
    _lock = threading.RLock()


FORKS.register(after_in_child=_forget_lock)
