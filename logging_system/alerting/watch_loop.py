"""Watches a spool folder until it is told to stop, or stands by while another process or thread does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.examples import Masked, default_masking
from logging_system.alerting.finding_detection import ActsOnFindings, FindingDetection
from logging_system.alerting.state_file import StateDamagedError, WatchLock, prepare_alerts_folder
from logging_system.alerting.watching import Watch
from logging_system.config.encryption import Protection
from logging_system.config.settings import Settings
from logging_system.coordination.detection.template_texts import TemplateTexts
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import WordsInLog
from logging_system.spool.codec import UnavailableError
from logging_system.spool.segment import prepare_folder

LOG = logging.getLogger("logging_system.alerts")
_LOOK_SECONDS = 0.1
_STANDBY_SECONDS = 1.0
_TROUBLE_SECONDS = 1.0
_EVENTS_SECONDS_MAX = 1.0
_HARMLESS = frozenset(
    {"service.name", "log.logger", "log.level", "event.action", "finding.kind", "finding.subject"}
)
"""Fields that hold no secret: they may be shown where nothing masks them.

A finding's subject is the id of a template, a logger or a part of the way.
"""


def masking_for(alerts: Alerts, settings: Settings) -> Masked | None:
    """Return what takes secrets out of what alerts show; None where nothing is shown that could hold one.

    Args:
        alerts: What is declared: the fields that its rules show.
        settings: Their `mask` adds to the built-in rules, and makes it an error where these cannot be had.

    Raises:
        ValueError: Masking is not installed, and the rules show fields that could hold a secret.
    """
    try:
        return default_masking(settings.mask)
    except ValueError as error:
        shown = sorted({name for rule in alerts.rules_in_force for name in rule.by} - _HARMLESS)
        if shown or settings.mask is not None:
            raise ValueError(
                f"rules show {', '.join(shown) or 'lines'}, which must be masked: {error}"
            ) from error
        LOG.warning("alerts show no example lines: %s", error)
        return None


Acting = Callable[[Callable[[str], str | None]], AbstractContextManager[ActsOnFindings | None]]
"""Opens what acts on findings, given what returns the text of a template by its id."""


class WatchLoop:
    """Watches, or stands by; run by one thread, stopped by any.

    Args:
        spool: The spool folder.
        alerts: What is declared.
        masked: Takes the secrets out of a text; None where masking is not installed.
        protection: How the spool and the state are sealed.
        ready: Told, with whether it stands by, when either begins.
        acting: Opens what acts on findings, for as long as this one watches: never two at once on a folder.
            It is told how to learn the text of a template.
    """

    def __init__(
        self,
        spool: Path,
        alerts: Alerts,
        masked: Masked | None,
        protection: Protection,
        *,
        ready: Callable[[bool], None],
        acting: Acting = lambda _template_text: nullcontext(),
    ) -> None:
        self._spool, self._alerts, self._masked, self._protection = spool, alerts, masked, protection
        self._ready, self._acting = ready, acting
        self._wake = threading.Event()
        self._is_stopping = False
        self._latest_seconds = 0.0
        self._texts = TemplateTexts()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._is_stopping

    def stop(self) -> None:
        """Make `run` return soon: what is on its way is waited for within 2 s, and all is saved."""
        self._is_stopping = True
        self._wake.set()

    def wait(self, seconds: float) -> None:
        """Wait, or until it is told to stop."""
        self._wake.wait(seconds)

    def run(self) -> None:
        """Watch until `stop`.

        Raises:
            OSError: The folder cannot be used.
            StateVersionError: A newer version wrote the state.
            ValueError: A channel cannot be used.
        """
        prepare_folder(self._spool)
        folder = prepare_alerts_folder(self._spool)
        lock = WatchLock(folder)
        try:
            if not self._has_lock(lock):
                return
            with self._acting(self._texts.text) as acting:
                self._watch_first(folder, acting)
        finally:
            lock.close()

    def _watch_first(self, folder: Path, acting: ActsOnFindings | None) -> None:
        """Watch as the one that has the lock."""
        events = EventStream(WordsInLog())
        try:
            watch = self._opened(folder, acting, events)
            if watch is None:
                return
            self._ready(False)
            try:
                self._watch(watch)
            finally:
                watch.close()
        finally:
            events.close(_EVENTS_SECONDS_MAX)

    def _has_lock(self, lock: WatchLock) -> bool:
        """Take the lock, or wait for it as a stand-by; False where it is time to stop."""
        is_told = False
        while not self._is_stopping:
            if lock.try_take():
                return True
            if not is_told:
                is_told = True
                self._ready(True)
            self._wake.wait(_STANDBY_SECONDS)
        return False

    def _opened(self, folder: Path, acting: ActsOnFindings | None, events: EventStream) -> Watch | None:
        """Return what watches, once the key of its state is here; None where it is time to stop."""
        trouble = ""
        while not self._is_stopping:
            try:
                return self._new_watch(folder, acting, events)
            except StateDamagedError as error:
                LOG.warning("%s", error)
            except UnavailableError as error:
                if str(error) != trouble:
                    LOG.warning("%s; watching begins when it is", error)
                trouble = str(error)
                self._wake.wait(_TROUBLE_SECONDS)
        return None

    def _new_watch(self, folder: Path, acting: ActsOnFindings | None, events: EventStream) -> Watch:
        findings = FindingDetection(
            self._spool,
            folder,
            masked=self._masked,
            is_sealed=self._protection.lines is not None,
            steady=time.monotonic,
            late=self._late_seconds,
            remark=LOG.warning,
            acting=acting,
            texts=self._texts,
        )
        watch = Watch(
            self._spool,
            folder,
            self._alerts,
            codecs=self._protection.codecs,
            lines=self._protection.lines,
            masked=self._masked,
            wake=self._wake.set,
            remark=LOG.warning,
            findings=findings if self._alerts.findings.enabled else None,
            events=events,
        )
        if self._alerts.findings.enabled:
            findings.take_up(time.time())
        return watch

    def _watch(self, watch: Watch) -> None:
        trouble = ""
        while not self._is_stopping:
            self._wake.clear()
            try:
                if not watch.look():
                    self._wait_for_look()
                trouble = ""
            except OSError as error:
                told = f"{error.filename or self._spool}: {error.strerror}; it is tried again"
                if told != trouble:
                    LOG.warning("%s", told)
                trouble = told
                self._wake.wait(_TROUBLE_SECONDS)

    def _wait_for_look(self) -> None:
        """Wait for the next look, and note by how much that took longer than asked: the machine is busy."""
        began_seconds = time.monotonic()
        self._wake.wait(_LOOK_SECONDS)
        late_seconds = time.monotonic() - began_seconds - _LOOK_SECONDS
        self._latest_seconds = max(self._latest_seconds, late_seconds)

    def _late_seconds(self) -> float:
        late_seconds, self._latest_seconds = self._latest_seconds, 0.0
        return late_seconds
