"""`watch`: looks at every record of a spool folder and tells alerts, until it is told to stop."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from logging_system.cli.flags import PRECEDENCE, add_flags, settings_asked_for
from logging_system.cli.parser import EXIT_DONE, Parser, fail

if TYPE_CHECKING:
    from pathlib import Path

    from logging_system.alerting.declaration import Alerts
    from logging_system.alerting.examples import Masked
    from logging_system.alerting.state_file import WatchLock
    from logging_system.alerting.watching import Watch
    from logging_system.cli.parser import Subcommands
    from logging_system.config.encryption import Protection
    from logging_system.config.settings import Settings

_NAME = "watch"
_LOOK_SECONDS = 0.1
_STANDBY_SECONDS = 1.0
_TROUBLE_SECONDS = 1.0
_LOG = logging.getLogger("logging_system.alerts")


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="look at every record of a spool folder and send alerts",
        description="Tells alerts, by the rules and channels of --alerts, from what is logged; also while "
        "Elasticsearch is down. Without a file: 10 errors within 60 s (the environment variable "
        "ALERT_THRESHOLD_ERRORS), on standard error. Changes nothing that ships or keeps the records. Prints "
        "one JSON line when it is ready. Of several on one folder, one watches and the others stand by. "
        "SIGTERM stops it within 5 seconds. " + PRECEDENCE,
        epilog="Exit codes: 0 stopped, 1 the folder cannot be used, 4 a mistake in arguments, settings or "
        "rules.",
    )
    add_flags(parser, "watch")
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.alerting.loading import AlertsFileError, load_alerts
    from logging_system.config.settings import protection_of

    loaded = settings_asked_for(options, parser)
    settings = loaded.settings
    try:
        alerts = load_alerts(settings.alerts, os.environ)
        masked = masking_for(alerts, settings)
        protection = protection_of(settings)
    except AlertsFileError as error:
        parser.error(str(error))
    except ValueError as error:
        parser.error(str(error))
    try:
        return _Watching(settings.spool_folder, alerts, masked, protection).run()
    except OSError as error:
        return fail(_NAME, f"{error.filename or settings.spool_folder}: {error.strerror or error}")


def masking_for(alerts: Alerts, settings: Settings) -> Masked | None:
    """Return what takes secrets out of what alerts show; None where nothing is shown that could hold one.

    Raises:
        ValueError: Masking is not installed, and the rules show fields that could hold a secret.
    """
    from logging_system.alerting.examples import default_masking

    try:
        return default_masking(settings.mask)
    except ValueError as error:
        harmless = {"service.name", "log.logger", "log.level"}
        shown = sorted({name for rule in alerts.rules_in_force for name in rule.by} - harmless)
        if shown or settings.mask is not None:
            raise ValueError(
                f"rules show {', '.join(shown) or 'lines'}, which must be masked: {error}"
            ) from error
        _LOG.warning("alerts show no example lines: %s", error)
        return None


class _Watching:
    """Watches, or stands by while another process does."""

    def __init__(self, spool: Path, alerts: Alerts, masked: Masked | None, protection: Protection) -> None:
        self._spool, self._alerts, self._masked, self._protection = spool, alerts, masked, protection
        self._wake = threading.Event()
        self._is_stopping = False

    def run(self) -> int:
        """Watch until a signal.

        Raises:
            OSError: The folder cannot be used.
        """
        from logging_system.alerting.state_file import (
            StateVersionError,
            WatchLock,
            prepare_alerts_folder,
        )
        from logging_system.spool.segment import prepare_folder

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stop())
        prepare_folder(self._spool)
        folder = prepare_alerts_folder(self._spool)
        lock = WatchLock(folder)
        try:
            if not self._has_lock(lock):
                return EXIT_DONE
            watch = self._opened(folder)
            if watch is None:
                return EXIT_DONE
            _say_ready(is_standby=False)
            try:
                self._watch(watch)
            finally:
                watch.close()
        except (StateVersionError, ValueError) as error:
            return fail(_NAME, str(error))
        finally:
            lock.close()
        return EXIT_DONE

    def _stop(self) -> None:
        self._is_stopping = True
        self._wake.set()

    def _has_lock(self, lock: WatchLock) -> bool:
        """Take the lock, or wait for it as a stand-by; False where it is time to stop."""
        is_told = False
        while not self._is_stopping:
            if lock.try_take():
                return True
            if not is_told:
                is_told = True
                _say_ready(is_standby=True)
            self._wake.wait(_STANDBY_SECONDS)
        return False

    def _opened(self, folder: Path) -> Watch | None:
        """Return what watches, once the key of its state is here; None where it is time to stop."""
        from logging_system.alerting.state_file import StateDamagedError
        from logging_system.alerting.watching import Watch
        from logging_system.spool.codec import UnavailableError

        def opened() -> Watch:
            return Watch(
                self._spool,
                folder,
                self._alerts,
                codecs=self._protection.codecs,
                lines=self._protection.lines,
                masked=self._masked,
                wake=self._wake.set,
                remark=_LOG.warning,
            )

        trouble = ""
        while not self._is_stopping:
            try:
                return opened()
            except StateDamagedError as error:
                _LOG.warning("%s", error)
            except UnavailableError as error:
                if str(error) != trouble:
                    _LOG.warning("%s; watching begins when it is", error)
                trouble = str(error)
                self._wake.wait(_TROUBLE_SECONDS)
        return None

    def _watch(self, watch: Watch) -> None:
        trouble = ""
        while not self._is_stopping:
            self._wake.clear()
            try:
                if not watch.look():
                    self._wake.wait(_LOOK_SECONDS)
                trouble = ""
            except OSError as error:
                told = f"{error.filename or self._spool}: {error.strerror}; it is tried again"
                if told != trouble:
                    _LOG.warning("%s", told)
                trouble = told
                self._wake.wait(_TROUBLE_SECONDS)


def _say_ready(*, is_standby: bool) -> None:
    content: dict[str, object] = {"ready": True, "pid": os.getpid()}
    if is_standby:
        content["standby"] = True
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()
