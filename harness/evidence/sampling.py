"""What is measured beside the story of a run: what processes take up, and what the stack says of itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol, runtime_checkable

from harness.evidence.misnamed import StackFile, absent_counters
from harness.model.errors import HarnessError, StackError
from harness.model.facts import CounterRead, Event, FirstSeen, Sample
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Counters, Dated, DatedCount

INTERVAL_SECONDS = 1.0
_SHARE_OF_TIME = 10


@runtime_checkable
class Measurable(Protocol):
    """A deployment that can say what its processes take up."""

    def usage(self) -> Mapping[str, float]:
        """Return what was measured now, by the names that samples have (`facts.py`)."""
        ...


@runtime_checkable
class Carrying(Protocol):
    """A deployment that can say what its links have carried."""

    def traffic(self) -> Iterable[Sample]:
        """Return what came over the links so far, its time read after it; nothing where nobody can tell."""
        ...


class NamedCounters:
    """A stack's counters under the harness's own names.

    Args:
        counters: how to read the stack's keys.
        names: which of the stack's keys are summed up for each of ours.
    """

    def __init__(self, counters: Counters, names: Mapping[str, Sequence[str]]) -> None:
        self._counters = counters
        self._names = names

    def read(self) -> dict[str, float]:
        """Return the value of each name all of whose keys are there; nothing while they cannot be read."""
        return {fact.name: fact.value for fact in self.facts(lambda: 0)}

    def facts(self, now_ns: Callable[[], int]) -> list[CounterRead]:
        """Return the same as facts, each with when the stack wrote it down, where that can be told.

        Args:
            now_ns: tells the time: a fact is of the moment at which the answer was there. What is asked may
                stand still until it is let go on, and then it counts what it has done since.
        """
        keys = sorted({key for keys in self._names.values() for key in keys})
        try:
            values = self._dated(keys)
        except HarnessError:
            return []  # not there yet, or not any more: judgement sees that nothing was read
        at_ns = now_ns()
        return [
            _summed(at_ns, name, [values[key] for key in keys])
            for name, keys in self._names.items()
            if all(key in values for key in keys)
        ]

    def _dated(self, keys: Sequence[str]) -> Mapping[str, DatedCount]:
        if isinstance(self._counters, Dated):
            return self._counters.read_dated(keys)
        return {key: DatedCount(value, math.inf) for key, value in self._counters.read(keys).items()}

    def slips(self, file: StackFile, begun: Collection[str]) -> Iterator[str]:
        """Say which counters are under other keys than the file says; those in `begun` are above zero."""
        return absent_counters(self._counters, self._names, file, begun)


class Gauges:
    """Takes a reading of everything measurable, at most once a second."""

    def __init__(self, sources: Sequence[object], counters: NamedCounters | None) -> None:
        """Take what to measure, where it can be measured; nothing is read yet.

        Args:
            sources: deployments of any kind; those that are neither `Measurable` nor `Carrying` are passed
                over.
            counters: the stack's own; None where it has none.
        """
        self._measurable = [each for each in sources if isinstance(each, Measurable)]
        self._carrying = [each for each in sources if isinstance(each, Carrying)]
        self._counters = counters
        self._due_ns = 0

    def read(self, now_ns: Callable[[], int]) -> Iterator[Event]:
        """Yield the readings if they are due; `now_ns` tells the time."""
        began_ns = now_ns()
        if began_ns < self._due_ns:
            return
        self._due_ns = began_ns + int(INTERVAL_SECONDS * SECOND_NS)
        for deployment in self._measurable:
            for name, value in deployment.usage().items():
                yield Sample(began_ns, name, value)
        yield from self.counter_facts(now_ns)
        # After the counters: what was counted by then came before these.
        for links in self._carrying:
            yield from links.traffic()

    def counters(self) -> dict[str, float]:
        """Return the counters now; empty where there are none."""
        return {} if self._counters is None else self._counters.read()

    def counter_facts(self, now_ns: Callable[[], int]) -> list[CounterRead]:
        """Return the counters as facts of the moment at which they were there; none where there are none.

        Args:
            now_ns: tells the time in ns of CLOCK_MONOTONIC; asked again for each reading.
        """
        return [] if self._counters is None else self._counters.facts(now_ns)


def _summed(now_ns: int, name: str, parts: Sequence[DatedCount]) -> CounterRead:
    """Return one counter of ours from its keys: as old as the oldest of them."""
    age_seconds = max((part.age_seconds for part in parts), default=math.inf)
    written_ns = now_ns - int(age_seconds * SECOND_NS) if math.isfinite(age_seconds) else None
    return CounterRead(now_ns, name, sum(part.value for part in parts), written_ns)


class ArchiveWatch:
    """Notes when each record was first seen in the archive.

    A reading takes the archive whole, so there is at most one a second, and where one takes long, the next
    waits until no more than a tenth of the time goes into readings.

    Args:
        read: returns the sequences in the archive now; raises StackError.
        now_ns: tells the time, in nanoseconds.
    """

    def __init__(self, read: Callable[[], Iterable[int]], now_ns: Callable[[], int]) -> None:
        self._read = read
        self._now_ns = now_ns
        self._due_ns = 0
        self._seen: set[int] = set()

    def read(self) -> Iterator[FirstSeen]:
        """Read the archive if that is due; yield what was not there before, a fact a range of sequences."""
        began_ns = self._now_ns()
        if began_ns < self._due_ns:
            return
        try:
            archived = self._read()
        except StackError:
            archived = ()  # while the store is down nobody can look
        took_ns = self._now_ns() - began_ns
        self._due_ns = began_ns + max(int(INTERVAL_SECONDS * SECOND_NS), took_ns * _SHARE_OF_TIME)
        yield from self.note(archived)

    def note(self, archived: Iterable[int]) -> Iterator[FirstSeen]:
        """Take what some reading has just found; yield what none before it did.

        Args:
            archived: sequences in any order, also those that were seen before.
        """
        now_ns = self._now_ns()
        fresh = sorted(set(archived) - self._seen)
        self._seen.update(fresh)
        # In a run of sequences that follow each other, sequence and place differ by the same number.
        for _, run in groupby(enumerate(fresh), key=lambda pair: pair[1] - pair[0]):
            sequences = [sequence for _, sequence in run]
            yield FirstSeen(now_ns, sequences[0], sequences[-1])
