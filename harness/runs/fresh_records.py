"""Fresh records, sent after a healing and after the drain, and how soon the archive shows them.

Whoever asks for them waits for nothing: a store that has only just been healed may take its time to say what
it holds, and other faults must begin and end on time meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from harness.evidence.following import Following
from harness.model.errors import StackError
from harness.model.facts import Event, FreshLooked, FreshSent
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Load

# While the load goes on, at most a tenth of the time goes into looks, and there is at most one a second.
_INTERVAL_NS = SECOND_NS
_SHARE_OF_TIME = 10


@dataclass(slots=True)
class _Wave:
    """Records on their way: the last look at them begins at `until_ns` or later."""

    records: range
    following: Following
    until_ns: int
    due_ns: int


class FreshRecords:
    """Sends waves of fresh records and looks for them until they are there or their time is over.

    Args:
        load: sends them.
        follow: returns what sees from now on, or from the beginning, what comes into the archive.
        now_ns: tells the time, in nanoseconds.
        record: takes the facts.
    """

    def __init__(
        self,
        load: Load,
        follow: Callable[[bool], Following],
        now_ns: Callable[[], int],
        record: Callable[[Event], None],
    ) -> None:
        self._load = load
        self._follow = follow
        self._now_ns = now_ns
        self._record = record
        self._wished: deque[tuple[float, str]] = deque()
        self._waves: list[_Wave] = []

    def send(self, limit_seconds: float, after: str = "") -> None:
        """Let the next look send a wave first; `after` names the fault that was just healed.

        Args:
            limit_seconds: how long after they were sent these records are looked for.
            after: empty for the wave after the drain.
        """
        self._wished.append((limit_seconds, after))

    def send_wished(self) -> None:
        """Send the waves that were asked for."""
        while self._wished:
            self._send(*self._wished.popleft())

    def waiting(self) -> bool:
        """Return whether some wave is still to be looked for."""
        return bool(self._waves or self._wished)

    def look_sparingly(self) -> None:
        """Look for the waves whose next look is due, while the load goes on."""
        self.send_wished()
        for wave in list(self._waves):
            if self._now_ns() >= min(wave.due_ns, wave.until_ns):
                self._look(wave)

    def look(self) -> None:
        """Look for all waves."""
        self.send_wished()
        for wave in list(self._waves):
            self._look(wave)

    def _send(self, limit_seconds: float, after: str) -> None:
        try:
            following = self._follow(True)
        except StackError:
            following = self._follow(False)  # a store that only just came back cannot say what it holds
        at_ns = self._now_ns()
        records = self._load.probe(at_ns)
        self._record(FreshSent(at_ns, records.start, records.stop - 1, after))
        until_ns = at_ns + int(limit_seconds * SECOND_NS)
        self._waves.append(_Wave(records, following, until_ns, at_ns + _INTERVAL_NS // 2))

    def _look(self, wave: _Wave) -> None:
        began_ns = self._now_ns()
        try:
            seen = wave.following.look()
        except StackError:
            wave.due_ns = began_ns + _INTERVAL_NS
            if began_ns >= wave.until_ns:
                self._waves.remove(wave)
            return
        found = sum(sequence in seen for sequence in wave.records)
        at_ns = self._now_ns()
        self._record(FreshLooked(at_ns, began_ns, wave.records.start, found))
        wave.due_ns = at_ns + max(_INTERVAL_NS, (at_ns - began_ns) * _SHARE_OF_TIME)
        if found >= len(wave.records) or began_ns >= wave.until_ns:
            self._waves.remove(wave)
