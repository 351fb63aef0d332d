"""Shows a run that is on: its seconds from the history as it is written, and what has come into its outlets.

A thread of its own, since the run's waits for processes that it starts again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from harness.evidence.history import HistoryFollower
from harness.evidence.readback import OutletSpec
from harness.evidence.so_far import SoFar
from harness.judging.running_series import RunningSeries
from harness.live.desk import SERIES_SECONDS_MAX, Counts, LiveState
from harness.model.errors import HarnessError, described
from harness.model.nanoseconds import SECOND_NS
from harness.reporting.redaction import Redaction, masked
from harness.runs.live_desk import LiveDesk

INTERVAL_SECONDS = 0.5
# What the oracle notes of a second is in the history so long after it at the latest.
NOTED_SECONDS = 0.6
# At most a tenth of the time goes into looks at the outlets, which the stack may feel.
_LOOK_SECONDS = 1.0
_SHARE_OF_TIME = 10


class LiveWatch:
    """Follows one run for its page until it is stopped.

    Args:
        history: the folder that all processes of the run write their facts to.
        outlets: how the run's outlets are opened.
        desk: what is shown.
        redaction: masks what would quote the lines of an input.
        now_ns: tells the time, in nanoseconds of CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        history: Path,
        outlets: OutletSpec,
        desk: LiveDesk,
        redaction: Redaction,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._history = HistoryFollower(history)
        self._outlets = outlets
        self._desk = desk
        self._shape = masked if redaction.masks_lines else str
        # The same few texts are shown again and again, and the input may be long.
        self._hidden = lru_cache(maxsize=64)(redaction.text)
        self._now_ns = now_ns
        self._series = RunningSeries()
        self._so_far: SoFar | None = None
        self._look_ns = 0
        self._seen = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live watch", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; bounded."""
        self._ending.set()
        self._thread.join(timeout=5.0)
        if self._so_far is not None:
            self._so_far.close()

    def look(self) -> None:
        """Read what is new, and show it."""
        self._series.add(self._history.read())
        self._look_at_outlets()
        now_ns = self._now_ns()
        rows = self._series.seconds(now_ns - int(NOTED_SECONDS * SECOND_NS))
        counts, began_ns = self._counts(), self._series.began_ns
        bands = tuple(replace(band, proof=self._hidden(band.proof)) for band in self._series.bands.values())
        seconds = round((now_ns - began_ns) / SECOND_NS, 1) if began_ns else 0.0

        def change(state: LiveState) -> LiveState:
            shown = tuple(rows[-SERIES_SECONDS_MAX:])
            return replace(state, series=shown, bands=bands, counts=counts, seconds=seconds)

        self._desk.show(change)

    def _watch(self) -> None:
        while not self._ending.wait(INTERVAL_SECONDS):
            try:
                self.look()
            except Exception as error:  # the run goes on without its page, and the page says why
                self._desk.note(0.0, f"The page shows nothing new any more: {described(error)}")
                return

    def _look_at_outlets(self) -> None:
        began_ns = self._now_ns()
        if began_ns < self._look_ns:
            return
        try:
            if self._so_far is None:
                letters = self._outlets.dead_letters
                archives = [self._outlets.archive(), *([] if letters is None else [letters()])]
                self._so_far = SoFar(archives, self._outlets.run_id)
            self._so_far.look()
            self._seen = True
        except HarnessError:
            pass  # while the store is down nobody can look: the numbers stay those of the last look
        ended_ns = self._now_ns()
        wait_ns = max(int(_LOOK_SECONDS * SECOND_NS), (ended_ns - began_ns) * _SHARE_OF_TIME)
        self._look_ns = ended_ns + wait_ns

    def _counts(self) -> Counts:
        series, so_far = self._series, self._so_far
        counts = Counts(
            due=series.due,
            acknowledged=len(series.acknowledged),
            refused=series.refused,
            withheld=len(series.withheld),
        )
        if so_far is None or not self._seen:
            return counts
        return replace(
            counts,
            stored=len(so_far.stored),
            missing=len(series.acknowledged - so_far.stored),
            duplicates=so_far.duplicates,
            unknown=so_far.unknown,
            excerpts=tuple(map(self._shape, so_far.excerpts())),
        )
