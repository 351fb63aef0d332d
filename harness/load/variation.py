"""What varies from record to record beside the line, as a function of its sequence that everyone can compute.

A stack that stores one record's text with another's fields shows in them.
"""

from __future__ import annotations

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_LOGGERS = 7
"""No multiple of five, so that level and logger together repeat late."""


def level_of(sequence: int) -> str:
    """Return the level that a record is sent with, one of `LEVELS`.

    Each five records have all of them, in one of four orders, and no two neighbours have the same.

    Args:
        sequence: the record's, from 0 on.
    """
    block, place = divmod(sequence, len(LEVELS))
    return LEVELS[(1 + block % (len(LEVELS) - 1)) * place % len(LEVELS)]


def level_named(letter: str) -> str:
    """Return the level whose first letter this is; raises StopIteration where there is none."""
    return next(level for level in LEVELS if level[0] == letter)


def logger_of(sequence: int) -> str:
    """Return the name of the logger that sends the record `sequence`; neighbours have different ones."""
    return f"logquake.application.part{sequence % _LOGGERS}"
