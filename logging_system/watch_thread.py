"""`watch` as a thread of the application, for small ones that want no process beside them.

Of several processes of one service, each with such a thread, one watches and the others stand by: the lock
is the folder's. A forked child has no such thread until it asks for one.
"""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path
from typing import Any

from logging_system.alerting.loading import load_alerts
from logging_system.alerting.state_file import StateVersionError
from logging_system.alerting.watch_loop import LOG, WatchLoop, masking_for
from logging_system.config.loading import load_settings
from logging_system.config.settings import protection_of
from logging_system.coordinating import coordinating
from logging_system.coordination.workflows.loading import load_workflows
from logging_system.coordination.workflows.state_file import StateDamagedError
from logging_system.spool.forks import FORKS

CLOSE_SECONDS_MAX = 5.0
_AGAIN_SECONDS = 10.0


class WatchThread:
    """A thread that watches a spool folder; ends with the application.

    Args:
        spool: The spool folder.
        loop: What it runs.

    Attributes:
        spool: The spool folder.
    """

    def __init__(self, spool: Path, loop: WatchLoop) -> None:
        self.spool, self._loop = spool, loop
        self._thread = threading.Thread(target=self._run, name="logging_system.watch", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it watches or stands by."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End within 5 s: messages on their way are waited for, everything is saved.

        What was not told by then is told by whoever watches the folder next.
        """
        self._loop.stop()
        if self.is_alive and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS_MAX)

    def _run(self) -> None:
        while not self._loop.is_stopping:
            try:
                self._loop.run()
            except (StateDamagedError, StateVersionError, ValueError) as error:
                LOG.warning("%s; nobody watches %s", error, self.spool)
                return
            except OSError as error:
                LOG.warning(
                    "%s: %s; watching is tried again", error.filename or self.spool, error.strerror or error
                )
                self._loop.wait(_AGAIN_SECONDS)


_lock = threading.Lock()
_threads: dict[Path, WatchThread] = {}


def start_watch(**settings: Any) -> WatchThread:
    """Tell alerts about what this service logs, from a thread of this process.

    A second call for the same spool folder returns the thread that there is.

    Args:
        settings: As those of `install`: `service` or `spool` says which folder, `alerts` names the file of
            rules and channels; without a file: 10 errors within 60 s, on standard error. `workflows` names
            the file of workflows for findings; they run on a thread of their own.

    Returns:
        The thread; it ends with the process, or by `close`.

    Raises:
        ValueError: A setting, or the file of rules or of workflows, cannot be used; says where, what and the
            remedy.
    """
    FORKS.notice()
    loaded = load_settings(settings, written="start_watch({}=…)".format)
    names = {*settings, "alerts", "encryption", "mask", "spool", "workflows"}
    if wrong := [str(problem) for problem in loaded.problems if problem.name in names]:
        raise ValueError("; ".join(wrong))
    values = loaded.settings
    alerts = load_alerts(values.alerts, os.environ)
    if values.workflows is not None:
        load_workflows(values.workflows)
    spool = values.spool_folder.absolute()
    with _lock:
        known = _threads.get(spool)
        if known is not None and known.is_alive:
            return known
        masked, protection = masking_for(alerts, values), protection_of(values)
        loop = WatchLoop(
            *(spool, alerts, masked, protection),
            ready=lambda _is_standby: None,
            acting=lambda template_text: coordinating(values, template_text),
        )
        _threads[spool] = WatchThread(spool, loop)
        return _threads[spool]


def _close_all() -> None:
    for thread in list(_threads.values()):
        thread.close()


def _forget() -> None:
    global _lock  # noqa: PLW0603 - a thread of the parent may have held it
    _lock = threading.Lock()
    _threads.clear()


atexit.register(_close_all)
FORKS.register(after_in_child=_forget)
