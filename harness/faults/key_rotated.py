"""The encryption keys are rotated while records come in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import ClassVar

from harness.faults.repeating import Repeating
from harness.judging.wording import count
from harness.model.errors import FaultError, ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import KeyRotatable, KeyVersion

SECONDS_MIN = 0.2
SECONDS_MAX = 3_600.0
CUT_SECONDS_MIN = 0.005
CUT_SECONDS_MAX = 60.0
_END_SECONDS = 75.0
_ASK_SECONDS = 5.0


@dataclass
class KeyRotated:
    """The stack's own command takes the keys to a new version, once or again and again as long as it is on.

    Nothing is destroyed, so nothing is excused: what was written under an older version must be readable
    ever after. It has landed when the stack says that its version rose, in all by `rotations_min`.

    Args:
        every_seconds: how long after a rotation the next one begins, in seconds; 0 = there is only one.
        cut_after_seconds: how long after its start a rotation is killed (SIGKILL), in seconds, before each
            one that runs to its end and has to go on with it; half as long from then on where one had ended
            by then; 0 = none is killed.
        rotations_min: how many versions there have to be more at the end than before.
        failures_max: how many rotations after the first may fail, as those do that are tried while the key
            provider is out of reach; the next one goes on with what such a one began.
    """

    every_seconds: float = 0.0
    cut_after_seconds: float = 0.0
    rotations_min: int = 1
    failures_max: int = 0
    needs: ClassVar[type] = KeyRotatable
    _before: KeyVersion | None = field(default=None, init=False, repr=False)
    _cut: int = field(default=0, init=False, repr=False)
    _cut_seconds: float = field(default=0.0, init=False, repr=False)
    _failed: int = field(default=0, init=False, repr=False)
    _seen: KeyVersion | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a time that no rotation can follow.

        Raises:
            ScenarioError: it is out of range.
        """
        if self.every_seconds and not SECONDS_MIN <= self.every_seconds <= SECONDS_MAX:
            raise ScenarioError(
                f"every_seconds {self.every_seconds:g} is not in {SECONDS_MIN:g} to {SECONDS_MAX:,.0f}"
            )
        if not 0 <= self.cut_after_seconds <= CUT_SECONDS_MAX:
            raise ScenarioError(
                f"cut_after_seconds {self.cut_after_seconds:g} is not in 0 to {CUT_SECONDS_MAX:g}"
            )
        self._cut_seconds = self.cut_after_seconds
        if self.rotations_min < 1:
            raise ScenarioError(f"rotations_min {self.rotations_min} is below 1")
        if self.failures_max < 0:
            raise ScenarioError(f"failures_max {self.failures_max} is below 0")
        if not self.every_seconds and (self.rotations_min > 1 or self.failures_max):
            raise ScenarioError("rotations_min and failures_max need every_seconds: without, it rotates once")

    def undo(self, target: KeyRotatable) -> Undo:
        """Say that nothing is to be taken back."""
        return target.undo_rotation()

    def inject(self, target: KeyRotatable, rng: Random) -> AbstractContextManager[None]:
        """Rotate, and go on with that until exit where more than one rotation is wanted."""
        return self._injected(target)

    def evidence(self, target: KeyRotatable) -> tuple[bool, str]:
        """Ask the stack for its version: it must have risen by as much as is wanted in all."""
        return self._told(target.key_version())

    def evidence_in_all(self, target: KeyRotatable) -> tuple[bool, str]:
        """Tell what was seen while it was on where that is enough, since asking takes a moment; else ask."""
        if self._seen is not None and (told := self._told(self._seen))[0]:
            return told
        return self.evidence(target)

    def _told(self, now: KeyVersion) -> tuple[bool, str]:
        before = self._before
        if before is None:
            return False, f"the version is {now.number}, and what it was before is unknown"
        said = f"version {before.number} before, {now.number} now"
        if self.rotations_min > 1:
            said = f"{said}, {self.rotations_min} more required"
        if self._failed:
            said = f"{said}; {count(self._failed, 'rotation')} failed"
        if self.cut_after_seconds:
            cut = count(self._cut, "rotation")
            said = f"{said}; {cut} killed within {self.cut_after_seconds:g} s of the start"
        rose = now.number - before.number >= self.rotations_min
        return rose and (self._cut > 0 or not self.cut_after_seconds), said

    def _rotate(self, target: KeyRotatable) -> None:
        """Rotate; where rotations are to be cut, kill one first, which this one has to go on with."""
        if self.cut_after_seconds:
            if target.begin_rotation(self._cut_seconds):
                self._cut += 1
            else:
                self._cut_seconds = max(CUT_SECONDS_MIN, self._cut_seconds / 2)
        target.rotate()

    @contextmanager
    def _injected(self, target: KeyRotatable) -> Iterator[None]:
        self._before = target.key_version()
        self._rotate(target)
        if not self.every_seconds:
            yield
            return
        late = f"a rotation did not end within {_END_SECONDS:g} s"
        rotations = Repeating("key_rotated", partial(self._repeat, target), _END_SECONDS, late)
        rotations.start()
        try:
            yield
        finally:
            rotations.end()
            rotations.raise_what_failed()

    def _repeat(self, target: KeyRotatable, ending: threading.Event) -> None:
        asked_at = time.monotonic()
        while not ending.wait(self.every_seconds):
            try:
                self._rotate(target)
                if time.monotonic() - asked_at >= _ASK_SECONDS:
                    self._seen, asked_at = target.key_version(), time.monotonic()
            except FaultError:
                self._failed += 1
                if self._failed > self.failures_max:
                    raise
