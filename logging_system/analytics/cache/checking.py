"""Asks a store whether it moved since the last look, once for all who want to know, and opens new views."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from logging_system.analytics.cache.cached_answer import is_partial
from logging_system.analytics.cache.single_flight import SingleFlight, WaitedTooLongError
from logging_system.analytics.cache.snapshot_store import SnapshotStore
from logging_system.analytics.cache.store_states import TargetState
from logging_system.analytics.cache.validity import (
    Track,
    comparable,
    is_conclusive,
    look_of,
    next_track,
    probe,
)
from logging_system.analytics.store_queries import QueryRefusedError, StoreQueryError

_ATTEMPTS = 3
_TARGETS_MAX = 1_000


class UnclearStateError(Exception):
    """What searches of a target see cannot be told now: a copy is moving, or there is no index."""


class Checks:
    """What is known of each target; safe for threads.

    Args:
        store: The store.
        point_seconds: How long it keeps a point in time that nobody asks.
        wait_seconds_max: How long one waits for another thread's check.
        clock: Monotonic seconds.
        count: Is told what happens, by a name of `CacheStatistics`.
    """

    def __init__(
        self,
        store: SnapshotStore,
        point_seconds: int,
        wait_seconds_max: float,
        clock: Callable[[], float],
        count: Callable[[str], None],
    ) -> None:
        self._store = store
        self._point_seconds = point_seconds
        self._clock = clock
        self._count = count
        self._flights: SingleFlight[Track] = SingleFlight(wait_seconds_max)
        self._tracks: dict[str, Track] = {}
        self._lock = threading.Lock()
        self._epochs = itertools.count(1)

    def recent(self, target: str, since_seconds: float) -> Track | None:
        """Return what is known of a target by a check that began after a moment; None where there is none.

        Args:
            target: The target.
            since_seconds: The moment, on the clock of the cache.
        """
        track = self._tracks.get(target)
        return track if track is not None and track.checked_seconds > since_seconds else None

    def track(self, target: str, since_seconds: float, *, gone: Track | None = None) -> Track:
        """Return what is known of a target by a check that began after a moment, which is made if need be.

        Args:
            target: The target.
            since_seconds: On the clock of the cache.
            gone: A track whose point in time is no longer there.

        Raises:
            UnclearStateError: What searches see cannot be told now.
            StoreQueryError: The store cannot be asked, or refuses.
            WaitedTooLongError: Checks take longer than they are good for, again and again.
        """
        for _attempt in range(_ATTEMPTS):
            recent = self.recent(target, since_seconds)
            if recent is not None and (gone is None or recent.serial != gone.serial):
                return recent
            made, is_shared = self._flights.run(target, lambda: self._check(target, gone))
            if not is_shared:
                return made
        raise WaitedTooLongError("checks of the store take longer than they are good for; ask again")

    def close(self) -> None:
        """Give all points in time back."""
        with self._lock:
            tracks, self._tracks = list(self._tracks.values()), {}
        for track in tracks:
            self._give_back(track)

    def _check(self, target: str, gone: Track | None) -> Track:
        checked_seconds = self._clock()
        self._count("checks")
        last = self._tracks.get(target)
        before = self._clear(target)
        is_gone = gone is not None and last is not None and last.serial == gone.serial
        if last is not None and not is_gone and last.holds(before):
            made = replace(last, checked_seconds=checked_seconds)
        else:
            made = self._new_view(target, last, before, checked_seconds)
        with self._lock:
            self._tracks.pop(target, None)
            self._tracks[target] = made
            dropped = [self._tracks.pop(next(iter(self._tracks)))] if len(self._tracks) > _TARGETS_MAX else []
        for track in dropped:
            self._give_back(track)
        if last is not None and last.point_id != made.point_id:
            self._give_back(last)
        return made

    def _new_view(
        self, target: str, last: Track | None, before: TargetState, checked_seconds: float
    ) -> Track:
        for _attempt in range(_ATTEMPTS):
            track = comparable(last, before)
            point_id = self._store.open_point(target, self._point_seconds)
            try:
                answer, is_sure = self._probed(point_id, track, before)
                after = self._clear(target)
            except BaseException:
                self._close_point(point_id)
                raise
            if is_conclusive(track, before, after):
                self._count("views")
                made = next_track(
                    last,
                    track,
                    before,
                    look_of(answer, track, before),
                    after,
                    new_epoch=next(self._epochs),
                    is_sure=is_sure,
                    point_id=point_id,
                    checked_seconds=checked_seconds,
                )
                if last is not None and made.epoch != last.epoch:
                    self._count("voided")
                return made
            self._close_point(point_id)
            before = after
        raise UnclearStateError("the indices of the target change faster than they can be looked at")

    def _probed(
        self, point_id: str, track: Track | None, before: TargetState
    ) -> tuple[Mapping[str, Any], bool]:
        point = {"id": point_id, "keep_alive": f"{self._point_seconds}s"}
        try:
            answer = self._store.search("", {**probe(track, before, with_cells=True), "pit": point})
            is_sure = True
        except QueryRefusedError:
            # Too many times were written to for one answer: what was kept is given up then.
            answer = self._store.search("", {**probe(track, before, with_cells=False), "pit": point})
            is_sure = False
        if is_partial(answer):
            raise UnclearStateError("the store answers in part")
        return answer, is_sure

    def _clear(self, target: str) -> TargetState:
        state = self._store.states(target)
        if state is None or not state.indices:
            raise UnclearStateError("not every copy of the target's shards tells how far it is")
        return state

    def _give_back(self, track: Track) -> None:
        if track.point_id is not None:
            self._close_point(track.point_id)

    def _close_point(self, point_id: str) -> None:
        try:
            self._store.close_point(point_id)
        except StoreQueryError:
            # The store gives it up by itself after `point_seconds`.
            self._count("points_left")
