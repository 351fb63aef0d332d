"""Which position of each index a search may see: near-real-time refresh, and points in time."""

from __future__ import annotations

import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from harness.programs.elastic_lite.language.durations import seconds
from harness.programs.elastic_lite.language.errors import ElasticError, SearchError, illegal_argument
from harness.programs.elastic_lite.storage.catalog import Index

KEEP_ALIVE_SECONDS_MAX = 24 * 3600.0
OPEN_MAX = 500
MAGIC = b"lite"


@dataclass(frozen=True, slots=True)
class View:
    """What a search sees of one index: everything written at or before a position."""

    name: str
    number: int
    position: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far an index is written, how far searches see, and since when the two differ."""

    searchable: int
    latest: int
    stale_since_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PointInTime:
    """A frozen view of some indices."""

    views: tuple[View, ...]
    keep_alive_seconds: float
    expires_seconds: float


class Visibility:
    """Keeps each index's freshness and every open point in time; all methods may be called from any thread.

    Args:
        position: The last position on disk when the server started: all of that is searchable.
        clock: Monotonic seconds.
    """

    def __init__(self, position: int, clock: Callable[[], float]) -> None:
        self.start = position
        self.clock = clock
        self.guard = threading.Lock()
        self.states: dict[int, Freshness] = {}
        self.readers: Counter[int] = Counter()
        """By index, how often it was refreshed."""
        self.points: dict[str, PointInTime] = {}
        self.gone: dict[str, tuple[View, ...]] = {}
        """Of points that are closed or ran out, the latest: what they saw, by their ids."""

    def wrote(self, number: int, position: int) -> None:
        """Note a committed write."""
        with self.guard:
            state = self.states.get(number, Freshness(self.start, self.start))
            since = self.clock() if state.stale_since_seconds is None else state.stale_since_seconds
            self.states[number] = Freshness(state.searchable, position, since)

    def refresh(self, numbers: Iterable[int]) -> None:
        """Let searches see everything written so far to some indices."""
        with self.guard:
            for number in numbers:
                state = self.states.get(number)
                self.readers[number] += 1  # counts even where nothing is new, as in Elasticsearch
                if state is not None:
                    self.states[number] = Freshness(state.latest, state.latest)

    def refreshes(self, number: int) -> int:
        """How often an index was refreshed since the server started, its opening included."""
        with self.guard:
            return self.readers[number] + 1

    def forget(self, number: int) -> None:
        """Drop a deleted index."""
        with self.guard:
            self.states.pop(number, None)
            self.readers.pop(number, None)

    def view(self, index: Index) -> View:
        """What a search sees of an index now; writes older than its refresh interval become visible here."""
        with self.guard:
            return self._view_guarded(index)

    def _view_guarded(self, index: Index) -> View:
        state = self.states.get(index.number, Freshness(self.start, self.start))
        interval = seconds(index.refresh_interval, "index.refresh_interval")
        if (
            state.stale_since_seconds is not None
            and 0 <= interval <= self.clock() - state.stale_since_seconds
        ):
            state = self.states[index.number] = Freshness(state.latest, state.latest)
            self.readers[index.number] += 1
        return View(index.name, index.number, state.searchable)

    def purgeable(self, number: int) -> int:
        """The position up to which ended rows of an index are seen by nobody."""
        with self.guard:
            self._drop_expired()
            bounds = [self.states.get(number, Freshness(self.start, self.start)).searchable]
            bounds += [
                view.position
                for point in self.points.values()
                for view in point.views
                if view.number == number
            ]
            return min(bounds)

    def open_point(self, indices: Iterable[Index], keep_alive: str) -> str:
        """Open a point in time over some indices.

        Raises:
            ElasticError: 400 for a keep_alive that is malformed or above a day, 429 when too many are open.
        """
        keep_alive_seconds = checked_keep_alive(keep_alive)
        with self.guard:
            views = tuple(self._view_guarded(index) for index in indices)
            return self._add_point(views, keep_alive_seconds)

    def _add_point(self, views: tuple[View, ...], keep_alive_seconds: float) -> str:
        self._drop_expired()
        if len(self.points) >= OPEN_MAX:
            reason = f"Trying to create too many points in time. Must be less than or equal to: [{OPEN_MAX}]."
            raise ElasticError(429, "es_rejected_execution_exception", f"{reason} Close the ones not in use.")
        point_id = urlsafe_b64encode(MAGIC + secrets.token_bytes(20)).decode()
        self.points[point_id] = PointInTime(views, keep_alive_seconds, self.clock() + keep_alive_seconds)
        return point_id

    def hold(self, views: tuple[View, ...], keep_alive: str) -> str:
        """Keep views as a point in time, as a scroll does.

        Raises:
            ElasticError: 400 for a keep_alive that is malformed or above a day, 429 when too many are open.
        """
        with self.guard:
            return self._add_point(views, checked_keep_alive(keep_alive))

    def open_points(self) -> frozenset[str]:
        """The ids of the points in time that are open."""
        with self.guard:
            self._drop_expired()
            return frozenset(self.points)

    def use_point(self, point_id: str, keep_alive: str | None) -> PointInTime:
        """A point in time for a search, its life extended.

        Raises:
            ElasticError: 400 for an id that never was one, 404 for one that is closed or expired.
        """
        check_point_id(point_id)
        with self.guard:
            self._drop_expired()
            point = self.points.get(point_id)
            if point is None:
                reason = f"No search context found for id [{point_id}]"
                raise SearchError(404, "search_context_missing_exception", reason)
            kept = point.keep_alive_seconds if keep_alive is None else checked_keep_alive(keep_alive)
            point = replace(point, keep_alive_seconds=kept, expires_seconds=self.clock() + kept)
            self.points[point_id] = point
            return point

    def close_point(self, point_id: str) -> PointInTime | None:
        """Close a point in time; None when it was not open."""
        check_point_id(point_id)
        with self.guard:
            self._drop_expired()
            return self._drop(point_id) if point_id in self.points else None

    def views_of_gone(self, point_id: str) -> tuple[View, ...]:
        """What a point in time saw that is no longer open; nothing where that is not known any more."""
        with self.guard:
            self._drop_expired()
            return self.gone.get(point_id, ())

    def _drop_expired(self) -> None:
        now = self.clock()
        for point_id in [it for it, point in self.points.items() if point.expires_seconds <= now]:
            self._drop(point_id)

    def _drop(self, point_id: str) -> PointInTime:
        point = self.points.pop(point_id)
        self.gone[point_id] = point.views
        if len(self.gone) > OPEN_MAX:
            del self.gone[next(iter(self.gone))]
        return point


def checked_keep_alive(text: str) -> float:
    """A keep_alive in seconds, at most a day (search.max_keep_alive's default)."""
    found = seconds(text, "keep_alive")
    if found > KEEP_ALIVE_SECONDS_MAX:
        raise SearchError(
            400,
            "illegal_argument_exception",
            f"Keep alive for request ({text}) is too large. It must be less than (1d). This limit can "
            "be set by "
            "changing the [search.max_keep_alive] cluster level setting.",
        )
    return found


def check_point_id(point_id: str) -> None:
    """Refuse an id that no server of this kind has ever given."""
    try:
        raw = urlsafe_b64decode(point_id)
    except ValueError as error:
        raise illegal_argument(f"[pit] failed to parse field [id]: {error}") from error
    if not raw.startswith(MAGIC):
        raise illegal_argument("[pit] failed to parse field [id]: it was not made by this server")
