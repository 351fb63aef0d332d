"""A text with as much detail as a limit has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_Room = TypeVar("_Room")


def fitting(rooms: Iterable[_Room], draw: Callable[[_Room], str], bytes_max: int) -> str:
    """Return the first text that fits; the last one where none does.

    Args:
        rooms: how much detail there is room for, the most first.
        draw: returns the text with so much detail.
        bytes_max: how many bytes of UTF-8 it may have.
    """
    text = ""
    for room in rooms:
        text = draw(room)
        if len(text.encode()) <= bytes_max:
            break
    return text
