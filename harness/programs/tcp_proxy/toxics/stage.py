"""What a kind of toxic is, and what it puts into a link: a stage that bytes flow through.

source ─▶ stage ─▶ stage ─▶ link's end ─▶ destination
          receive(data, arrived) and finish() travel to the right only
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from harness.programs.tcp_proxy.clock import Clock

# Toxiproxy holds at most 1,024 chunks of 32 KiB in a latency's channel before it stops reading.
CHUNK_BYTES = 32 * 1024
HELD_BYTES_MAX = 1024 * CHUNK_BYTES


class Outlet(Protocol):
    """Whatever comes next on the way to the destination."""

    def receive(self, data: bytes, arrived: float) -> None:
        """Take bytes; `arrived` is when they reached the proxy, in seconds of the clock."""

    def finish(self) -> None:
        """Take the end of the stream: the destination will be closed after all bytes before it."""


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a link lends to a stage.

    Attributes:
        clock: time and timers.
        rng: randomness of this link and toxic alone.
        outlet: where the stage passes bytes on to.
        arm_reset: makes the close that follows a TCP reset, on both sides of the connection.
        drained: tells the link that the stage holds less than before, so that reading may go on.
    """

    clock: Clock
    rng: random.Random
    outlet: Outlet
    arm_reset: Callable[[], None]
    drained: Callable[[], None]


class Stage:
    """Passes everything on untouched: what a link runs where toxicity spared it; base of the others.

    A stage that holds `held_bytes_max` bytes makes the link stop reading from the source.
    """

    held_bytes_max: ClassVar[int] = HELD_BYTES_MAX
    held_bytes = 0

    def __init__(self, context: StageContext) -> None:
        self.outlet = context.outlet

    def receive(self, data: bytes, arrived: float) -> None:
        """Take bytes from the stage before."""
        self.outlet.receive(data, arrived)

    def finish(self) -> None:
        """Take the end of the stream from the stage before."""
        self.outlet.finish()

    def update(self, kind: Any) -> None:
        """Go on with changed attributes: `kind` is of the class that made this stage."""

    def release(self) -> None:
        """Pass on whatever is held, at once and in order: this stage is about to leave the link."""

    def discard(self) -> None:
        """Forget what is held and cancel timers: the link is closed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of toxic; its fields are the attributes, whole numbers all.

    Attributes:
        closes_when_removed: removing the toxic closes the connections it is on (Toxiproxy's `Cleanup`).
        arms_reset: a connection opened while the toxic exists closes by reset (Toxiproxy sets SO_LINGER 0
            as it opens).
    """

    closes_when_removed: ClassVar[bool] = False
    arms_reset: ClassVar[bool] = False

    def problem(self) -> str:
        """What is wrong with these attributes together, each being in its range; empty where nothing is."""
        return ""

    def stage(self, context: StageContext) -> Stage:
        """A stage of this kind for one direction of one connection."""
        return Stage(context)
