"""Four real faults, each of another class of cause; each ends after a while, as if a person had come."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from harness.targets.interceptor_client import Rule
from tests.learning.stand import Stand

_BODY_BYTES_MAX = 6_000
"""Some eight records."""
_LEFT_BYTES = 1_200_000
"""Below the one percent of the disk at which it has no room, and enough for an episode's files."""
_SHORTEST_SECONDS, _LONGEST_SECONDS = 9.0, 15.0


class Injects(Protocol):
    """Puts a fault into a stack for as long as its context is open."""

    def __call__(self, stand: Stand) -> AbstractContextManager[None]:
        """Return the context."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A class of cause.

    Attributes:
        cause: As findings name it.
        kind: The kind of finding that shows it.
        inject: What makes it so.
    """

    cause: str
    kind: str
    inject: Injects


@contextmanager
def _small_bodies(stand: Stand) -> Iterator[None]:
    """The store answers 413 to all but small requests."""
    stand.interceptor.put_rule(stand.link, "fault", Rule("body_limited", {"bytes_max": _BODY_BYTES_MAX}))
    try:
        yield
    finally:
        stand.interceptor.remove_rule(stand.link, "fault")


@contextmanager
def _flood(stand: Stand) -> Iterator[None]:
    """One logger logs fifty times as much as the whole application did."""
    stand.flood_file.touch()
    try:
        yield
    finally:
        stand.flood_file.unlink()


@contextmanager
def _killed_store(stand: Stand) -> Iterator[None]:
    """The store's process is dead."""
    stand.store.kill()
    try:
        yield
    finally:
        stand.store.start()


@contextmanager
def _no_room(stand: Stand) -> Iterator[None]:
    """A cache takes nearly all that is left of the disk."""
    status = os.statvfs(stand.spool)
    with stand.cache.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - _LEFT_BYTES)
    try:
        yield
    finally:
        stand.cache.unlink(missing_ok=True)


CAUSES: Mapping[str, Cause] = {
    each.cause: each
    for each in (
        Cause("store_refuses", "push_back", _small_bodies),
        Cause("load", "spike", _flood),
        Cause("store_down", "store_unreachable", _killed_store),
        Cause("disk", "disk_filling", _no_room),
    )
}


def fault_seconds(number: int) -> float:
    """Return how long the fault of the episode of a number lasts: evenly spread, whatever is chosen.

    The van der Corput sequence: 12, 10.5, 13.5, 9.75 s … So all choices meet the same faults.
    """
    place, share = 0.0, 0.5
    number += 1
    while number:
        place += share * (number & 1)
        number >>= 1
        share /= 2
    return _SHORTEST_SECONDS + place * (_LONGEST_SECONDS - _SHORTEST_SECONDS)
