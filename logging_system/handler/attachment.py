"""Notices when somebody else takes the handler off the root logger: then no record reaches it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from logging_system.monitoring.events import Event, HandlerDetached

_LOOKS_BEFORE_TOLD = 2
"""`logging.config` takes handlers off and puts them back: one look alone may fall between."""


class Attachment:
    """Looks whether a handler that `install` attached still is, and tells once where it is not.

    Args:
        handler: The handler.
        emit: Takes the event.
    """

    def __init__(self, handler: logging.Handler, emit: Callable[[Event], None]) -> None:
        self._handler = handler
        self._emit = emit
        self._missed = 0
        self._told = False

    def look(self, *, for_the_last_time: bool = False) -> None:
        """Look, and tell when it is missing for the second time, or now where no other look follows.

        Args:
            for_the_last_time: Whether no other look follows.
        """
        if self._told:
            return
        if _is_attached(self._handler):
            self._missed = 0
            return
        self._missed += 1
        if for_the_last_time or self._missed >= _LOOKS_BEFORE_TOLD:
            self._told = True
            self._emit(HandlerDetached())


def _is_attached(handler: logging.Handler) -> bool:
    root = logging.getLogger()
    if handler in root.handlers:
        return True
    loggers = list(root.manager.loggerDict.values())
    return any(isinstance(logger, logging.Logger) and handler in logger.handlers for logger in loggers)
