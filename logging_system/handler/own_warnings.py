"""Takes this package's own warnings to stderr where no other handler would show them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

OWN_NAME = "logging_system"


class OwnWarnings(logging.Handler):
    """A handler of the package's logger, silent while the application has handlers of its own.

    Args:
        is_ours: Whether a handler is one of this package's, which do not take its own records.
    """

    def __init__(self, is_ours: Callable[[logging.Handler], bool]) -> None:
        super().__init__(logging.WARNING)
        self._is_ours = is_ours

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line that begins with the name of this package."""
        others = [each for each in logging.getLogger().handlers if not self._is_ours(each)]
        if others or logging.lastResort is None or sys.stderr is None:
            return
        try:
            sys.stderr.write(f"{OWN_NAME}: {record.getMessage()}\n")
        except Exception:
            self.handleError(record)

    def attach(self) -> None:
        """Add it to the package's logger; may be repeated."""
        logging.getLogger(OWN_NAME).addHandler(self)
