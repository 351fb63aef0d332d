"""The second surface: records counted where they are; the counters say what was decided about them.

```
log call ─▶ queue ──taken──▶ worker ──framed──▶ spool ──read──▶ delivery machine ─▶ delivered, …
    └─▶ refused                └─▶ given up                        └─ held
```

The counters' `queued` is a sum that every decision changes; the meter's is how long the queue is and what the
worker has in hand. The counters' `admitted` is how many records the worker accounts for; the meter's, how
many documents the spool's writer took. Of the shipper likewise: what the reader returned, against what the
delivery machine holds and has finished. A decision without a record, or a record without a decision, shows in
the two not being equal. Both are of one moment.

What has one place only is counted once and shown by both: how many records were dropped for which reason, how
many the store took or refused, and what the spool's reader found destroyed or evicted. The caller's thread
counts nothing for the meter: what went into the queue is what left it and what is still in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandlerFlow:
    """One moment of a handler or gateway by its meter; the words are those of `HandlerCounters`.

    Attributes:
        offered: Records that went into the queue, and those refused before it.
        queued: Records in the queue, and those taken from it that went nowhere yet.
        dropped: Records given up, by reason; the counters' count.
        admitted: Documents that the spool's writer took.
        unsettled: Only in files: records queued when their process was last heard of.
    """

    offered: int
    queued: int
    dropped: dict[str, int]
    admitted: int
    unsettled: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every offered record is accounted for."""
        return self.offered == self.queued + sum(self.dropped.values()) + self.admitted + self.unsettled


@dataclass(slots=True)
class HandlerMeter:
    """Counts of a handler or gateway; all of it is touched only with the counters' lock held.

    Attributes:
        waiting: Asks the queue how many records are in it.
        taken: Records that left the queue, on whatever way.
        framed: Documents that the spool's writer took.
        refused: Records that never got into the queue.
        given_up: Records that left the queue and did not come into the spool.
    """

    waiting: Callable[[], int] = int
    taken: int = 0
    framed: int = 0
    refused: int = 0
    given_up: int = 0

    def flow(self, dropped: dict[str, int]) -> HandlerFlow:
        """Return this moment, with what was dropped for which reason until now."""
        waiting = self.waiting()
        in_hand = self.taken - self.framed - self.given_up
        offered = self.refused + waiting + self.taken
        return HandlerFlow(offered, waiting + in_hand, dropped, self.framed)
