"""Schedules of a simulated spool: what each actor does next and what befalls it, drawn from a seed."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.simulation.disk import Strike

_ACTIONS = {
    "append": 50,
    "read": 16,
    "acknowledge": 12,
    "save": 10,
    "seal": 8,
    "kill_writer": 2,
    "kill_reader": 2,
    "power_cut": 2,
    "evict_forgotten": 2,
    "rot": 1,
}
_CALLS = {
    "append": ("write", "datasync", "datasync", "sync", "rename", "truncate"),
    "seal": ("write", "datasync", "rename", "sync", "truncate"),
    "read": ("list_names", "list_names", "open", "pread", "status"),
    "save": ("pwrite", "datasync", "unlink", "sync", "list_names", "rename"),
}
"""Which actions are struck, and at which calls most often."""
_MEANWHILE_WRITING = (("read",), ("save",), ("read", "save"), ("read", "read", "read"))
_MEANWHILE_READING = (("append",), ("seal", "append"), ("append", "seal", "append"), ("append", "append"))
_ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT)


_RETENTION_BYTES_MIN = 4_096
"""So few that every story about evictions sees some."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action of one actor.

    Attributes:
        action: What is done; a method of the world.
        actor: Which writer, for those a writer does.
        amount: How many records, bytes or blocks, as the action takes it.
        strikes: What befalls the actor on the way.
        meanwhile: What another actor does in the middle, where a strike says so.
    """

    action: str
    actor: int
    amount: int
    strikes: tuple[Strike, ...] = ()
    meanwhile: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for a whole run.

    Attributes:
        seed: Decides what a failure leaves behind.
        spool_bytes_max: Room for all segments.
        synced: For each writer whether its records are acknowledged only when durable.
        retention_bytes: Above this the oldest segments give way; 0 never.
        rots: Whether bits flip.
        lies: Whether syncs may do nothing.
    """

    seed: int
    spool_bytes_max: int
    synced: tuple[bool, ...]
    retention_bytes: int
    rots: bool
    lies: bool


def setting(seed: int) -> Setting:
    """Return what holds for the run of a seed."""
    rng = random.Random(f"setting {seed}")
    spool_bytes_max = rng.choice((16_384, 65_536, 1_048_576))
    return Setting(
        seed=seed,
        spool_bytes_max=spool_bytes_max,
        synced=rng.choice(((True, True, True), (True, True, False), (True,), (False, False))),
        retention_bytes=rng.choice((0, 0, 0, spool_bytes_max // 2, _RETENTION_BYTES_MIN)),
        rots=rng.random() < 0.4,
        lies=rng.random() < 0.1,
    )


def steps(of: Setting) -> Iterator[Step]:
    """Yield the steps of a setting's seed, without end."""
    rng = random.Random(f"steps {of.seed}")
    actions, weights = list(_ACTIONS), list(_ACTIONS.values())
    while True:
        if rng.random() < _STORY_SHARE:
            yield from rng.choice(_STORIES)(rng, of)
            continue
        step = _step(rng, of, rng.choices(actions, weights)[0])
        if step.action == "rot" and not of.rots:
            continue
        yield step


def _block_vanishes(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Fail a sync whose block a reader saw; what it saw of it is delivered before it is written again."""
    actor = rng.randrange(len(of.synced))
    amount = rng.choice((4, 20, 50))
    late = rng.random() < 0.3
    strikes = (Strike("datasync", 0, "error", errno.EIO, late), Strike("truncate", 0, "meanwhile"))
    seen = (Step("read", actor, 60), Step("acknowledge", actor, rng.choice((1, amount // 2, 60))))
    yield Step("seal", actor, 1)
    if rng.random() < 0.5:
        yield Step("append", actor, 1)
    yield Step("append", actor, amount, strikes, (*seen, Step("save", 0, 1)) if rng.random() < 0.5 else seen)
    yield from _ship(rng.choice((1, 60)), rng.randrange(3))
    yield from rng.choice(((), (Step("kill_reader", 0, 1),), (Step("kill_writer", actor, 1),)))
    yield Step("append", actor, amount)
    yield from _ship(60, 2)


def _block_rots_away(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Fail a sync and the cutting off; the block is delivered in part, written again, and then vanishes."""
    actor = rng.randrange(len(of.synced))
    yield Step("seal", actor, 1)
    yield Step("append", actor, 1)
    yield from _ship(60, 1)
    strikes = (Strike("datasync", 0, "error", errno.EIO), Strike("truncate", 0, "error", errno.EIO))
    yield Step("append", actor, 50, strikes)
    yield from _ship(rng.choice((1, 20)), 1)
    yield Step("append", actor, 50)
    yield Step("kill_reader", 0, 1)
    yield Step(rng.choice(("evict_forgotten", "power_cut")), 0, 1)
    yield from _ship(60, 2)


def _creation_fails(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Fail to create a segment, and let the reader pass what was left of it."""
    actor = rng.randrange(len(of.synced))
    yield Step("seal", actor, 1)
    yield from _ship(60, 1)
    call, after_calls = rng.choice((("sync", 0), ("sync", 1), ("rename", 0)))
    yield Step("append", actor, 4, (Strike(call, after_calls, "error", errno.EIO, rng.random() < 0.5),))
    yield from _ship(60, 2)
    yield Step("append", actor, 4)
    yield from _ship(60, 1)


def _removal_is_undone(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Cut the power when a delivered file has been removed and, in another checkpoint, forgotten."""
    actor, other = rng.randrange(len(of.synced)), rng.randrange(len(of.synced))
    yield Step("append", actor, 4)
    yield Step("seal", actor, 1)
    yield from _ship(60, 2)
    yield Step("append", other, 4) if other != actor else Step("evict_forgotten", 0, 1)
    yield from _ship(60, 1)
    yield Step("power_cut", 0, 1)
    yield from _ship(60, 1)


def _eviction_is_cut_short(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Kill a writer that has marked a segment as evicted and not removed it yet."""
    actor = rng.randrange(len(of.synced))
    for _ in range(3):
        yield Step("append", actor, 50)
        yield Step("seal", actor, 1)
    late = rng.random() < 0.2
    yield Step("append", actor, 50, (Strike("unlink", 0, rng.choice(("kill", "error")), errno.EIO, late),))
    yield from _ship(60, 3)


def _eviction_of_the_dead_is_cut_short(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Kill a writer that has marked the only segment of a dead one; the reader delivers it all the same."""
    actor, other = rng.randrange(len(of.synced)), rng.randrange(len(of.synced))
    yield from _ship(60, 3)
    yield Step("append", actor, 50)
    yield Step("seal", actor, 1)
    yield Step("kill_writer", actor, 1)
    if rng.random() < 0.5:
        yield from _ship(rng.choice((1, 20)), 1)
    for _ in range(rng.randrange(3)):
        yield Step("append", other, 50)
        yield Step("seal", other, 1)
    late = rng.random() < 0.2
    yield Step("append", other, 59, (Strike("unlink", 0, rng.choice(("kill", "error")), errno.EIO, late),))
    yield from _ship(60, rng.randrange(1, 6))


def _ship(amount: int, times: int) -> Iterator[Step]:
    for _ in range(times):
        yield Step("read", 0, 60)
        yield Step("acknowledge", 0, amount)
        yield Step("save", 0, 1)


_STORIES = (
    _block_vanishes,
    _block_rots_away,
    _creation_fails,
    _removal_is_undone,
    _eviction_is_cut_short,
    _eviction_of_the_dead_is_cut_short,
)
"""Faults that hurt only in a certain order, which chance alone takes hundreds of seeds to bring about."""

_STORY_SHARE = 0.04


def _step(rng: random.Random, of: Setting, action: str) -> Step:
    actor = rng.randrange(len(of.synced))
    amount = rng.choice((1, 3, rng.randrange(1, 60)))
    if action not in _CALLS or rng.random() < 0.7:
        return Step(action, actor, amount)
    strikes = tuple(_strike(rng, action) for _ in range(rng.choice((1, 1, 2))))
    if action == "append" and rng.random() < 0.15:
        strikes = _failed_sync(rng)
    elif action == "read" and rng.random() < 0.3:
        strikes = (Strike("list_names", 0, "meanwhile"),)
    if all(strike.kind != "meanwhile" for strike in strikes):
        return Step(action, actor, amount, strikes)
    others = rng.choice(_MEANWHILE_WRITING if action in ("append", "seal") else _MEANWHILE_READING)
    other = rng.randrange(len(of.synced))
    meanwhile = tuple(Step(each, other, rng.choice((1, 3, rng.randrange(1, 60)))) for each in others)
    return Step(action, actor, amount, strikes, meanwhile)


def _failed_sync(rng: random.Random) -> tuple[Strike, ...]:
    """Fail a sync, and let a reader see the block before it is cut off, or the cutting off fail as well."""
    sync = Strike("datasync", 0, "error", rng.choice(_ERRORS), rng.random() < 0.3)
    return sync, Strike("truncate", 0, rng.choice(("meanwhile", "error")), rng.choice(_ERRORS))


def _strike(rng: random.Random, action: str) -> Strike:
    call = rng.choice(("", *_CALLS[action]))
    after_calls = rng.randrange(2) if call else rng.randrange(14)
    kind = rng.choices(("error", "kill", "power", "meanwhile"), (10, 5, 1, 10))[0]
    if kind == "meanwhile":
        return Strike(call, after_calls, kind)
    return Strike(call, after_calls, kind, rng.choice(_ERRORS), rng.random() < 0.3)


def shrunk(schedule: Sequence[Step], fails: Callable[[Sequence[Step]], bool], runs_max: int) -> list[Step]:
    """Return a part of a failing schedule that still fails, as short as `runs_max` tries make it.

    Delta debugging (Zeller and Hildebrandt 2002): leave out ever smaller stretches.
    """
    kept = list(schedule)
    stretch = max(1, len(kept) // 2)
    runs = 0
    while runs < runs_max:
        start = 0
        before = len(kept)
        while start < len(kept) and runs < runs_max:
            candidate = kept[:start] + kept[start + stretch :]
            runs += 1
            if candidate and fails(candidate):
                kept = candidate
            else:
                start += stretch
        if stretch == 1 and len(kept) == before:
            break
        stretch = max(1, stretch // 2)
    return kept
