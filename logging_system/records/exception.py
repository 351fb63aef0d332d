"""What a document says of an exception: all that the standard library's `Formatter` would print.

A part that cannot be had leaves a note, and takes no other part with it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from logging_system.records.truncation import MESSAGE_CHARACTERS_MAX, cut, cut_middle, type_name

STACK_CHARACTERS_MAX = 64 * 1024
FRAMES_MAX = 1_000
"""Frames of one traceback that are kept: those nearest to where the exception was raised."""

_HEADER = "Traceback (most recent call last):"
_CHAIN_MAX = 100


def error_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return type, message and stack trace of a log record, as far as there are any.

    As in `logging.Formatter.format`, `exc_text` stands for the exception where it is set: by another
    handler's formatter, by a filter that redacts, on the machine that sent the record. Where it holds no
    traceback and the exception has one, that follows; last comes `stack_info`.

    Args:
        attributes: The record's, of which `exc_info`, `exc_text` and `stack_info` are read.
    """
    error: dict[str, str] = {}
    texts: list[str] = []
    if given := attributes.get("exc_text"):
        texts.append(cut_middle(_or_note(lambda: str(given)), STACK_CHARACTERS_MAX))
    if info := attributes.get("exc_info"):
        error |= _of_exception(info, texts)
    if stack := attributes.get("stack_info"):
        texts.append(cut_middle(_or_note(lambda: str(stack)), STACK_CHARACTERS_MAX))
    if texts:
        error["stack_trace"] = "".join(_lines(text) for text in texts[:-1]) + texts[-1]
    return error


def _of_exception(info: object, texts: list[str]) -> dict[str, str]:
    """Return type and message; add the traceback where `texts` has none."""
    try:
        kind, value, trace = _parts(info)
        kind_name = "None" if kind is None else str(kind.__qualname__)
    except Exception as error:
        return {"type": type_name(info), "message": _note(error)}
    if not texts or (trace is not None and _HEADER not in texts[0]):
        texts.append(cut_middle(_traceback_text(kind, value, trace), STACK_CHARACTERS_MAX))
    return {"type": kind_name, "message": cut(_or_note(lambda: str(value)), MESSAGE_CHARACTERS_MAX)}


def _parts(info: Any) -> tuple[Any, Any, TracebackType | None]:
    """Return an exception's class, itself and its traceback from what `exc_info` may be in a log call."""
    if isinstance(info, BaseException):
        return type(info), info, info.__traceback__
    kind, value, trace = info if isinstance(info, tuple) else sys.exc_info()
    return kind, value, trace


def _traceback_text(kind: Any, value: Any, trace: TracebackType | None) -> str:
    try:
        text = "".join(traceback.format_exception(kind, value, trace, limit=-FRAMES_MAX))
        left_out = _frames_left_out(value, trace)
    except Exception as error:
        # What an exception class of the application's does to its own attributes costs only that part.
        frames = _or_note(lambda: "".join(traceback.format_tb(trace, limit=-FRAMES_MAX)))
        return f"{_HEADER}\n{_lines(frames)}{type_name(value)} {_note(error)}\n"
    return f"[{left_out} outer frames left out]\n{text}" if left_out else text


def _frames_left_out(value: object, trace: TracebackType | None) -> int:
    """Return how many frames lie beyond `FRAMES_MAX`, in an exception and in those that led to it."""
    left_out = max(0, _depth(trace) - FRAMES_MAX)
    seen = {id(value)}
    led_to_it = [value]
    while led_to_it and len(seen) <= _CHAIN_MAX:
        last = led_to_it.pop()
        for each in (getattr(last, "__cause__", None), getattr(last, "__context__", None)):
            if isinstance(each, BaseException) and id(each) not in seen:
                seen.add(id(each))
                led_to_it.append(each)
                left_out += max(0, _depth(each.__traceback__) - FRAMES_MAX)
    return left_out


def _depth(trace: TracebackType | None) -> int:
    depth = 0
    while trace is not None:
        depth += 1
        trace = trace.tb_next
    return depth


def _lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _or_note(make: Callable[[], str]) -> str:
    try:
        return make()
    except Exception as error:
        return _note(error)


def _note(error: Exception) -> str:
    return f"unformatted: {type(error).__name__}"
