"""Levels as programs write them: which stands above which, and in what letters they are looked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

RANKS: Mapping[str, int] = {
    "trace": 5,
    "debug": 10,
    "info": 20,
    "information": 20,
    "notice": 25,
    "warn": 30,
    "warning": 30,
    "err": 40,
    "error": 40,
    "severe": 40,
    "crit": 50,
    "critical": 50,
    "fatal": 50,
    "alert": 55,
    "emerg": 60,
    "emergency": 60,
    "panic": 60,
}
"""The levels of Python, OpenTelemetry, syslog, .NET and Java, numbered as `logging` numbers them."""
ERROR_RANK = RANKS["error"]
_NUMBERED = re.compile(r"level (\d{1,4})|(\d{1,4})")


def level_rank(level: object) -> int:
    """Return a level as `logging` numbers them; 0 where it says nothing.

    Args:
        level: `log.level` of a record, from whatever program it came; OTLP numbers them, such as `ERROR2`.
    """
    text = str(level).strip().lower()
    numbered = _NUMBERED.fullmatch(text)
    if numbered is not None:
        return int(numbered[1] or numbered[2])
    return RANKS.get(text) or RANKS.get(text.rstrip("0123456789"), 0)


def spellings(level: str) -> tuple[str, ...]:
    """Return a level in the letters that programs write it in: `error`, `Error`, `ERROR`.

    Stores compare whole values letter by letter, and `log.level` is stored as it came.

    Args:
        level: Its name, in any letters.
    """
    return tuple(dict.fromkeys((level.lower(), level.capitalize(), level.upper())))


_NAMES = {spelled: name for name in RANKS for spelled in spellings(name)}


def level_name(stored: str) -> str:
    """Return the name of a level in small letters where it is one of `RANKS`, and else what is stored.

    Args:
        stored: `log.level` as a store has it.
    """
    return _NAMES.get(stored, stored)


def is_error(level: str) -> bool:
    """Whether a level says that something failed.

    Args:
        level: `log.level` as a store has it.
    """
    return RANKS.get(level_name(level), 0) >= ERROR_RANK


def spelled_where(fits: Callable[[int], bool]) -> list[str]:
    """Return the levels of some ranks, in all the letters that programs write them in.

    Args:
        fits: Whether a rank is meant.
    """
    return [each for name, rank in RANKS.items() if fits(rank) for each in spellings(name)]
