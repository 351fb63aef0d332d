"""A link goes down and comes up, again and again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import ClassVar

from harness.faults.repeating import Repeating
from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Disconnectable

SECONDS_MIN = 0.02
SECONDS_MAX = 60.0
_CYCLES_WATCHED = 2
_PROBE_SECONDS = 0.02
_END_SECONDS = 15.0


@dataclass(frozen=True)
class Flapping:
    """Down for `down_seconds`, up for `up_seconds`, as long as the step lasts.

    Down, open connections end and new ones are refused. A thread of this process works the switch; it ends
    with the step, and the link is up then, however the step ends.

    Args:
        down_seconds: how long the link is down each time, in seconds.
        up_seconds: how long the link is up each time, in seconds.
    """

    down_seconds: float = 0.7
    up_seconds: float = 0.3
    needs: ClassVar[type] = Disconnectable

    def __post_init__(self) -> None:
        """Refuse what no switch can follow.

        Raises:
            ScenarioError: a time is out of range.
        """
        for name, seconds in (("down_seconds", self.down_seconds), ("up_seconds", self.up_seconds)):
            if not SECONDS_MIN <= seconds <= SECONDS_MAX:
                raise ScenarioError(f"{name} {seconds:g} is not in {SECONDS_MIN:g} to {SECONDS_MAX:g}")

    def undo(self, target: Disconnectable) -> Undo:
        """Name the link to take up."""
        return target.undo_disconnect()

    def inject(self, target: Disconnectable, rng: Random) -> AbstractContextManager[None]:
        """Work the switch until exit, and leave the link up."""
        return self._injected(target)

    def evidence(self, target: Disconnectable) -> tuple[bool, str]:
        """Try the link for two cycles at most: it must have refused us and have answered us."""
        seen: Counter[str] = Counter()
        cycle_seconds = self.down_seconds + self.up_seconds
        until = time.monotonic() + _CYCLES_WATCHED * cycle_seconds
        while not (seen["refused"] and seen["answered"]) and time.monotonic() < until:
            seen[target.probe(cycle_seconds).outcome] += 1
            time.sleep(_PROBE_SECONDS)
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(seen.items()) if count)
        return bool(seen["refused"] and seen["answered"]), f"test requests through the link: {said}"

    @contextmanager
    def _injected(self, target: Disconnectable) -> Iterator[None]:
        late = f"the thread that switches the link did not end within {_END_SECONDS:g} s; the proxy may hang"
        switch = Repeating("flapping", partial(self._switch, target), _END_SECONDS, late)
        switch.start()
        try:
            yield
        finally:
            switch.end()
            target.connect()
            switch.raise_what_failed()

    def _switch(self, target: Disconnectable, ending: threading.Event) -> None:
        while not ending.is_set():
            target.disconnect()
            if ending.wait(self.down_seconds):
                return
            target.connect()
            ending.wait(self.up_seconds)
