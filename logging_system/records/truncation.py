"""Texts of what an application hands in, at a bounded cost whatever that is; nothing here raises for it."""

from __future__ import annotations

import logging
import reprlib
from itertools import chain
from typing import Any

MESSAGE_CHARACTERS_MAX = 256 * 1024
LABEL_CHARACTERS_MAX = 1024

Label = str | int | float | bool | None

_PARTS_MAX = 64
_NESTING_MAX = 20
_ABRIDGED_DEPTH = 2
_ABRIDGED_CHARACTERS = 256
_SCALARS = frozenset({int, float, bool, type(None)})
_CONTAINERS = (tuple, list, dict, set, frozenset)


def message_text(
    template: object, args: object, notes: dict[str, object], own_way: logging.LogRecord | None = None
) -> str:
    """Format a message as `LogRecord.getMessage` does it, but for what is too large to be kept anyway.

    Args:
        template: The unformatted message.
        args: Its arguments.
        notes: Told under `unformatted` why the result is the template alone, and under `unformatted_args`
            what was to be put into it.
        own_way: The record, where its class formats in a way of its own.

    Returns:
        The message, cut behind `MESSAGE_CHARACTERS_MAX` characters; the template where its arguments do not
        fit it, or the name of its type where that is no text either.
    """
    try:
        if own_way is not None:
            return cut(str(own_way.getMessage()), MESSAGE_CHARACTERS_MAX)
        text = template if type(template) is str else str(template)
        return cut(text % _bounded_arguments(args) if args else text, MESSAGE_CHARACTERS_MAX)
    except Exception as error:
        # A template that does not fit its arguments is the application's mistake; the line is worth keeping.
        notes["unformatted"] = type(error).__name__
        if args is not None and type(args) is not tuple:
            notes["unformatted_args"] = args
        elif args:
            notes["unformatted_args"] = {str(place): arg for place, arg in enumerate(args[:_PARTS_MAX])}
        return cut(template, MESSAGE_CHARACTERS_MAX) if type(template) is str else type_name(template)


def _bounded_arguments(args: object) -> object:
    if type(args) is tuple:
        return tuple(_bounded(arg) for arg in args)
    if type(args) is dict:
        return {key: _bounded(value) for key, value in args.items()}
    return args


class _Abridged:
    """Stands for a container whose text would be truncated."""

    def __init__(self, value: object) -> None:
        shortener = reprlib.Repr()
        shortener.maxlevel = _ABRIDGED_DEPTH  # the parts shown are this power of their number on one level
        shortener.maxlist = shortener.maxtuple = shortener.maxdict = _PARTS_MAX
        shortener.maxset = shortener.maxfrozenset = _PARTS_MAX
        shortener.maxstring = shortener.maxother = _ABRIDGED_CHARACTERS
        self._text = shortener.repr(value)

    def __repr__(self) -> str:
        return self._text


def _bounded(value: object) -> object:
    if type(value) not in _CONTAINERS or _room_left(value, MESSAGE_CHARACTERS_MAX, _NESTING_MAX) >= 0:
        return value
    return _Abridged(value)


def _room_left(container: Any, characters: int, depth: int) -> int:
    """Return what is left of `characters` after a container's text, roughly; below 0 it is not looked on."""
    characters -= 2 * len(container)
    if depth <= 0 or characters < 0:
        return -1
    parts = chain(container, container.values()) if isinstance(container, dict) else container
    for part in parts:
        if type(part) in _SCALARS:
            continue
        if isinstance(part, str | bytes):
            characters -= len(part)
        elif isinstance(part, _CONTAINERS):
            characters = _room_left(part, characters, depth - 1)
        if characters < 0:
            return -1
    return characters


def label_text(value: object) -> str:
    """Return a value as the text of a label."""
    try:
        if type(value) is bytes or type(value) is bytearray:
            return _bytes_text(bytes(value[: LABEL_CHARACTERS_MAX + 1]), len(value))
        return cut(value if type(value) is str else str(_bounded(value)), LABEL_CHARACTERS_MAX)
    except Exception as error:
        return unformatted(value, error)


def _bytes_text(start: bytes, size_bytes: int) -> str:
    # Not by `str`, which `python -bb` refuses.
    text = repr(start)
    if len(text) <= LABEL_CHARACTERS_MAX:
        return text
    shown = start[: LABEL_CHARACTERS_MAX // 4]
    return f"{shown!r}…[{size_bytes - len(shown)} bytes cut]"


def unformatted(value: object, error: Exception) -> str:
    """Return what stands for a value that cannot be made a text: its type, and the error."""
    return f"{type_name(value)} unformatted: {type(error).__name__}"


def cut(text: str, characters_max: int) -> str:
    """Return a text, its end replaced by how long that was where it exceeds the bound.

    Args:
        text: Any text.
        characters_max: The bound; the note of what was cut comes on top of it.
    """
    if len(text) <= characters_max:
        return text
    return f"{text[:characters_max]}…[{len(text) - characters_max} characters cut]"


def cut_middle(text: str, characters_max: int) -> str:
    """Return a text, its middle replaced by how long that was where it exceeds the bound.

    Args:
        text: Any text.
        characters_max: The bound, half of it for each end; the note of what was cut comes on top of it.
    """
    if len(text) <= characters_max:
        return text
    end = characters_max // 2
    gap = f"…[{len(text) - characters_max} characters cut]…"
    return f"{text[: characters_max - end]}{gap}{text[-end:]}"


def type_name(value: object) -> str:
    """Return what stands for a value that has no text: its type."""
    return f"<{type(value).__qualname__}>"
