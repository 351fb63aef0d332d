"""What some records have in common that the others do not: where their owner should look for the defect.

Each trait comes with the share of all records that have it. Were the records chosen by chance, all `k` of
them would have a trait of share `s` with a probability of `s` to the power of `k`. That number is multiplied
by how many such traits were tried, and only what remains below one in ten thousand is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.judging.timeline import Entry, Timeline
from harness.judging.wording import count
from harness.model.declarations import is_sender

CHANCE_MAX = 1e-4
_KINDS = 4
_RECORDS_MIN = 2
"""One record has everything in common with itself."""


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that all records in question have: what, how many others have it too, and by what chance.

    `told` ends a sentence that begins with the records: `are longer than 8,000 bytes`.
    """

    told: str
    others: int
    chance: float


def common_lines(timeline: Timeline, chosen: Sequence[Entry], word: str) -> list[str]:
    """Say what records have in common, likeliest cause first; empty where nothing stands out.

    Args:
        timeline: of the scenario; the others are all acknowledged records of it.
        chosen: the records in question.
        word: what became of them, e.g. `missing`.
    """
    names = {entry.sequence for entry in chosen}
    others = [entry for entry in timeline.acknowledged() if entry.sequence not in names]
    found = [trait for trait in _traits(timeline, chosen, others) if trait.chance <= CHANCE_MAX]
    return [
        f"All {count(len(chosen), f'{word} record')} {trait.told}. "
        f"That is true of {f'{trait.others:,}' if trait.others else 'none'} of the {len(others):,} others."
        for trait in sorted(found, key=lambda trait: trait.chance)
    ]


def _traits(timeline: Timeline, chosen: Sequence[Entry], others: Sequence[Entry]) -> Iterator[Trait]:
    if len(chosen) < _RECORDS_MIN or not others:
        return
    yield _by(chosen, others, "hold characters beyond ASCII", lambda entry: not entry.ascii)
    yield _long(chosen, others)
    yield from _one_producer(chosen, others)
    yield from _last_before_a_close(timeline, chosen, others)


def _by(
    chosen: Sequence[Entry], others: Sequence[Entry], told: str, has: Callable[[Entry], bool], tries: int = 1
) -> Trait:
    """Judge one trait; `tries` is from how many such traits it was picked after looking."""
    if not all(map(has, chosen)):
        return Trait(told, 0, 1.0)
    too = sum(map(has, others))
    share = (too + len(chosen)) / (len(others) + len(chosen))
    return Trait(told, too, min(1.0, _KINDS * tries * share ** len(chosen)))


def _long(chosen: Sequence[Entry], others: Sequence[Entry]) -> Trait:
    """The shortest of them sets the size: that all of them lie above some size is no chance by itself."""
    least = min(entry.line_bytes for entry in chosen)
    told = f"are {least:,} bytes or longer, their identity included"
    return _by(chosen, others, told, lambda entry: entry.line_bytes >= least)


def _one_producer(chosen: Sequence[Entry], others: Sequence[Entry]) -> Iterator[Trait]:
    producers = Counter(entry.producer for entry in (*chosen, *others))
    (producer, _), *_ = Counter(entry.producer for entry in chosen).most_common(1)
    told = f"come from producer {producer}"
    yield _by(chosen, others, told, lambda entry: entry.producer == producer, len(producers))


def _last_before_a_close(
    timeline: Timeline, chosen: Sequence[Entry], others: Sequence[Entry]
) -> Iterator[Trait]:
    """What was acknowledged just before the application was closed: the last one, and half of those at least.

    A loss that lasted until the end is no loss of a close: records before it were kept, and most of the last
    ones are gone.
    """
    closes = [
        (window.from_ns, f"{window.label} began")
        for number, window in timeline.fault_windows
        if is_sender(timeline.fault_targets.get(number, ""))
    ]
    if (ended_ns := timeline.phases.get("read back")) is not None:
        closes.append((ended_ns, "the application was closed at the end"))
    first_ns = min(entry.acknowledged_ns or 0 for entry in chosen)
    for close_ns, told in closes:
        between = [entry for entry in others if first_ns <= (entry.acknowledged_ns or 0) < close_ns]
        last_kept_ns = max((entry.acknowledged_ns or 0 for entry in between), default=0)
        last_ns = max(entry.acknowledged_ns or 0 for entry in chosen)
        if first_ns < close_ns and last_kept_ns <= last_ns < close_ns and len(between) <= len(chosen):
            names = {entry.sequence for entry in (*between, *chosen)}
            yield _by(
                chosen,
                others,
                f"were among the last {len(names):,} that were acknowledged before {told}",
                lambda entry, names=names: entry.sequence in names,  # type: ignore[misc]
                len(closes),
            )
