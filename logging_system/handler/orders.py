"""Obeys what the control file of the spool folder orders: levels of loggers, sampling, quarantine.

The worker looks about once a second. A log call pays nothing for it: a level is set on the logger itself, and
what is not to be kept is dropped by the worker, and counted. The handler has a filter only while a logger is
to log below the handler's own level.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logging_system.records.truncation import message_text
from logging_system.spool.control import (
    LEVELS,
    QUARANTINED,
    SAMPLED,
    WILDCARD,
    ControlFile,
    Order,
    QuarantineTemplate,
    SetLevel,
    SetSampling,
)
from logging_system.spool.forks import FORKS

_MATCHED_CHARACTERS_MAX = 10_000


class HandlerOrders:
    """The orders to one handler; `look` and `gate` are for the worker's thread.

    Args:
        handler: The handler.
        folder: The spool folder.
        control: The control file; that of the folder by default.
    """

    def __init__(self, handler: logging.Handler, folder: Path, control: ControlFile | None = None) -> None:
        self._handler = handler
        self._control = control or ControlFile(folder)
        self._obeyed: tuple[Order, ...] = ()
        self._filter: _OnlyOrdered | None = None
        self._level_before = 0
        self.gate: Gate | None = None
        """What records must pass now; None, as nearly always, where that is nothing."""

    def look(self) -> None:
        """Obey what is ordered now, once a second at most; never raises."""
        if not self._control.is_due():
            return
        orders = self._control.orders()
        if orders != self._obeyed:
            self._obey(orders)

    def release(self) -> None:
        """Put everything back, where the handler ends."""
        if self._obeyed:
            self._obey(())

    def _obey(self, orders: tuple[Order, ...]) -> None:
        self._obeyed = orders
        levels = {each.logger: LEVELS[each.level] for each in orders if isinstance(each, SetLevel)}
        _LEVELS.set(id(self), levels)
        self._let_lower_through(levels)
        sampled = [each for each in orders if isinstance(each, SetSampling)]
        quarantined = [each for each in orders if isinstance(each, QuarantineTemplate)]
        self.gate = Gate.of(sampled, quarantined) if sampled or quarantined else None

    def _let_lower_through(self, levels: Mapping[str, int]) -> None:
        """Let the handler take what the ordered loggers log below its own level, and nothing else of that."""
        handler = self._handler
        if self._filter is not None:
            if handler.level == self._filter.level:
                handler.setLevel(self._level_before)
            handler.removeFilter(self._filter)
            self._filter = None
        lowest = min(levels.values(), default=handler.level)
        if lowest < handler.level:
            self._level_before = handler.level
            self._filter = _OnlyOrdered(handler.level, lowest, levels)
            handler.addFilter(self._filter)  # before the level: nothing may slip through
            handler.setLevel(lowest)


class _OnlyOrdered(logging.Filter):
    """Passes what the handler's own level would, and what ordered loggers log."""

    def __init__(self, usual: int, level: int, levels: Mapping[str, int]) -> None:
        super().__init__()
        self.level = level
        self._usual, self._levels = usual, levels

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes."""
        if record.levelno >= self._usual:
            return True
        return any(
            record.levelno >= level and _is_below(record.name, name) for name, level in self._levels.items()
        )


class _Levels:
    """The levels that handlers of this process were told to set: by several, a logger has the first one's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, dict[int, int]] = {}
        self._before: dict[str, tuple[int, int]] = {}

    def set(self, who: int, levels: Mapping[str, int]) -> None:
        """Set levels for one handler, and put back what it wants no more.

        A logger whose level the application has changed meanwhile is left alone.
        """
        with self._lock:
            for name in [each for each, by in self._wanted.items() if who in by and each not in levels]:
                del self._wanted[name][who]
            for name, level in levels.items():
                self._wanted.setdefault(name, {})[who] = level
            for name in list(self._wanted):
                self._apply(name)

    def _apply(self, name: str) -> None:
        wanted = next(iter(self._wanted[name].values()), None)
        logger = logging.getLogger(name)
        before, ours = self._before.get(name, (logger.level, logger.level))
        is_ours = logger.level == ours
        if wanted is None:
            del self._wanted[name]
            self._before.pop(name, None)
            if is_ours:
                logger.setLevel(before)
        elif is_ours and logger.level != wanted:
            self._before[name] = (before, wanted)
            logger.setLevel(wanted)

    def forget_lock(self) -> None:
        """In a forked child: a thread of the parent may have held it."""
        self._lock = threading.Lock()


_LEVELS = _Levels()
FORKS.register(after_in_child=_LEVELS.forget_lock)


@dataclass(slots=True)
class _Share:
    """Keeps one in so many."""

    matches: Callable[[Mapping[str, Any]], bool]
    keep_one_in: int
    reason: str
    _seen: int = field(default=0)

    def is_kept(self) -> bool:
        self._seen += 1
        return self._seen % self.keep_one_in == 1


class Gate:
    """Says which records are not kept for a while.

    Args:
        shares: What is kept of what.
    """

    def __init__(self, shares: Sequence[_Share]) -> None:
        self._shares = shares

    @classmethod
    def of(cls, sampled: Sequence[SetSampling], quarantined: Sequence[QuarantineTemplate]) -> Gate:
        """Return what orders make.

        Args:
            sampled: Each keeps one in so many records of a logger and those below it, errors and worse apart.
            quarantined: Each keeps one in so many records of a message; asked after `sampled`.
        """
        return cls(
            [
                *(_Share(_by_logger(each.logger), each.keep_one_in, SAMPLED) for each in sampled),
                *(_Share(_by_template(each.message), each.keep_one_in, QUARANTINED) for each in quarantined),
            ]
        )

    def reason(self, attributes: Mapping[str, Any]) -> str | None:
        """Return why a record is not kept; None where it is.

        Args:
            attributes: Those of the `LogRecord`.
        """
        for share in self._shares:
            if share.matches(attributes) and not share.is_kept():
                return share.reason
        return None


def _by_logger(logger: str) -> Callable[[Mapping[str, Any]], bool]:
    def matches(attributes: Mapping[str, Any]) -> bool:
        level, name = attributes.get("levelno"), attributes.get("name")
        # An application may put anything there.
        is_below_error = isinstance(level, int) and level < logging.ERROR
        return is_below_error and isinstance(name, str) and _is_below(name, logger)

    return matches


def _by_template(template: str) -> Callable[[Mapping[str, Any]], bool]:
    # What stands between two wildcards is looked for from left to right: no expression that goes back.
    first, *others = template.split(WILDCARD)

    def matches(attributes: Mapping[str, Any]) -> bool:
        message = message_text(attributes["msg"], attributes["args"], {})[:_MATCHED_CHARACTERS_MAX]
        return _fits(message, first, others)

    return matches


def _fits(message: str, first: str, others: Sequence[str]) -> bool:
    if not others:
        return message == first
    if not message.startswith(first):
        return False
    at = len(first)
    for each in others[:-1]:
        found = message.find(each, at)
        if found < 0:
            return False
        at = found + len(each)
    return message.endswith(others[-1]) and len(message) - len(others[-1]) >= at


def _is_below(name: str, logger: str) -> bool:
    return name == logger or name.startswith(f"{logger}.") or logger == "root"
