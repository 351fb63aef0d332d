"""Tries one input: bounded in processor time from inside; the address space of its process is bounded too."""

from __future__ import annotations

import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.target import Target

BASE_SECONDS = 2.0
SECONDS_PER_MEBIBYTE = 2.0
MEMORY_BYTES_MAX = 384 * 1024 * 1024
"""What a worker may take on top of what it holds once its parsers are loaded."""
TRIALS_MAX = 1_000
SLOW_TRIALS_MAX = 20


class TooSlowError(BaseException):
    """An input took more processor time than its size explains; no parser's `except Exception` holds it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong.

    Attributes:
        signature: The same for inputs that fail in the same way.
        details: A traceback, or how the process ended.
    """

    signature: str
    details: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """An input was kept, refused as documented, or there is a failure."""

    kept: bool
    failure: Failure | None = None


def bound_memory(bytes_max: int = MEMORY_BYTES_MAX) -> None:
    """Let this process grow no further than by that many bytes; what asks for more gets a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + bytes_max, hard))


def attempt(target: Target, body: bytes, base_seconds: float = BASE_SECONDS) -> Outcome:
    """Give an input to a target.

    Args:
        target: Whose promise is checked.
        body: The input.
        base_seconds: Processor time it may take whatever its size.
    """
    try:
        with _bounded_time(base_seconds + SECONDS_PER_MEBIBYTE * len(body) / 2**20):
            return Outcome(target.check(body))
    except (Exception, TooSlowError) as error:
        return Outcome(False, Failure(_signature(error), traceback.format_exc(limit=-12)))


def shrink(body: bytes, fails: Callable[[bytes], bool], trials_max: int = TRIALS_MAX) -> bytes:
    """Return a smaller input that fails in the same way: pieces are left out, halves first.

    Args:
        body: The input that fails.
        fails: Says whether another input fails in the same way.
        trials_max: How often it may be asked.
    """
    trials_left = trials_max
    size_bytes = len(body) // 2
    while size_bytes > 0 and trials_left > 0:
        start = 0
        while start < len(body) and trials_left > 0:
            trials_left -= 1
            shorter = body[:start] + body[start + size_bytes :]
            if fails(shorter):
                body = shorter
            else:
                start += size_bytes
        size_bytes = min(size_bytes // 2, len(body))
    return body


@contextmanager
def _bounded_time(seconds: float) -> Iterator[None]:
    # Processor time, not the wall's: a busy machine is no finding.
    before = signal.signal(signal.SIGPROF, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlowError("more processor time than its size explains")


def _signature(error: BaseException) -> str:
    if isinstance(error, TooSlowError | RecursionError | MemoryError):
        return type(error).__name__  # where it happens to be then says little
    frames = traceback.extract_tb(error.__traceback__)
    place = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), frames[-1])
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
