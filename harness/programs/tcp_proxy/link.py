"""One direction of one connection: the chain of stages between the source and the destination."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.programs.tcp_proxy.clock import Clock
from harness.programs.tcp_proxy.toxic import Toxic
from harness.programs.tcp_proxy.toxics.stage import Outlet, Stage, StageContext


class Source(Protocol):
    """Where the bytes come from."""

    def pause_reading(self) -> None:
        """Let the kernel hold further bytes."""

    def resume_reading(self) -> None:
        """Go on reading."""


class Destination(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes) -> None:
        """Send bytes, in order."""

    def close(self) -> None:
        """Close after what was written is sent."""


@dataclass(frozen=True, slots=True)
class LinkRules:
    """How a link decides and how it closes.

    Attributes:
        strict: our repairs instead of Toxiproxy's quirks.
        rng_for: the randomness of this link for the toxic of a name.
        arm_reset: makes the close that follows a TCP reset; does nothing outside strict mode, where
            a toxic that exists as the connection opens has armed it already.
    """

    strict: bool
    rng_for: Callable[[str], random.Random]
    arm_reset: Callable[[], None]


@dataclass(slots=True)
class _Slot:
    """A toxic on this link; it is active if the link's random number `draw` is below its toxicity."""

    toxic: Toxic
    rng: random.Random
    draw: float
    stage: Stage

    @property
    def is_touched(self) -> bool:
        return self.draw < self.toxic.toxicity


class Link:
    """Carries bytes through the stages, and holds the source back when they pile up."""

    def __init__(self, source: Source, destination: Destination, clock: Clock, rules: LinkRules) -> None:
        self.write = destination.write
        self._source = source
        self._destination = destination
        self._clock = clock
        self._rules = rules
        self._slots: list[_Slot] = []
        self._destination_is_full = False
        self._is_paused = False
        self._has_ended = False
        self._is_closed = False
        self.is_direct = True

    @property
    def is_paused(self) -> bool:
        """Whether the source has to wait: reading goes on only by the link's own word."""
        return self._is_paused

    @property
    def held_bytes(self) -> int:
        """Bytes that stages hold back at this moment."""
        return sum(slot.stage.held_bytes for slot in self._slots)

    # What the source side calls.

    def feed(self, data: bytes) -> None:
        """Take bytes that the source sent; while `is_direct`, calling `write` is the same and faster."""
        if not self._has_ended and not self._is_closed:
            self._first().receive(data, self._clock.now())
            self._balance()

    def end(self) -> None:
        """The source has sent its last byte, or is gone."""
        if not self._has_ended and not self._is_closed:
            self._has_ended = True
            self._first().finish()

    # What the destination side calls.

    def set_full(self, is_full: bool) -> None:
        """The destination's buffer is full, or has room again."""
        self._destination_is_full = is_full
        self._balance()

    # What the proxy calls when its toxics change.

    def open(self, toxics: Sequence[Toxic]) -> None:
        """Put the proxy's toxics of this direction in place, in their order."""
        for toxic in toxics:
            self.add(toxic)

    def add(self, toxic: Toxic) -> None:
        """Put a toxic at the end of the chain."""
        if self._is_closed:
            return
        rng = self._rules.rng_for(toxic.name)
        slot = _Slot(toxic, rng, rng.random(), Stage(self._context(rng, self)))
        if slot.is_touched:
            slot.stage = toxic.kind.stage(self._context(rng, self))
        if self._slots:
            self._slots[-1].stage.outlet = slot.stage
        self._slots.append(slot)
        self.is_direct = False

    def update(self, toxic: Toxic) -> None:
        """Let the toxic of that name go on with new attributes and toxicity."""
        index = self._index(toxic.name)
        if index is None:
            return
        slot = self._slots[index]
        was_touched = slot.is_touched
        slot.toxic = toxic
        if not self._rules.strict:
            slot.draw = (
                slot.rng.random()
            )  # Toxiproxy draws anew; strict keeps the lot, so a ramp only ever adds links.
        if slot.is_touched and was_touched:
            slot.stage.update(toxic.kind)
        elif slot.is_touched != was_touched:
            self._replace(index)
        self._balance()

    def remove(self, name: str) -> None:
        """Take the toxic of that name out; what it held goes on at once."""
        index = self._index(name)
        if index is None:
            return
        slot = self._slots[index]
        if slot.toxic.kind.closes_when_removed and (slot.is_touched or not self._rules.strict):
            self._has_ended = True
            slot.stage.discard()
            slot.stage.outlet.finish()
        else:
            slot.stage.release()
        # The release may have closed the link, and closing empties the chain.
        if not self._is_closed:
            self._unlink(index)
            self._balance()

    def discard(self) -> None:
        """Forget everything and carry nothing any more: the destination is gone."""
        self._is_closed = True
        self.is_direct = False
        for slot in self._slots:
            slot.stage.discard()
        self._slots.clear()

    # The end of the chain: what the last stage sees as its outlet.

    def receive(self, data: bytes, arrived: float) -> None:
        """Write what has passed every stage."""
        if not self._is_closed:
            self.write(data)
            if self._is_paused:
                self._balance()

    def finish(self) -> None:
        """Close the destination: the end of the stream has passed every stage.

        Toxiproxy closes the whole socket here, never one half, so the other direction ends with it.
        """
        if not self._is_closed:
            self.discard()
            self._destination.close()

    def _first(self) -> Outlet:
        return self._slots[0].stage if self._slots else self

    def _context(self, rng: random.Random, outlet: Outlet) -> StageContext:
        return StageContext(self._clock, rng, outlet, self._rules.arm_reset, self._balance)

    def _index(self, name: str) -> int | None:
        return next((i for i, slot in enumerate(self._slots) if slot.toxic.name == name), None)

    def _outlet_after(self, index: int) -> Outlet:
        return self._slots[index + 1].stage if index + 1 < len(self._slots) else self

    def _replace(self, index: int) -> None:
        """Replace the stage of a slot that became active or inactive."""
        slot = self._slots[index]
        slot.stage.release()
        if self._is_closed:
            return
        context = self._context(slot.rng, self._outlet_after(index))
        slot.stage = slot.toxic.kind.stage(context) if slot.is_touched else Stage(context)
        if index:
            self._slots[index - 1].stage.outlet = slot.stage

    def _unlink(self, index: int) -> None:
        if index:
            self._slots[index - 1].stage.outlet = self._outlet_after(index)
        del self._slots[index]
        self.is_direct = not self._slots

    def _balance(self) -> None:
        should_pause = self._destination_is_full or any(
            slot.stage.held_bytes >= slot.stage.held_bytes_max for slot in self._slots
        )
        if should_pause == self._is_paused or self._is_closed or self._has_ended:
            return
        self._is_paused = should_pause
        if should_pause:
            self._source.pause_reading()
        else:
            self._source.resume_reading()
