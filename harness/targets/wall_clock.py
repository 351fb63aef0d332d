"""The wall clock of a stack as a target: that of its processes and of the application, which goes with them.

A library that is preloaded into them (`deployments/clock_library.py`) adds what a shared file says:

    bytes 0 to 7     by how many ns the wall clock is moved; the harness writes it
    bytes 8 to 15    by how many it was when one of the processes last asked; the library writes it
    from byte 16     each move so far: when it was, by CLOCK_MONOTONIC, and how far the clock is moved since

All are signed integers of 64 bits. The machine's own clock stays as it is, and so do monotonic clocks.
"""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import FaultError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock, Undo

PATH_VARIABLE = "LOGQUAKE_WALL_CLOCK"
_PRELOAD = "LD_PRELOAD"
_PAGE_BYTES = 4_096
_OFFSET, _ANSWERED, _MOVES = 0, 1, 2
_NUMBERS = _PAGE_BYTES // 8
_POLL_SECONDS = 0.02
_UNSURE_NS = SECOND_NS


@dataclass(frozen=True, slots=True)
class Move:
    """Since when, by CLOCK_MONOTONIC, the wall clock is moved, and by how much; both in ns."""

    at_ns: int
    offset_ns: int


class WallClockTarget:
    """The wall clock of a stack; implements ClockMovable.

    Args:
        name: how scenarios call it.
        path: the shared file, which is made.
        library: what is preloaded into the processes.
        clock: for every wait.
    """

    def __init__(self, name: str, path: str, library: Path, clock: Clock) -> None:
        self.name = name
        self.path = path
        self._library = library
        self._clock = clock
        Path(path).write_bytes(bytes(_PAGE_BYTES))

    def variables(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment of a process that follows this clock.

        Args:
            environment: what it has on top of the harness's own; other libraries in it stay preloaded.
        """
        others = environment.get(_PRELOAD, os.environ.get(_PRELOAD, ""))
        preloaded = ":".join(filter(None, (str(self._library), others)))
        return {**environment, _PRELOAD: preloaded, PATH_VARIABLE: self.path}

    def move_clock(self, seconds: float) -> None:
        """Move it forward, or back where that is negative; raises FaultError."""
        with _numbers(self.path) as numbers:
            free = next((at for at in range(_MOVES, _NUMBERS - 1, 2) if not numbers[at]), None)
            if free is None:
                raise FaultError(f'target "{self.name}": it was moved too often in one scenario')
            offset_ns = numbers[_OFFSET] + round(seconds * SECOND_NS)
            numbers[free + 1] = offset_ns
            numbers[free] = self._clock.now_ns()
            numbers[_OFFSET] = offset_ns

    def clock_is_felt(self, timeout_seconds: float) -> bool:
        """Wait, at most that long, until a process was told the time as it is moved now; tell whether."""
        until_ns = self._clock.now_ns() + round(timeout_seconds * SECOND_NS)
        while True:
            with _numbers(self.path) as numbers:
                is_felt = numbers[_ANSWERED] == numbers[_OFFSET]
            if is_felt or self._clock.now_ns() >= until_ns:
                return is_felt
            self._clock.sleep(_POLL_SECONDS)

    def describe_clock(self) -> str:
        """Return how far it is moved, and what the processes were told last, for a person."""
        with _numbers(self.path) as numbers:
            offset_ns, answered_ns = numbers[_OFFSET], numbers[_ANSWERED]
        if answered_ns == offset_ns:
            return f"a process asked for the time and was told it {_moved(offset_ns)}"
        return (
            f"the clock is {_moved(offset_ns)}, and a process that asked was last told it "
            f"{_moved(answered_ns)}; one that does not ask the C library (a Go program) does not feel a move"
        )

    def undo_move_clock(self) -> Undo:
        """Name the file by which a later process sets it right."""
        return Undo("set_clock_right", {"path": self.path})


NOT_ASKED = (
    "it can be moved only where the scenario's file has a step that does: the stack is started for that"
)


class WallClockStays:
    """A wall clock that cannot be moved, so that processes follow the machine's.

    Args:
        refusal: why, for a person.
    """

    path = ""

    def __init__(self, refusal: str = NOT_ASKED) -> None:
        self.refusal = refusal

    def variables(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment of a process as it is."""
        return environment


class WallClockHistory:
    """What the moved clock showed at a moment that is over.

    Args:
        path: the shared file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def offset_ns(self, at_ns: int) -> int | None:
        """Return by how many ns it was moved at a moment of CLOCK_MONOTONIC.

        None within a second of a move: who asked then may have been told either time.

        Args:
            at_ns: moves after it do not count, but for the second before each.
        """
        offset_ns = 0
        for move in self._moves():
            if abs(at_ns - move.at_ns) <= _UNSURE_NS:
                return None
            if move.at_ns < at_ns:
                offset_ns = move.offset_ns
        return offset_ns

    def _moves(self) -> Iterator[Move]:
        numbers = array("q", self._path.read_bytes())
        for at in range(_MOVES, _NUMBERS - 1, 2):
            if not numbers[at]:
                return
            yield Move(numbers[at], numbers[at + 1])


def set_right(path: str) -> bool:
    """Let a moved clock show the machine's time again; return whether it was moved. Raises FaultError.

    Args:
        path: the file that the moved processes read their clock's offset from.
    """
    with _numbers(path) as numbers:
        was_moved = numbers[_OFFSET] != 0
        numbers[_OFFSET] = 0
    return was_moved


@contextmanager
def _numbers(path: str) -> Iterator[memoryview]:
    """Open the shared file as its numbers; raises FaultError where it is not there or is none."""
    try:
        with (
            Path(path).open("r+b") as file,
            mmap.mmap(file.fileno(), _PAGE_BYTES) as page,
            memoryview(page) as octets,
            octets.cast("q") as numbers,
        ):
            yield numbers
    except (OSError, ValueError) as error:
        raise FaultError(f"{path}: the file of a moved clock cannot be used: {error}") from error


def _moved(offset_ns: int) -> str:
    if not offset_ns:
        return "as it is"
    return f"{abs(offset_ns) / SECOND_NS:,.10g} s {'ahead' if offset_ns > 0 else 'behind'}"
