"""Judges how long records take to the disk and to the store, against how long they took before.

The median of a window is compared with the highest median seen before, counted from the lowest: what the path
takes anyway, such as the store's refresh, makes no shift harder to see.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean, median

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.pipeline_moment import PipelineMoment
from logging_system.coordination.detection.pipeline_window import PipelineWindow
from logging_system.coordination.findings import CauseClass, FindingKind
from logging_system.monitoring.delays import BOUNDS_SECONDS

_WINDOW_SECONDS = 3.0
_RECORDS_MIN = 10
_USUAL_MIN = 3
_USUAL_MAX = 600
_FACTOR = 4.0
_SHARE = 0.5
"""A shift is at least this share of the usual delay."""
_YOUNG = 30
_YOUNG_SHARE = 0.75
"""Where fewer windows are known, it is this one: a few seconds do not show how far a delay varies."""
_WAY_SECONDS_MAX = 240.0
_BUSY_SHARE_MAX = 0.85
"""Where waits for processors may take more of a record's way than this, its delay says nothing."""
_BUSIER = 2.0
_LOAD_HOLD_SECONDS = 15.0
"""A burst that is worked off within this is no news; a load that is out of proportion is told as a spike."""


@dataclass(frozen=True, slots=True)
class Path:
    """A part of the way whose delay is watched.

    Attributes:
        subject: Its name.
        words: The same for people.
        counts: The histogram of a moment.
        excess_seconds_min: Less than this above the usual is never a shift.
        cause: Where the cause lies unless the load grew.
        says: What speaks for that.
    """

    subject: str
    words: str
    counts: Callable[[PipelineMoment], Sequence[int]]
    excess_seconds_min: float
    cause: CauseClass
    says: str


PATHS = (
    Path(
        "logged_to_searchable",
        "from the log call to the store",
        lambda moment: moment.shipper.searchable_counts if moment.shipper is not None else (),
        0.2,
        CauseClass.STORE_SLOW,
        "requests succeed, but records arrive later than before",
    ),
    Path(
        "logged_to_durable",
        "from the log call to the disk",
        lambda moment: moment.writers.durable_counts,
        0.3,
        CauseClass.DISK,
        "writing to the spool takes longer than before",
    ),
)


class DelayJudgement:
    """Learns how long one part of the way takes, and judges the latest seconds.

    Args:
        path: The part of the way.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._usual: deque[tuple[float, float]] = deque(maxlen=_USUAL_MAX)
        """Medians of windows that were in order, in seconds, and how busy the machine was meanwhile."""
        self._since_seconds: float | None = None
        self._is_load = False
        """Whether more came than usual when the shift began, or since: what a burst left is its effect."""

    def judged(self, window: PipelineWindow, *, is_well: bool) -> Iterator[Judged]:
        """Yield that the delay is longer than usual.

        Args:
            window: The last minutes.
            is_well: Whether nothing else is judged about the pipeline: only then something is learnt, and a
                shift is news.
        """
        median_seconds = self._median(window)
        if median_seconds is None:
            self._since_seconds = None
            return
        # Who waits for a processor makes those records late that are on their way meanwhile.
        way_seconds = _WINDOW_SECONDS + min(_WAY_SECONDS_MAX, median_seconds)
        busy_share = window.busy_share(way_seconds)
        if busy_share >= _BUSY_SHARE_MAX:
            self._since_seconds = None
            return
        limit_seconds = self._limit_seconds(busy_share, way_seconds)
        if limit_seconds is None or median_seconds <= limit_seconds:
            self._since_seconds = None
            if is_well:
                self._usual.append((median_seconds, busy_share))
            return
        if not is_well:
            return
        if self._since_seconds is None:
            self._is_load = False
            self._since_seconds = window.before(_WINDOW_SECONDS).seconds
        yield self._shifted(window, median_seconds, limit_seconds, self._since_seconds)

    def _shifted(
        self, window: PipelineWindow, median_seconds: float, limit_seconds: float, since_seconds: float
    ) -> Judged:
        path = self._path
        usual_seconds = median(seconds for seconds, _ in self._usual)
        ratio = window.load_ratio(_WINDOW_SECONDS)
        self._is_load = is_load = self._is_load or ratio >= _BUSIER
        return Judged(
            FindingKind.LATENCY_SHIFT,
            CauseClass.LOAD if is_load else path.cause,
            path.subject,
            since_seconds,
            0.75,
            f"Records take {median_seconds:.2g} s {path.words}; {usual_seconds:.2g} s is usual.",
            hold_seconds=_LOAD_HOLD_SECONDS if is_load else 1.0,
            evidence_for=(f"{ratio:.1f} times as many records come as usual",) if is_load else (path.says,),
            evidence_against=(path.says,)
            if is_load
            else (f"records come at {ratio:.1f} times the usual rate",),
            measures={
                "median_seconds": round(median_seconds, 3),
                "usual_seconds": round(usual_seconds, 3),
                "limit_seconds": round(limit_seconds, 3),
            },
        )

    def _limit_seconds(self, busy_share: float, way_seconds: float) -> float | None:
        """Return the longest median that is no shift; None where too little is known.

        A machine that is busier than it was while that was learnt excuses more than is usual.
        """
        if len(self._usual) < _USUAL_MIN:
            return None
        lowest, highest = min(self._usual)[0], max(self._usual)[0]
        share = _SHARE if len(self._usual) >= _YOUNG else _YOUNG_SHARE
        excess_seconds = max(self._path.excess_seconds_min, share * lowest, _FACTOR * (highest - lowest))
        busier_share = max(0.0, busy_share - fmean(share for _, share in self._usual))
        return lowest + excess_seconds + busier_share * way_seconds

    def _median(self, window: PipelineWindow) -> float | None:
        before, after = self._path.counts(window.before(_WINDOW_SECONDS)), self._path.counts(window.now)
        if not before or len(before) != len(after):
            return None
        counts = [max(0, now - then) for then, now in zip(before, after, strict=True)]
        return median_of(counts) if sum(counts) >= _RECORDS_MIN else None

    def content(self) -> list[tuple[float, float]]:
        """Return what must survive a restart, as JSON has it."""
        return list(self._usual)

    def restore(self, content: Sequence[Sequence[float]]) -> None:
        """Go on with it."""
        self._usual.extend((float(seconds), float(share)) for seconds, share in content)


def median_of(counts: Sequence[int]) -> float:
    """Return the median of a histogram in seconds, interpolated within its bucket.

    Args:
        counts: Records by bucket of `BOUNDS_SECONDS`, at least one in all.
    """
    half = sum(counts) / 2
    below = 0
    for place, upto in enumerate(accumulate(counts)):
        if upto >= half:
            low = BOUNDS_SECONDS[place - 1] if place else 0.0
            high = BOUNDS_SECONDS[place] if place < len(BOUNDS_SECONDS) else 2 * BOUNDS_SECONDS[-1]
            return low + (high - low) * (half - below) / counts[place]
        below = upto
    return BOUNDS_SECONDS[-1]
