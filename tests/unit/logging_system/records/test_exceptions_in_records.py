"""Any traceback that the standard library's Formatter would print is kept."""

from __future__ import annotations

import logging
import logging.handlers
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from logging_system.records.exception import FRAMES_MAX, STACK_CHARACTERS_MAX
from logging_system.records.record import Producer, capture, encode

STACK = "Stack (most recent call last):\n  in caller"


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text here")

    __repr__ = __str__


class HidesItsNotesError(Exception):
    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]  # as nobody should do it
        raise RuntimeError("no notes here")


def raised(error: BaseException, depth: int = 1) -> Any:
    def fail(left: int) -> None:
        if left > 1:
            fail(left - 1)
        raise error

    try:
        fail(depth)
    except BaseException:
        return sys.exc_info()


def chained() -> Any:
    try:
        try:
            raise KeyError("inner")  # noqa: TRY301 - it has to be an exception's cause
        except KeyError as error:
            raise ValueError("middle") from error
    except ValueError:
        return raised(TypeError("outer"))


def noted() -> Any:
    error = ValueError("with notes")
    error.add_note("the first note")
    return raised(error)


def record(**attributes: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop", logging.ERROR, "/a.py", 7, "failed", (), None)
    made.__dict__.update(attributes)
    return made


def error_in(made: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(encode(capture(made), 1, Producer("s", "e")))["error"]
    return found


def printed(made: logging.LogRecord) -> str:
    """Return what the standard Formatter prints behind the message."""
    copy = logging.makeLogRecord(made.__dict__)
    return logging.Formatter("%(message)s").format(copy).removeprefix("failed\n")


def sent(made: logging.LogRecord) -> logging.LogRecord:
    pickled = logging.handlers.SocketHandler("127.0.0.1", 9).makePickle(made)[4:]
    return logging.makeLogRecord(pickle.loads(pickled))  # noqa: S301 - our own bytes


def redacted(made: logging.LogRecord) -> logging.LogRecord:
    made.exc_text, made.exc_info = logging.Formatter().formatException(made.exc_info), None  # type: ignore[arg-type]
    return made


def formatted_before(made: logging.LogRecord) -> logging.LogRecord:
    logging.Formatter().format(made)
    return made


RECORDS: dict[str, Callable[[], logging.LogRecord]] = {
    "exc_info": lambda: record(exc_info=raised(ValueError("bad é"))),
    "stack_info alone": lambda: record(stack_info=STACK),
    "both": lambda: record(exc_info=raised(ValueError("bad")), stack_info=STACK),
    "exc_text alone": lambda: record(exc_text="Traceback (most recent call last):\nValueError: far away"),
    "exc_text and stack_info": lambda: record(exc_text="ValueError: far away", stack_info=STACK),
    "through a SocketHandler": lambda: sent(record(exc_info=raised(ValueError("bad")), stack_info=STACK)),
    "after a redacting filter": lambda: redacted(record(exc_info=raised(ValueError("bad")))),
    "after another handler": lambda: formatted_before(record(exc_info=raised(ValueError("bad")))),
    "a chain": lambda: record(exc_info=chained()),
    "a group": lambda: record(exc_info=raised(ExceptionGroup("several", [ValueError("a"), TypeError("b")]))),
    "notes": lambda: record(exc_info=noted()),
    "a syntax error": lambda: record(exc_info=raised(SyntaxError("bad", ("f.py", 3, 2, "x = = 1", 3, 4)))),
    "a deep recursion": lambda: record(exc_info=raised(RecursionError("too deep"), FRAMES_MAX // 2)),
    "an exit": lambda: record(exc_info=raised(SystemExit(3))),
    "an exception without a text": lambda: record(exc_info=raised(UnprintableError())),
    "no exception": lambda: record(exc_info=(None, None, None)),
    "an exception that was never raised": lambda: record(exc_info=(ValueError, ValueError("bad"), None)),
    "a class without its exception": lambda: record(exc_info=(ValueError, None, raised(ValueError())[2])),
    "a lone surrogate": lambda: record(exc_info=raised(ValueError("caf\udce9"))),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_traceback_is_kept_as_the_standard_formatter_prints_it(name: str) -> None:
    made = RECORDS[name]()
    expected = printed(made).encode("utf-8", "backslashreplace").decode()

    assert error_in(made)["stack_trace"].removesuffix("\n") == expected


def test_an_exception_that_cannot_be_printed_keeps_its_frames() -> None:
    error = error_in(record(exc_info=raised(UnprintableError(), 3)))

    assert error["type"] == "UnprintableError"
    assert error["message"] == "unformatted: RuntimeError"
    assert error["stack_trace"].count("fail(left - 1)") == 2


def test_an_exception_that_hinders_its_own_formatting_keeps_its_frames() -> None:
    error = error_in(record(exc_info=raised(HidesItsNotesError("bad"), 3)))

    assert error["type"] == "HidesItsNotesError"
    assert error["message"] == "bad"
    assert error["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert error["stack_trace"].count("fail(left - 1)") == 2


def test_an_exception_in_place_of_exc_info_is_taken_as_a_log_call_takes_it() -> None:
    _kind, value, _trace = raised(ValueError("bad"))

    assert "fail(depth)" in error_in(record(exc_info=value))["stack_trace"]


def test_exc_info_that_is_true_means_the_exception_being_handled() -> None:
    try:
        raise ValueError("bad")  # noqa: TRY301 - it has to be handled here
    except ValueError:
        error = error_in(record(exc_info=True))

    assert (error["type"], error["message"]) == ("ValueError", "bad")


def test_exc_info_that_is_no_exception_says_so() -> None:
    assert error_in(record(exc_info=(1, 2))) == {"type": "<tuple>", "message": "unformatted: ValueError"}


def test_a_line_that_another_formatter_made_of_an_exception_is_kept_with_the_traceback() -> None:
    class OneLine(logging.Formatter):
        def formatException(self, ei: Any) -> str:  # noqa: N802 - the standard library's name
            return f"one line: {ei[1]}"

    made = record(exc_info=raised(ValueError("bad")), stack_info=STACK)
    OneLine().format(made)
    kept = error_in(made)["stack_trace"]

    assert kept.startswith("one line: bad\nTraceback (most recent call last):")
    assert kept.endswith(f"ValueError: bad\n{STACK}")


@pytest.mark.parametrize("where", ["exc_text", "stack_info"])
def test_a_text_that_cannot_be_had_takes_no_other_with_it(where: str) -> None:
    made = record(exc_info=raised(ValueError("bad")), stack_info=STACK)
    setattr(made, where, UnprintableError())
    kept = error_in(made)["stack_trace"]

    assert "unformatted: RuntimeError" in kept
    assert "ValueError: bad" in kept


def test_what_was_taken_out_of_a_record_costs_nothing_else() -> None:
    made = record(exc_info=raised(ValueError("bad")))
    del made.exc_text, made.stack_info

    assert error_in(made)["message"] == "bad"


def test_a_long_traceback_keeps_both_its_ends() -> None:
    error = error_in(record(exc_info=raised(ValueError("v" * 500_000 + "end"))))

    assert error["stack_trace"].startswith("Traceback (most recent call last):")
    assert "characters cut]…" in error["stack_trace"]
    assert error["stack_trace"].endswith("vend\n")
    assert len(error["stack_trace"]) < STACK_CHARACTERS_MAX + 40


def test_frames_left_out_are_counted_in_every_exception_of_a_chain() -> None:
    beyond, limit = 7, sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2 * FRAMES_MAX)
    try:
        inner = raised(ValueError("inner"), FRAMES_MAX + beyond - 1)
        outer = raised(TypeError("outer"), FRAMES_MAX + beyond - 1)
    finally:
        sys.setrecursionlimit(limit)
    outer[1].__cause__ = inner[1]
    kept = error_in(record(exc_info=outer))["stack_trace"]

    assert kept.startswith(f"[{2 * beyond} outer frames left out]\n")
    assert kept.endswith("TypeError: outer\n")


def test_exceptions_that_lead_to_each_other_come_to_an_end() -> None:
    one, other = raised(ValueError("one")), raised(ValueError("other"))
    one[1].__context__, other[1].__context__ = other[1], one[1]

    assert error_in(record(exc_info=one))["stack_trace"] == "".join(traceback.format_exception(one[1]))
