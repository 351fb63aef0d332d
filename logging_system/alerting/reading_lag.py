"""How far the reading of records has fallen behind, and whether detection reads a sample meanwhile.

Records are behind once there were more of them at each look than one look takes, for longer than is declared.
It is over when all was read.
"""

from __future__ import annotations

from logging_system.monitoring.events import Event, WatchBehind, WatchCaughtUp


class ReadingLag:
    """Told at each look what is left to read, it says when reading falls behind and when it has caught up.

    Args:
        behind_seconds: From what lag on it is behind.
        one_in: Of how many records detection reads one meanwhile, for the event.
    """

    def __init__(self, behind_seconds: float, one_in: int) -> None:
        self._behind_seconds, self._one_in = behind_seconds, one_in
        self._unfinished_since_seconds: float | None = None
        self._behind_since_seconds: float | None = None
        self.seconds = 0.0
        """How long the oldest record that is not read has waited, as far as is known."""

    @property
    def is_behind(self) -> bool:
        """Whether reading is behind."""
        return self._behind_since_seconds is not None

    def look(self, now_seconds: float, waited_seconds: float | None) -> Event | None:
        """Take note of what is left to read; return an event where that changes what holds.

        Args:
            now_seconds: Of a clock that only goes forward.
            waited_seconds: For how long the oldest record that is left has waited, by its own time; None
                where all was read. A record whose clock is wrong has waited no longer than since there was
                always something left.
        """
        if waited_seconds is None:
            self.seconds, self._unfinished_since_seconds = 0.0, None
            return self._caught_up(now_seconds)
        if self._unfinished_since_seconds is None:
            self._unfinished_since_seconds = now_seconds
        self.seconds = max(0.0, min(waited_seconds, now_seconds - self._unfinished_since_seconds))
        if self.is_behind or self.seconds < self._behind_seconds:
            return None
        self._behind_since_seconds = now_seconds
        return WatchBehind(lag_seconds=self.seconds, one_in=self._one_in)

    def _caught_up(self, now_seconds: float) -> Event | None:
        if self._behind_since_seconds is None:
            return None
        lasted_seconds = now_seconds - self._behind_since_seconds
        self._behind_since_seconds = None
        return WatchCaughtUp(lasted_seconds=lasted_seconds)
