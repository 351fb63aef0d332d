"""Searches through the cache: what is kept and valid is not asked again, and an answer says how fresh it is.

    answer(question)
      │ kept, and checked a moment ago? ──────────────────────────────▶ hit
      ├─ check: has the store moved since the view? (one for all questions of a target)
      │     moved ─▶ a new point in time, a probe of what changed, a new track
      ├─ kept, and valid under the track? ────────────────────────────▶ hit
      └─ ask for what is missing, in the view of the track; keep it with its provenance

Judgement lies in `plans`, `merging` and `validity`; here is what asks and waits.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson

from logging_system.analytics.cache.answer_memory import AnswerMemory, KeptAnswer
from logging_system.analytics.cache.cached_answer import CachedAnswer, CacheStatistics, is_partial
from logging_system.analytics.cache.checking import Checks, UnclearStateError
from logging_system.analytics.cache.keys import Scope, question_key
from logging_system.analytics.cache.plans import Exactness, plan_of
from logging_system.analytics.cache.single_flight import SingleFlight, WaitedTooLongError
from logging_system.analytics.cache.snapshot_store import SnapshotStore
from logging_system.analytics.cache.validity import Track
from logging_system.analytics.cache.view_answers import (
    PartialAnswerError,
    Question,
    ViewAnswers,
    without_time,
)
from logging_system.analytics.store_queries import QueryRefusedError, StoreUnavailableError

Json = Mapping[str, Any]
_ATTEMPTS = 3
_NOT_FOUND = 404
_QUESTIONS_MAX = 1_000
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class CacheTimes:
    """How long things may take and last.

    Attributes:
        check_seconds: A check answers for all questions of its target for so long; 0: each has its own. A
            fresh answer is exact as of a moment no longer ago than this.
        stale_seconds_max: How old a stale answer may be in an outage.
        wait_seconds_max: How long one waits for another thread that asks the same.
        point_seconds: How long the store keeps a point in time that nobody asks.
    """

    check_seconds: float = 1.0
    stale_seconds_max: float = 300.0
    wait_seconds_max: float = 30.0
    point_seconds: int = 60


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer, and the moment as of which it is exact, on the clock of the cache."""

    raw: Json | None
    encoded: bytes | None
    exact_seconds: float
    from_cache: bool


class _ViewGoneError(Exception):
    """The point in time of a track did not answer."""

    def __init__(self, track: Track) -> None:
        super().__init__()
        self.track = track


class CachedQueries:
    """A cache before a store, for one reader; fits `StoreQueries`; safe for threads.

    Args:
        store: The store, asked with the reader's credentials.
        scope: For whom; nothing is shared with another scope.
        memory: Where answers are kept; it may be that of other caches too.
        times: How long things last.
        whole_number_fields: Fields whose values are whole numbers, none negative; the sums of others are not
            put together from pieces.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: SnapshotStore,
        *,
        scope: Scope,
        memory: AnswerMemory,
        times: CacheTimes | None = None,
        whole_number_fields: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._scope = scope
        self._memory = memory
        self._times = times or CacheTimes()
        self._whole_number_fields = frozenset(whole_number_fields)
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._counts_lock = threading.Lock()
        self._flights: SingleFlight[_Given] = SingleFlight(self._times.wait_seconds_max)
        self._checks = Checks(
            store, self._times.point_seconds, self._times.wait_seconds_max, clock, self._count
        )
        self._views = ViewAnswers(store, memory, self._times.point_seconds, self._count)
        self._questions: dict[tuple[str, bytes], Question] = {}
        # Two caches of one scope do not share: each tells its views by numbers of its own.
        self._number = next(_NUMBERS).to_bytes(8, "big")

    @property
    def statistics(self) -> CacheStatistics:
        """What this cache has done; `evicted_bytes` and `used_bytes` are those of its memory."""
        with self._counts_lock:
            counts = dict(self._counts)
        known = {each.name: counts.get(each.name, 0) for each in fields(CacheStatistics)}
        memory = {"evicted_bytes": self._memory.evicted_bytes, "used_bytes": self._memory.used_bytes}
        return replace(CacheStatistics(**known), **memory)

    def search(self, target: str, body: Json) -> Json:
        """Return a fresh answer, or what the store itself says of a question not kept; never a stale one.

        Raises:
            StoreUnavailableError: The store cannot be asked and must be.
            QueryRefusedError: The store refuses the question.
        """
        return self._answer(target, body, with_stale=False).body

    def multi_search(self, searches: Sequence[tuple[str, Json]]) -> list[Json]:
        """Return the answers to several searches, in their order; see `search`."""
        return [self.search(target, body) for target, body in searches]

    def answer(self, target: str, body: Json) -> CachedAnswer:
        """Return an answer with what is known of its freshness; in an outage it may be a stale one.

        Args:
            target: Data streams, as for `StoreQueries.search`.
            body: The body of `_search`.

        Raises:
            StoreUnavailableError: The store cannot be asked, and no answer is kept that is young enough.
            QueryRefusedError: The store refuses the question.
        """
        return self._answer(target, body, with_stale=True)

    def close(self) -> None:
        """Give the points in time back to the store."""
        self._checks.close()

    def _answer(self, target: str, body: Json, *, with_stale: bool) -> CachedAnswer:
        since_seconds = self._clock() - self._times.check_seconds
        question = self._question(target, body)
        try:
            held = self._held(question, self._checks.recent(target, since_seconds))
            given = held or self._flown(question, since_seconds)
        except StoreUnavailableError:
            stale = self._stale(question) if with_stale else None
            if stale is None:
                raise
            return stale
        is_in_part = given.raw is not None and is_partial(given.raw)
        return CachedAnswer(
            raw=given.raw,
            encoded=given.encoded,
            fresh=not is_in_part,
            from_cache=given.from_cache,
            validated_age_seconds=max(self._clock() - given.exact_seconds, 0.0),
            partial=is_in_part,
        )

    def _held(self, question: Question, track: Track | None) -> _Given | None:
        if track is None or question.plan.exactness is Exactness.UNKNOWN:
            return None
        kept = self._views.held(question, track)
        if kept is None:
            return None
        self._count("hits")
        if kept.exact_seconds != track.checked_seconds:
            self._memory.put(question.key, replace(kept, exact_seconds=track.checked_seconds))
        return _Given(None, kept.encoded, track.checked_seconds, from_cache=True)

    def _flown(self, question: Question, since_seconds: float) -> _Given:
        """Ask, or wait for who asks the same already, unless that began before what is recent for this."""
        for _attempt in range(_ATTEMPTS):
            given, is_shared = self._flights.run(question.key, lambda: self._lead(question, since_seconds))
            if not is_shared:
                return given
            if given.exact_seconds > since_seconds:
                self._count("shared")
                # An object of its own for each: nobody changes another's.
                raw = None if given.raw is None else orjson.loads(orjson.dumps(given.raw))
                return replace(given, raw=raw)
        raise WaitedTooLongError("answers take longer than they are good for; ask again")

    def _lead(self, question: Question, since_seconds: float) -> _Given:
        gone: Track | None = None
        attempts = 0 if question.plan.exactness is Exactness.UNKNOWN else _ATTEMPTS
        for _attempt in range(attempts):
            try:
                track = self._checks.track(question.target, since_seconds, gone=gone)
                return self._in_view(question, track)
            except (UnclearStateError, PartialAnswerError):
                break
            except _ViewGoneError as error:
                gone = error.track
        return self._passed(question)

    def _in_view(self, question: Question, track: Track) -> _Given:
        held = self._held(question, track)
        if held is not None:
            return held
        try:
            encoded, is_asked = self._views.asked(question, track)
        except QueryRefusedError as error:
            if error.status != _NOT_FOUND:
                raise UnclearStateError("the store refuses the question as the cache asks it") from error
            raise _ViewGoneError(track) from error
        except StoreUnavailableError as error:
            # Its index or its node may be gone, or the store; the next check tells.
            raise _ViewGoneError(track) from error
        self._count("misses" if is_asked else "hits")
        return _Given(None, encoded, track.checked_seconds, from_cache=not is_asked)

    def _passed(self, question: Question) -> _Given:
        self._count("passed")
        began_seconds = self._clock()
        return _Given(
            self._store.search(question.target, question.body), None, began_seconds, from_cache=False
        )

    def _stale(self, question: Question) -> CachedAnswer | None:
        kept: KeptAnswer | None = self._memory.get(question.key)
        if kept is None:
            return None
        age_seconds = max(self._clock() - kept.exact_seconds, 0.0)
        if age_seconds > self._times.stale_seconds_max:
            return None
        self._count("stale")
        return CachedAnswer(
            raw=None,
            encoded=kept.encoded,
            fresh=False,
            from_cache=True,
            validated_age_seconds=age_seconds,
            stale_age_seconds=age_seconds,
        )

    def _question(self, target: str, body: Json) -> Question:
        # The same object of a dashboard comes in the same order again and again: that is the quick way.
        quick = (target, orjson.dumps(body))
        known = self._questions.get(quick)
        if known is not None:
            return known
        plan = plan_of(body, whole_number_fields=self._whole_number_fields)
        own = {"cache": self._number.hex(), "body": body}
        timeless = {**own, "body": body if plan.width_ms is None else without_time(body), "is": "pieces"}
        key, pieces_key = (question_key(self._scope, target, each) for each in (own, timeless))
        made = Question(key, pieces_key, target, orjson.loads(quick[1]), plan)
        if len(self._questions) >= _QUESTIONS_MAX:
            self._questions.clear()
        self._questions[quick] = made
        return made

    def _count(self, name: str, by: int = 1) -> None:
        with self._counts_lock:
            self._counts[name] += by
