"""Whether what was kept is still what the store would say: pure judgement over states and probes.

The argument, in full in docs/explanation/cache.md:

* A *view* is what one reader of each shard shows. While no copy's `max_seq_no` and refresh count moves, there
  is no other reader: everything computed on the view holds.
* An index is *complete up to* a sequence number where the view holds every operation up to it. From then on,
  the records at or below that number can only become fewer. If there are as many as before, they are the
  same.
* So when an index has moved, an answer holds if it was made of records at or below that number (told with the
  answer itself), none of these went away, and no newer record lies in its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from logging_system.analytics.cache.store_states import IndexState, TargetState
from logging_system.analytics.cache.time_ranges import CELL_MS, TIME_FIELD, TimeRange

CELLS_MAX = 10_000
"""Cells written to that are remembered; beyond them all is forgotten, and so are the answers."""

_INDICES_MAX = 1_000
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Base:
    """Up to where a view of an index is complete.

    Attributes:
        up_to: The sequence number; -1 for an index that is known to be empty.
        records: How many records there are at or below it.
    """

    up_to: int
    records: int


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of a target, as of one check.

    Attributes:
        epoch: Grows when all that was kept is void.
        serial: Grows with every new view.
        state: How far the indices were, right before the view.
        steady: Indices whose state was the same right after it: of these, the state names the view.
        written_after: By index, the highest sequence number given, as told right after the view.
        bases: By index, up to where the view is complete; an index of which that is not known is not here.
        moved: By index, the serial at which it last was not known to be unmoved.
        written: By cell of time, the serial at which it last had records that may be new.
        shards: What the store says of the shards with its answers.
        point_id: The point in time that holds the view; None where none is open.
        checked_seconds: When the check began, on the clock of the cache.
    """

    epoch: int
    serial: int
    state: TargetState
    steady: frozenset[str]
    written_after: Mapping[str, int]
    bases: Mapping[str, Base]
    moved: Mapping[str, int]
    written: Mapping[int, int]
    shards: Mapping[str, Any]
    point_id: str | None
    checked_seconds: float

    def holds(self, state: TargetState) -> bool:
        """Whether the view is still the store's, if this is its state now."""
        return self.state == state and len(self.steady) == len(state.indices)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which records an answer was made of.

    Attributes:
        epoch: Of the track that it was made under.
        serial: Likewise.
        unsettled: Indices of which it holds records that the view's base does not cover.
        time: The time that its records lie in; None for an answer of that one view alone.
    """

    epoch: int
    serial: int
    unsettled: tuple[str, ...] = ()
    time: TimeRange | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a probe found in a new view.

    Attributes:
        kept: By index, how many records lie at or below the base of the view before.
        bases: By index, what the new view is complete up to, where it shows that.
        cells: The cells of time with records above the old bases.
        shards: What the store says of the shards.
    """

    kept: Mapping[str, int]
    bases: Mapping[str, Base]
    cells: frozenset[int]
    shards: Mapping[str, Any] = field(default_factory=dict)


def comparable(track: Track | None, state: TargetState) -> Track | None:
    """Return the track if it is one of the same indices, shards and processes; else None."""
    return track if track is not None and track.state.definition == state.definition else None


def moved_indices(track: Track | None, state: TargetState) -> list[str]:
    """Return the indices that may show other records than in the view before; see `probe`."""
    if track is None:
        return list(state.indices)
    same = {name for name in track.steady if track.state.indices[name] == state.indices[name]}
    return [name for name in state.indices if name not in same]


def is_conclusive(track: Track | None, before: TargetState, after: TargetState) -> bool:
    """Whether what did not move until the new view did not move until after it either; see `next_track`.

    Args:
        track: What was known before; None where nothing was that can be compared.
        before: How far the indices were right before the new view was opened.
        after: How far they were right after it.
    """
    if before.definition != after.definition:
        return False
    moved = set(moved_indices(track, before))
    return all(name in moved or after.indices[name] == each for name, each in before.indices.items())


def probe(track: Track | None, state: TargetState, *, with_cells: bool) -> dict[str, Any]:
    """Return the search that compares a new view with the one before.

    Args:
        track: What is known of the view before; None where nothing is that can be compared.
        state: How far the indices were right before the new view.
        with_cells: Whether to ask which times were written to.
    """
    filters: dict[str, Any] = {}
    newer: list[Any] = []
    for name in moved_indices(track, state):
        base = track.bases.get(name) if track else None
        if base is not None:
            filters[f"kept {name}"] = _of_index(name, {"lte": base.up_to})
            newer.append(_of_index(name, {"gt": base.up_to}))
        for word, up_to in _candidates(name, track, state):
            filters[f"{word} {name}"] = _of_index(name, {"lte": up_to})
        if track:
            filters[f"newer {name}"] = _of_index(name, {"gt": track.written_after[name]})
    aggregations: dict[str, Any] = {}
    if filters:
        aggregations["counts"] = {"filters": {"filters": filters}}
    if newer and with_cells:
        cells = {
            "date_histogram": {"field": TIME_FIELD, "fixed_interval": f"{CELL_MS}ms", "min_doc_count": 1}
        }
        query = {"bool": {"should": newer, "minimum_should_match": 1}}
        aggregations["new"] = {"filter": query, "aggs": {"cells": cells}}
    return {"size": 0, "track_total_hits": False, **({"aggs": aggregations} if aggregations else {})}


def look_of(answer: Mapping[str, Any], track: Track | None, state: TargetState) -> Look:
    """Return what a probe found; see `probe` for the arguments.

    Args:
        answer: What the store answered the search that `probe` returned.
        track: As for `probe`.
        state: As for `probe`.
    """
    found = answer.get("aggregations", _NOTHING)
    counts = {
        name: each["doc_count"] for name, each in found.get("counts", {"buckets": {}})["buckets"].items()
    }
    kept: dict[str, int] = {}
    bases: dict[str, Base] = {}
    for name in moved_indices(track, state):
        if f"kept {name}" in counts:
            kept[name] = counts[f"kept {name}"]
        base = _best_base(name, track, state, counts)
        if base is not None:
            bases[name] = base
    buckets = found["new"]["cells"]["buckets"] if "new" in found else []
    cells = frozenset(int(bucket["key"]) // CELL_MS for bucket in buckets)
    shards = {**answer.get("_shards", _NOTHING), "skipped": 0}
    return Look(kept, bases, cells, shards)


def next_track(
    last: Track | None,
    track: Track | None,
    before: TargetState,
    look: Look,
    after: TargetState,
    *,
    new_epoch: int,
    is_sure: bool,
    point_id: str | None,
    checked_seconds: float,
) -> Track:
    """Return what is known once a new view was looked at.

    Args:
        last: The last track of this target, comparable or not; None for the first.
        track: What was known, as the probe had it; None where nothing was that can be compared.
        before: How far the indices were right before the view.
        look: What the probe found in the view.
        after: How far they were right after it; of the same definition.
        new_epoch: A number that no epoch had yet, for where all that was kept is void.
        is_sure: Whether the probe told which times were written to.
        point_id: The point in time that holds the view.
        checked_seconds: When the check began.
    """
    moved_now = moved_indices(track, before)
    steady = frozenset(name for name, each in before.indices.items() if after.indices[name] == each)
    serial = last.serial + 1 if last else 1
    # What did not move is complete up to where it was.
    bases = {name: base for name, base in (track.bases if track else {}).items() if name not in moved_now}
    moved, written, epoch = dict.fromkeys(moved_now, serial), dict[int, int](), new_epoch
    if track and is_sure and _goes_on(track, look, moved_now):
        moved, epoch = {**track.moved, **moved}, track.epoch
        written = {**track.written, **dict.fromkeys(look.cells, serial)}
    return Track(
        epoch=epoch,
        serial=serial,
        state=before,
        steady=steady,
        written_after={name: each.written for name, each in after.indices.items()},
        bases=bases | dict(look.bases),
        moved=moved,
        written=written,
        shards=look.shards,
        point_id=point_id,
        checked_seconds=checked_seconds,
    )


def provenance(track: Track, evidence: Mapping[str, Any] | None, time: TimeRange | None) -> Provenance:
    """Return which records an answer was made of.

    Args:
        track: What is known of the view that it was asked of.
        evidence: The answer to `evidence_aggregation` beside it; None for an answer of the view alone.
        time: The time that its records lie in.
    """
    if evidence is None or evidence.get("sum_other_doc_count"):
        return Provenance(track.epoch, track.serial)
    unsettled = []
    for bucket in evidence["buckets"]:
        base, newest = track.bases.get(bucket["key"]), bucket["newest"]["value"]
        if base is None or newest is None or newest > base.up_to:
            unsettled.append(bucket["key"])
    return Provenance(track.epoch, track.serial, tuple(unsettled), time)


def is_valid(made: Provenance, track: Track) -> bool:
    """Whether an answer is what the view of a track would give.

    Args:
        made: Which records the answer was made of.
        track: What is known of the view.
    """
    if made.epoch != track.epoch or made.serial > track.serial:
        return False
    if made.serial == track.serial:
        return True
    if made.time is None or any(track.moved.get(name, 0) > made.serial for name in made.unsettled):
        return False
    return not any(track.written.get(cell, 0) > made.serial for cell in _cells(made.time, track.written))


def evidence_aggregation() -> dict[str, Any]:
    """Return the aggregation that tells, by index, how new the newest matching record is."""
    newest = {"newest": {"max": {"field": "_seq_no"}}}
    return {"terms": {"field": "_index", "size": _INDICES_MAX}, "aggs": newest}


def _cells(time: TimeRange, written: Mapping[int, int]) -> Iterable[int]:
    cells = range(time.from_ms // CELL_MS, -(-time.to_ms // CELL_MS))
    return cells if len(cells) <= len(written) else [cell for cell in written if cell in cells]


def _of_index(name: str, bounds: Mapping[str, int]) -> dict[str, Any]:
    return {"bool": {"filter": [{"term": {"_index": name}}, {"range": {"_seq_no": dict(bounds)}}]}}


def _candidates(name: str, track: Track | None, state: TargetState) -> list[tuple[str, int]]:
    """Return up to where the new view may be complete, by the word that says how that shows."""
    found = [("counted", state.indices[name].processed)]
    if track:
        found.append(("passed", track.state.indices[name].processed))
    return found


def _best_base(name: str, track: Track | None, state: TargetState, counts: Mapping[str, int]) -> Base | None:
    before = track.bases.get(name) if track else None
    # Still complete up to there, though some of these records may be gone.
    found = Base(before.up_to, counts[f"kept {name}"]) if before else None
    start, index = found or Base(-1, 0), state.indices[name]
    for word, up_to in _candidates(name, track, state):
        now = Base(up_to, counts[f"{word} {name}"])
        shown = (
            _is_counted(start, now, index)
            if word == "counted"
            else _is_passed(index, counts[f"newer {name}"])
        )
        if shown and (before is None or up_to > before.up_to) and (found is None or up_to >= found.up_to):
            found = now
    return found


def _is_counted(start: Base, now: Base, index: IndexState) -> bool:
    # Every sequence number from one to the other is that of a record in the view: none is still to come.
    ahead = now.up_to - start.up_to
    return ahead >= 0 and now.records - start.records == index.shards * ahead


def _is_passed(index: IndexState, newer: int) -> bool:
    # A record written after the last check is in the view, so its reader was opened after that check, when
    # all up to `processed` was in each copy. Of several shards, only that record's own shows this.
    return index.shards == 1 and newer > 0


def _goes_on(track: Track, look: Look, moved_now: Iterable[str]) -> bool:
    if len(track.written) + len(look.cells) > CELLS_MAX:
        return False
    return all(name in track.bases and look.kept.get(name) == track.bases[name].records for name in moved_now)
