"""Whether what a caller had in its hands lives on after something failed for it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from contextlib import suppress


class _Held:
    """Stands for a piece of a spool, a request's body, a key."""


def outlives(fails: Callable[[], object], *expected: type[Exception]) -> bool:
    """Return whether a failure keeps its caller's variables alive until the garbage collector looks.

    Args:
        fails: What fails, in one of these ways, or tells its failure by what it returns.
        expected: The exceptions that it may raise.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _called(fails, expected)() is not None
    finally:
        if was_enabled:
            gc.enable()


def _called(fails: Callable[[], object], expected: tuple[type[Exception], ...]) -> weakref.ref[_Held]:
    held = _Held()
    with suppress(*expected):
        fails()
    return weakref.ref(held)
