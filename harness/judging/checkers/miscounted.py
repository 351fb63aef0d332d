"""The stack's own counters agree with what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.delivered_early import DELIVERED, delivered_early
from harness.judging.delivered_unanswered import delivered_unanswered
from harness.judging.last_word import last_word
from harness.judging.measure import Measure
from harness.judging.outcomes import DESTROYED, HELD, unread_outlet
from harness.judging.timeline import Entry, Timeline
from harness.judging.wording import count
from harness.model.declarations import APPLICATION, Level
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

LAG_SECONDS = 2.0
"""How far behind a counter may be that a process could not write any more, because a fault killed it: the
application, or the one of the stack that takes records in.
"""

_WORDS = ("accepted", "delivered", "dead_lettered", "dropped", DESTROYED, HELD)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One counter, and the least and the most it may say; a range where nobody can know better."""

    name: str
    said: float
    least: int
    most: int
    of_what: str

    @property
    def off_by(self) -> float:
        return max(self.least - self.said, self.said - self.most, 0.0)

    def sentence(self) -> str:
        measured = f"{self.least:,}" if self.least == self.most else f"{self.least:,} to {self.most:,}"
        return f"{self.name}: {self.said:,.0f} counted by the stack, {measured} measured ({self.of_what})."


class Miscounted:
    """The stack's own counters agree, record by record, with what was measured.

    `accepted` is compared with the log calls that came back, `delivered` with the archive, `dead_lettered`
    with the dead letters, `dropped` (with `destroyed` and `held`) with the records that came back and are
    nowhere. The last reading after the drain counts; and no reading of `delivered` may be ahead of the
    archive or of the store's answers, since a lie told during an outage may be true by then
    (`delivered_early.py`, `delivered_unanswered.py`). A stack that drops
    and counts nothing fails here, and so does one that claims to hold, or to have found destroyed, more than
    is missing.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "records"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge
        self._lag_seconds = charge.counters_lag_seconds
        self._measure = Measure(self.objective, self.dimension, self.unit, 0)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return "" if self._charge.counters & set(_WORDS) else "the stack declares no counters"

    def check(self, timeline: Timeline) -> Verdict:
        """Compare each declared counter with what was measured."""
        if unread := unread_outlet(timeline, self._charge):
            return self._measure.verdict(Status.INCONCLUSIVE, None, unread)
        if not any(entry.answered_ns is not None for entry in timeline.entries.values()):
            return self._measure.verdict(
                Status.INCONCLUSIVE, None, "No record was taken in, so there was nothing to count."
            )
        unread_names = sorted(name for name in self._charge.counters if timeline.counter(name) is None)
        compared = [each for name in _WORDS if (each := self._compare(timeline, name)) is not None]
        wrong = [each for each in compared if each.off_by > 0]
        evidence = tuple(each.sentence() for each in compared)
        reset = sorted(name for name in self._charge.counters - {HELD} if _fell(timeline, name))
        if wrong and not reset:
            if all(_too_old(timeline, each) for each in wrong):
                return self._measure.verdict(Status.INCONCLUSIVE, None, _old_word(timeline, wrong), evidence)
            return self._differing(wrong, len(compared), evidence)
        if (early := self._early(timeline, evidence)) is not None:
            return early
        why = f"Not readable after the drain: {', '.join(unread_names)}." if unread_names else ""
        if wrong:
            why = f"Counters that were reset during the run: {', '.join(reset)}."
        return self._agreeing(why, len(compared), evidence)

    def _differing(self, wrong: Sequence[_Compared], compared: int, evidence: tuple[str, ...]) -> Verdict:
        said = f"{len(wrong)} of {count(compared, 'counter')} differ from what was measured: "
        return self._measure.verdict(
            Status.FAIL,
            max(each.off_by for each in wrong),
            said + ", ".join(each.name for each in wrong) + ".",
            evidence,
            tuple(each.sentence() for each in wrong),
        )

    def _early(self, timeline: Timeline, evidence: tuple[str, ...]) -> Verdict | None:
        """Return the verdict on a count that was ahead of the archive while the run was on."""
        if DELIVERED not in self._charge.counters:
            return None
        early = delivered_early(timeline, self._lag_seconds)
        if early is not None:
            said = f"{early.records:,.0f} records were counted as delivered before they were in the archive."
            story = (early.sentence(timeline, self._lag_seconds),)
            return self._measure.verdict(Status.FAIL, early.records, said, evidence, story)
        beyond = delivered_unanswered(timeline, DELIVERED)
        if beyond is not None:
            said = (
                f"{beyond.records:,.0f} records more were counted as delivered than had been sent when the "
                "store last answered."
            )
            story = (beyond.sentence(timeline),)
            return self._measure.verdict(Status.FAIL, beyond.records, said, evidence, story)
        return None

    def _agreeing(self, why_not: str, compared: int, evidence: tuple[str, ...]) -> Verdict:
        if why_not or not compared:
            why_not = why_not or "No counter could be compared."
            return self._measure.verdict(Status.INCONCLUSIVE, None, why_not, evidence)
        said = f"{count(compared, 'counter')} compared: all agree with what was measured."
        return self._measure.verdict(Status.PASS, 0, said, evidence)

    def _compare(self, timeline: Timeline, name: str) -> _Compared | None:
        said = timeline.counter(name)
        if name not in self._charge.counters or said is None:
            return None
        return {
            "accepted": self._accepted,
            "delivered": self._delivered,
            "dead_lettered": self._dead_lettered,
            "dropped": self._dropped,
            DESTROYED: self._destroyed,
            HELD: self._held,
        }[name](timeline, said)

    def _accepted(self, timeline: Timeline, said: float) -> _Compared:
        """Count calls that came back; one that failed, or never came back, may have been taken in or not."""
        answered = sum(entry.answered_ns is not None for entry in timeline.entries.values())
        entered = sum(entry.sent_ns is not None for entry in timeline.entries.values())
        return _Compared("accepted", said, answered - self._unwritten(timeline), entered, "log calls")

    def _delivered(self, timeline: Timeline, said: float) -> _Compared:
        """Count records in the archive; a stack may count each copy or each record."""
        copies = sum(len(found) for found in timeline.copies.values()) + len(timeline.strays)
        return _Compared("delivered", said, len(timeline.copies), copies, "in the archive")

    def _dead_lettered(self, timeline: Timeline, said: float) -> _Compared | None:
        if not timeline.letters_read_whole:
            return None
        copies = sum(len(found) for found in timeline.letters.values()) + len(timeline.stray_letters)
        return _Compared("dead_lettered", said, len(timeline.letters), copies, "among the dead letters")

    def _dropped(self, timeline: Timeline, said: float) -> _Compared:
        """Count records that are nowhere: what is gone was dropped, unless it was destroyed or is held."""
        gone = _gone(timeline)
        came_back = [entry for entry in gone if entry.answered_ns is not None]
        uncounted = sum(self._died_uncounted(timeline, entry) for entry in came_back)
        held, destroyed = int(timeline.counter(HELD) or 0), int(timeline.counter(DESTROYED) or 0)
        least = len(came_back) - uncounted - held - destroyed
        most = len(gone) - min(held, len(gone)) + min(held, self._unwritten(timeline)) - destroyed
        return _Compared(
            "dropped",
            said,
            max(0, least),
            max(0, most),
            "records found nowhere, destroyed and held ones left out",
        )

    def _destroyed(self, timeline: Timeline, said: float) -> _Compared:
        """Bound what can have been destroyed by what is missing; `dropped` is compared with the rest."""
        return _Compared(DESTROYED, said, 0, len(_gone(timeline)), "records found nowhere")

    def _held(self, timeline: Timeline, said: float) -> _Compared:
        """Bound what can be held by what is missing; a killed process's last word stands for ever."""
        most = len(_gone(timeline)) + self._unwritten(timeline)
        return _Compared(HELD, said, 0, most, "records found nowhere")

    def _unwritten(self, timeline: Timeline) -> int:
        """Return how many records a killed process had taken in and may not have written down any more."""
        kills_ns = timeline.kills_among_ns({APPLICATION, *self._charge.takers})
        answered = (entry for entry in timeline.entries.values() if entry.answered_ns is not None)
        return sum(_was_under_way(entry, kills_ns, LAG_SECONDS) for entry in answered)

    def _died_uncounted(self, timeline: Timeline, entry: Entry) -> bool:
        """Return whether it may have died in the killed application's memory, where nobody can count."""
        in_memory = entry.acknowledged_ns is None or self._charge.promises.durability is Level.MEMORY
        return in_memory and _was_under_way(entry, timeline.application_kills_ns(), float("inf"))


def _gone(timeline: Timeline) -> list[Entry]:
    """Return the records that were handed over and can be read nowhere."""
    return [
        entry for entry in timeline.entries.values() if entry.sent_ns and not timeline.kept(entry.sequence)
    ]


def _was_under_way(entry: Entry, kills_ns: Sequence[int], seconds: float) -> bool:
    """Return whether one of the kills came at most so many seconds after this record was sent."""
    sent_ns = entry.sent_ns
    return sent_ns is not None and any(
        0 <= killed_ns - sent_ns <= seconds * SECOND_NS for killed_ns in kills_ns
    )


def _too_old(timeline: Timeline, compared: _Compared) -> bool:
    """Return whether a counter may differ only because a killed application's last word was too old."""
    word = last_word(timeline, compared.name)
    if word is None or word.seconds <= LAG_SECONDS or compared.off_by > word.records:
        return False
    is_too_low = compared.said < compared.least
    return {HELD: not is_too_low, DESTROYED: False, "dropped": True}.get(compared.name, is_too_low)


def _old_word(timeline: Timeline, wrong: Sequence[_Compared]) -> str:
    """Say how old the last word was that nothing can be held against."""
    words = [word for each in wrong if (word := last_word(timeline, each.name)) is not None]
    return (
        f"The application last wrote its counters {max(each.seconds for each in words):.1f} s before it was "
        f"killed ({LAG_SECONDS:g} s are allowed for), and "
        f"{count(max(each.records for each in words), 'record')} came back since: "
        f"{', '.join(each.name for each in wrong)} cannot be compared."
    )


def _fell(timeline: Timeline, name: str) -> bool:
    """Return whether a counter that should only rise fell, as one does that a restart begins anew."""
    return any(later.value < earlier.value for earlier, later in pairwise(timeline.readings.get(name, ())))
