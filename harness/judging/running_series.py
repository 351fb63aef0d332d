"""The seconds and faults of a run that is still on, from its facts as they come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from harness.judging.statistics import quantile
from harness.model.facts import (
    STORED,
    Acknowledged,
    Answered,
    Due,
    Event,
    FaultChanged,
    FaultSeen,
    PhaseChanged,
    Refused,
    Sample,
    Withheld,
)
from harness.model.nanoseconds import MS_NS, SECOND_NS
from harness.model.result import Band, SecondOfRun

SECONDS_MAX = 7_200
# After so long a second in which all calls have returned gets no more of them.
_SETTLED_SECONDS = 5


@dataclass(slots=True)
class _Second:
    """One second so far; `responses_ms` are of records due in it that returned, `open` has the others."""

    due: int = 0
    answered: int = 0
    acknowledged: int = 0
    responses_ms: list[float] = field(default_factory=list)
    open: dict[int, int] = field(default_factory=dict)
    stored: int | None = None
    settled: tuple[float | None, float | None] | None = None


@dataclass(slots=True)
class RunningSeries:
    """Adds facts up by the second, as `series` does at a run's end; facts may come in any order.

    Attributes:
        began_ns: when sending began; 0 before.
        acknowledged: the sequences the stack owes.
        refused: how many calls came back with an error.
        withheld: the records that a pause kept back.
        bands: the faults so far, by their steps; one that is on has no end (infinity).
    """

    began_ns: int = 0
    acknowledged: set[int] = field(default_factory=set)
    refused: int = 0
    withheld: set[int] = field(default_factory=set)
    bands: dict[int, Band] = field(default_factory=dict)
    due: int = 0
    _seconds: dict[int, _Second] = field(default_factory=dict)
    _due_ns: dict[int, int] = field(default_factory=dict)
    _early: dict[int, int] = field(default_factory=dict)
    _waiting: list[Event] = field(default_factory=list)

    def add(self, events: Iterable[Event]) -> None:
        """Take the next facts."""
        events = [*self._waiting, *events]
        self._waiting = []
        if not self.began_ns:
            begun = (
                each.at_ns for each in events if isinstance(each, PhaseChanged) and each.phase == "steady"
            )
            self.began_ns = next(begun, 0)
        if not self.began_ns:
            self._waiting = events  # a few: nothing is due before sending begins
            return
        for event in events:
            self._add(event)

    def seconds(self, now_ns: int) -> list[SecondOfRun]:
        """Return a row for each second that is over, ascending.

        Args:
            now_ns: until when facts are known; what has not returned by then has taken at least so long.
        """
        if not self.began_ns:
            return []
        whole = min((now_ns - self.began_ns) // SECOND_NS, SECONDS_MAX)
        owed = 0
        rows = []
        for number in range(whole):
            second = self._seconds.get(number, _Second())
            owed += second.acknowledged
            is_old = number < whole - _SETTLED_SECONDS
            # A count of the second before is fresh enough, as in the report.
            before = self._seconds.get(number - 1, _Second()).stored
            stored = before if second.stored is None else second.stored
            rows.append(_row(number, second, stored, owed, now_ns, is_old=is_old))
        return rows

    # --- one fact ----------------------------------------------------------------------------------------

    def _add(self, event: Event) -> None:
        match event:
            case Due():
                self._fall_due(event)
            case Answered() | Refused():
                self._return(event)
            case Acknowledged():
                self.acknowledged.add(event.sequence)
                self._at(event.at_ns).acknowledged += 1
            case Withheld():
                self.withheld.add(event.sequence)
            case Sample(name=name) if name == STORED:
                self._at(event.at_ns).stored = int(event.value)
            case FaultChanged():
                self._change(event)
            case FaultSeen():
                self._see(event)
            case _:
                pass

    def _fall_due(self, event: Due) -> None:
        self.due += 1
        self.withheld.discard(event.sequence)
        second = self._at(event.at_ns)
        second.due += 1
        returned_ns = self._early.pop(event.sequence, None)
        if returned_ns is not None:
            second.responses_ms.append((returned_ns - event.at_ns) / MS_NS)
        else:
            second.open[event.sequence] = event.at_ns
            self._due_ns[event.sequence] = event.at_ns

    def _return(self, event: Answered | Refused) -> None:
        if isinstance(event, Answered):
            self._at(event.at_ns).answered += 1
        else:
            self.refused += 1
        due_ns = self._due_ns.pop(event.sequence, None)
        if due_ns is None:
            self._early[event.sequence] = event.at_ns
            return
        second = self._at(due_ns)
        second.open.pop(event.sequence, None)
        second.responses_ms.append((event.at_ns - due_ns) / MS_NS)

    def _change(self, event: FaultChanged) -> None:
        seconds = round((event.at_ns - self.began_ns) / SECOND_NS, 3)
        if event.state == "injecting":
            self.bands[event.step] = Band(seconds, float("inf"), event.fault, event.target, False, "")
        elif event.state == "healed" and event.step in self.bands:
            self.bands[event.step] = replace(self.bands[event.step], to_seconds=seconds)

    def _see(self, event: FaultSeen) -> None:
        band = self.bands.get(event.step)
        if band is not None and (event.landed or not band.landed):
            self.bands[event.step] = replace(band, landed=event.landed, proof=event.proof)

    def _at(self, at_ns: int) -> _Second:
        number = min(max(0, (at_ns - self.began_ns) // SECOND_NS), SECONDS_MAX)
        return self._seconds.setdefault(number, _Second())


def _p50_p99_ms(second: _Second, now_ns: int) -> tuple[float | None, float | None]:
    responses_ms = [*second.responses_ms, *((now_ns - due_ns) / MS_NS for due_ns in second.open.values())]
    if not responses_ms:
        return None, None
    return round(quantile(responses_ms, 0.5), 3), round(quantile(responses_ms, 0.99), 3)


def _row(
    number: int, second: _Second, stored: int | None, owed: int, now_ns: int, *, is_old: bool
) -> SecondOfRun:
    p50_ms, p99_ms = second.settled or _p50_p99_ms(second, now_ns)
    if is_old and not second.open and second.settled is None:
        second.settled = p50_ms, p99_ms
        second.responses_ms.clear()
    return SecondOfRun(
        number,
        second.due,
        second.answered,
        second.acknowledged,
        p50_ms,
        p99_ms,
        None,
        stored,
        None if stored is None else max(0, owed - stored),
    )
