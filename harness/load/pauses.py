"""When a person has paused the load: the sender and the oracle go by the same moments, told to both."""

from __future__ import annotations

from bisect import bisect_right


class Pauses:
    """Stretches in which nothing of the schedule is sent, in ns of CLOCK_MONOTONIC; the last may be open."""

    def __init__(self) -> None:
        # Moments in turn: a pause begins, it ends, the next begins. One thread writes, others only read.
        self._moments: list[int] = []

    def begin(self, at_ns: int) -> None:
        """Pause from that moment on; nothing changes where it is paused already."""
        if len(self._moments) % 2 == 0:
            self._moments.append(at_ns)

    def end(self, at_ns: int) -> None:
        """Go on from that moment on; nothing changes where it is not paused.

        Args:
            at_ns: of CLOCK_MONOTONIC; one before the pause began makes the pause empty.
        """
        if len(self._moments) % 2 == 1:
            self._moments.append(max(at_ns, self._moments[-1]))

    def hold(self, due_ns: int) -> bool:
        """Return whether what is due then falls into a pause.

        Args:
            due_ns: of CLOCK_MONOTONIC; the moment at which a pause begins is in it, that at which it ends is
                not.
        """
        return bisect_right(self._moments, due_ns) % 2 == 1
