"""What is measured beside the story of a run: what processes take up, and what the stack says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from harness.model.errors import HarnessError
from harness.model.facts import CounterRead, Event, Sample
from harness.model.protocols import Counters, Deployment

INTERVAL_SECONDS = 1.0
_SECOND_NS = 1_000_000_000


@runtime_checkable
class Measurable(Protocol):
    """A deployment that can say what its processes take up."""

    def usage(self) -> Mapping[str, float]:
        """Return what was measured now, by the names that samples have (`facts.py`)."""
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
        keys = sorted({key for keys in self._names.values() for key in keys})
        try:
            values = self._counters.read(keys)
        except HarnessError:
            return {}  # not there yet, or not any more: judgement sees that nothing was read
        return {
            name: sum(values[key] for key in keys)
            for name, keys in self._names.items()
            if all(key in values for key in keys)
        }


class Gauges:
    """Takes a reading of everything measurable, at most once a second."""

    def __init__(self, deployments: Sequence[Deployment], counters: NamedCounters | None) -> None:
        """Take what to measure; nothing is read yet."""
        self._measurable = [each for each in deployments if isinstance(each, Measurable)]
        self._counters = counters
        self._due_ns = 0

    def read(self, now_ns: int) -> Iterator[Event]:
        """Yield the readings if they are due."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + int(INTERVAL_SECONDS * _SECOND_NS)
        for deployment in self._measurable:
            for name, value in deployment.usage().items():
                yield Sample(now_ns, name, value)
        for name, value in self.counters().items():
            yield CounterRead(now_ns, name, value)

    def counters(self) -> dict[str, float]:
        """Return the counters now; empty where there are none."""
        return {} if self._counters is None else self._counters.read()
