"""Schedules of the simulation with keys: the spool's steps, and between them what happens to keys."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from dataclasses import dataclass

from logging_system.encryption.sealing import SealingLimits
from tests.simulation.disk import Strike
from tests.simulation.key_server import TROUBLES
from tests.simulation.spool_steps import Setting, Step, steps

ROTATORS = 2
_KEY_SHARE = 0.35
_STORY_SHARE = 0.06
_ACTIONS = {
    "advance": 40,
    "begin": 12,
    "outage": 4,
    "outage_ends": 8,
    "wait": 16,
    "fork": 4,
    "letter": 8,
    "look_back": 8,
    "kill_rotator": 3,
}
_STRUCK = {"begin", "advance", "letter", "look_back"}
_CALLS = (
    "",
    "key_server",
    "write",
    "sync",
    "rename",
    "open",
    "pread",
    "list_names",
    "path_status",
)
_KINDS, _KIND_WEIGHTS = ("error", "kill", "power", "meanwhile"), (8, 8, 1, 12)
_ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)
_WAITS = (1, 1, 1, 2, 6, 31, 61, 301)
_MEANWHILE = (
    ("append",),
    ("read",),
    ("advance",),
    ("advance",) * 8,
    ("begin", "advance"),
)
_WHOLE = 9
"""Advances that end a rotation which waits for nobody."""


@dataclass(frozen=True, slots=True)
class KeySetting:
    """What holds for the keys of a whole run.

    Attributes:
        has_public_keys: Whether writers can wrap without the server.
        lags: Whether readers ask copies of the server, which lag.
        limits: When a data key has served its time.
    """

    has_public_keys: bool
    lags: bool
    limits: SealingLimits


def key_setting(seed: int) -> KeySetting:
    """Return what holds for the keys of a seed's run."""
    rng = random.Random(f"key setting {seed}")
    return KeySetting(
        has_public_keys=rng.random() < 0.6,
        lags=rng.random() < 0.5,
        limits=SealingLimits(
            age_seconds_max=rng.choice((5.0, 60.0, 300.0)),
            records_max=rng.choice((30, 500, 1 << 20)),
            outage_seconds_max=rng.choice((30.0, 3600.0)),
        ),
    )


def keyed_steps(of: Setting) -> Iterator[Step]:
    """Yield the steps of a setting's seed, without end."""
    rng = random.Random(f"keyed steps {of.seed}")
    spools = steps(of)
    actions, weights = list(_ACTIONS), list(_ACTIONS.values())
    while True:
        if rng.random() < _STORY_SHARE:
            yield from rng.choice(_STORIES)(rng, of)
        elif rng.random() < _KEY_SHARE:
            yield _key_step(rng, of, rng.choices(actions, weights)[0])
        else:
            step = next(spools)
            yield _with_keys_struck(rng, step)


def _key_step(rng: random.Random, of: Setting, action: str) -> Step:
    actor = rng.randrange(ROTATORS if action in ("begin", "advance", "kill_rotator") else len(of.synced))
    amount = rng.randrange(1, 60)
    if action == "wait":
        amount = rng.choice(_WAITS)
    elif action == "outage":
        amount = rng.randrange(len(TROUBLES))
    if action not in _STRUCK or rng.random() < 0.6:
        return Step(action, actor, amount)
    strikes = tuple(_strike(rng) for _ in range(rng.choice((1, 1, 2))))
    if all(strike.kind != "meanwhile" for strike in strikes):
        return Step(action, actor, amount, strikes)
    return Step(action, actor, amount, strikes, _meanwhile(rng, of, actor))


def _meanwhile(rng: random.Random, of: Setting, actor: int) -> tuple[Step, ...]:
    other = 1 - actor if actor < ROTATORS else 0
    writer = rng.randrange(len(of.synced))
    return tuple(
        Step(each, other if each in ("begin", "advance") else writer, rng.choice((1, 3, 20)))
        for each in rng.choice(_MEANWHILE)
    )


def _strike(rng: random.Random) -> Strike:
    call = rng.choice(_CALLS)
    kind = rng.choices(_KINDS, _KIND_WEIGHTS)[0]
    after_calls = rng.randrange(3) if call else rng.randrange(60)
    return Strike(call, after_calls, kind, rng.choice(_ERRORS), kind != "meanwhile" and rng.random() < 0.4)


def _with_keys_struck(rng: random.Random, step: Step) -> Step:
    """Let some of the spool's steps be struck where they come to their keys, or rotate meanwhile."""
    if step.strikes or step.action not in ("append", "read") or rng.random() < 0.8:
        return step
    strike = Strike(rng.choice(("key_server", "open", "rename", "list_names")), rng.randrange(3), "meanwhile")
    if rng.random() < 0.4:
        strike = _strike(rng)
    rotation = (Step("begin", 0, 1), *[Step("advance", 0, 1)] * rng.choice((1, 4, _WHOLE)))
    return Step(step.action, step.actor, step.amount, (strike,), rotation)


def _all_alive(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Rotate with every reader and writer at work, so that nobody is passed over."""
    yield Step("outage_ends", 0, 1)
    for _ in range(8):
        yield from _work(of)
        yield Step("wait", 0, 1)
    yield Step("begin", 0, rng.randrange(1, 60))
    for _ in range(rng.choice((4, 12))):
        yield Step("advance", 0, 1)
        yield from _work(of)
        if rng.random() < 0.5:
            yield Step("wait", 0, 1)
    yield Step("look_back", 0, 20)


def _work(of: Setting) -> Iterator[Step]:
    for actor in range(len(of.synced)):
        yield Step("append", actor, 1)
    yield Step("read", 0, 60)


def _rotated_while_a_key_is_stored(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Let a whole rotation pass between the wrapping of a new writer's data key and its storing."""
    actor = rng.randrange(len(of.synced))
    yield Step("outage_ends", 0, 1)
    yield Step("wait", 0, 31)
    yield Step("kill_writer", actor, 1)
    rotation = (Step("begin", 0, rng.randrange(1, 60)), *[Step("advance", 0, 1)] * _WHOLE)
    strikes: tuple[Strike, ...] = (
        Strike(rng.choice(("key_server", "open", "write", "rename")), rng.randrange(3), "meanwhile"),
    )
    if rng.random() < 0.3:
        strikes += (Strike("path_status", rng.randrange(4), "error", errno.EIO),)
    yield Step("append", actor, 3, strikes, rotation)
    yield Step("append", actor, 3)


def _rotated_in_an_outage(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Let an outage begin or end between any two calls of a rotation."""
    del of
    trouble = Step("outage", 0, rng.randrange(len(TROUBLES)))
    yield Step("wait", 0, 31)
    yield Step("begin", 0, rng.randrange(1, 60))
    for _ in range(_WHOLE):
        is_out = rng.random() < 0.4
        if is_out:
            yield trouble
        change = Step("outage_ends", 0, 1) if is_out else trouble
        strike = Strike(
            rng.choice(("pread", "open", "list_names", "key_server")), rng.randrange(30), "meanwhile"
        )
        yield Step("advance", 0, 1, (strike,), (change,))
        yield Step("outage_ends", 0, 1)


def _two_rotate_at_once(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Let another process take any number of the next steps in the middle of each step of a rotation."""
    yield Step("outage_ends", 0, 1)
    for actor in range(len(of.synced)):
        yield Step("append", actor, 3)
    yield Step("wait", 0, 31)
    for _ in range(_WHOLE):
        yield Step("begin", 0, rng.randrange(1, 60))
        call = rng.choice(("open", "write", "sync", "rename", "key_server", "pread"))
        strike = Strike(call, rng.randrange(8), "meanwhile", 0)
        steps_of_other = rng.choice((1, 1, 2, _WHOLE, 2 * _WHOLE + 1))
        other = tuple(
            Step("begin" if place == _WHOLE else "advance", 1, 1) for place in range(steps_of_other)
        )
        yield Step("advance", 0, 1, (strike,), other)
    yield Step("look_back", 0, 20)


def _dies_in_a_rotation(rng: random.Random, of: Setting) -> Iterator[Step]:
    """End the process that rotates, or cut the power, at any call of any step; another one goes on."""
    yield Step("outage_ends", 0, 1)
    yield Step("append", rng.randrange(len(of.synced)), 3)
    yield Step("wait", 0, 31)
    yield Step("begin", 0, rng.randrange(1, 60))
    for _ in range(_WHOLE):
        if rng.random() < 0.5:
            call = rng.choice(("", "open", "write", "pwrite", "sync", "rename", "key_server"))
            kind = rng.choice(("kill", "kill", "power"))
            strike = Strike(call, rng.randrange(6 if call else 40), kind, 0, rng.random() < 0.5)
            yield Step("advance", 0, 1, (strike,))
        yield Step("advance", 1, 1)
    yield Step("look_back", 0, 20)


def _long_outage(rng: random.Random, of: Setting) -> Iterator[Step]:
    """Let data keys wear out while no new one can be wrapped, and processes start."""
    yield Step("outage", 0, rng.randrange(len(TROUBLES)))
    for _ in range(rng.randrange(2, 5)):
        actor = rng.randrange(len(of.synced))
        yield Step(rng.choice(("kill_writer", "fork", "wait")), actor, rng.choice((6, 31, 301)))
        yield Step("append", actor, rng.randrange(1, 20))
        yield Step("advance", 0, 1)
    yield Step("outage_ends", 0, 1)


_STORIES = (
    _all_alive,
    _rotated_while_a_key_is_stored,
    _rotated_in_an_outage,
    _two_rotate_at_once,
    _dies_in_a_rotation,
    _long_outage,
)
