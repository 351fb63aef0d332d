"""Tells whether a record came before, with the same time, logger and message; remembers the latest ones."""

from __future__ import annotations

from logging_system.coordination.detection.seen_record import SeenRecord

_GENERATION_MAX = 20_000


class Repeats:
    """The latest records, as marks in two generations: the older one is given up as a whole."""

    def __init__(self) -> None:
        self._latest: set[int] = set()
        self._before: set[int] = set()

    def has_seen(self, record: SeenRecord) -> bool:
        """Return whether a record came before, and remember it.

        Of times in whole seconds, equal lines are ordinary: they never count as the same.
        """
        if "." not in record.timestamp:
            return False
        mark = hash((record.timestamp, record.service, record.logger, record.message))
        if mark in self._latest or mark in self._before:
            return True
        self._latest.add(mark)
        if len(self._latest) >= _GENERATION_MAX:
            self._before, self._latest = self._latest, set()
        return False
