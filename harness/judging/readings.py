"""What a stored value says of a level or of a time, in any of the forms that logging stacks write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from harness.model.declarations import Scalar
from harness.model.nanoseconds import SECOND_NS

_WORDS: Mapping[str, frozenset[str]] = {
    "DEBUG": frozenset({"debug", "dbg", "debu", "d", "trace", "trc", "verbose", "fine"}),
    "INFO": frozenset({"info", "inf", "i", "information", "informational", "notice"}),
    "WARNING": frozenset({"warning", "warn", "wrn", "w"}),
    "ERROR": frozenset({"error", "err", "eror", "e"}),
    "CRITICAL": frozenset(
        {"critical", "crit", "c", "fatal", "ftl", "f", "severe", "emergency", "emerg", "alert", "panic"}
    ),
}
_LEVEL_OF_WORD = {word: level for level, words in _WORDS.items() for word in words}
_SCALES: Mapping[str, Mapping[int, str]] = {
    "Python": {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"},
    "OpenTelemetry": {
        number: level
        for first, level in ((1, "DEBUG"), (5, "DEBUG"), (9, "INFO"), (13, "WARNING"), (17, "ERROR"))
        for number in range(first, first + 4)
    }
    | dict.fromkeys(range(21, 25), "CRITICAL"),
    "syslog": {7: "DEBUG", 6: "INFO", 5: "INFO", 4: "WARNING", 3: "ERROR"}
    | dict.fromkeys(range(3), "CRITICAL"),
    "pino": {10: "DEBUG", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "CRITICAL"},
}
_SEVERITY = re.compile(r"(?:severity_number_)?([a-z]+)[1-4]?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_UNITS_NS = ((1e11, SECOND_NS), (1e14, 1_000_000), (1e17, 1_000), (float("inf"), 1))
"""Numbers below each bound are counted in that unit since 1970: seconds, ms, µs, ns."""


def scale_of(pairs: Iterable[tuple[str, Scalar | None]]) -> str:
    """Return the scale on which most of a stack's numbers for levels are what was sent.

    Args:
        pairs: the level that each record was sent with, and what is stored.
    """
    fitting = dict.fromkeys(_SCALES, 0)
    for level, value in pairs:
        if (number := _whole(value)) is not None:
            for scale, levels in _SCALES.items():
                fitting[scale] += levels.get(number) == level
    return max(fitting, key=fitting.__getitem__)


def level_read(value: Scalar | None, scale: str) -> str | None:
    """Return the level that a stored value stands for, one of Python's five words; None where it is none.

    Args:
        value: as it is stored: a number, digits or a word.
        scale: on which a number is read, as `scale_of` returns it.
    """
    if (number := _whole(value)) is not None:
        return _SCALES[scale].get(number)
    if not isinstance(value, str):
        return None
    word = _SEVERITY.fullmatch(value.strip().strip("[]").lower())
    return None if word is None else _LEVEL_OF_WORD.get(word[1])


def times_read_ns(value: Scalar | None) -> tuple[int, ...]:
    """Return the moments that a stored value may stand for, in ns since 1970; none where it is no time.

    A time without its zone may be of UTC or of this machine's zone.
    """
    if isinstance(value, bool) or value is None:
        return ()
    text = str(value).strip()
    if _NUMBER.fullmatch(text):
        return _counted_ns(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ()
    zones = [moment] if moment.tzinfo else [moment.replace(tzinfo=UTC), moment.astimezone()]
    return tuple(_unix_ns(each) for each in zones)


def time_text(unix_ns: int) -> str:
    """Return a moment for a person: ISO 8601, UTC, to the millisecond.

    Args:
        unix_ns: nanoseconds since 1970, UTC.
    """
    moment = datetime.fromtimestamp(unix_ns / SECOND_NS, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(value: Scalar | None) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    return int(float(text)) if _NUMBER.fullmatch(text) and float(text).is_integer() else None


def _counted_ns(text: str) -> tuple[int, ...]:
    size = abs(float(text))
    unit_ns = next(unit_ns for below, unit_ns in _UNITS_NS if size < below or unit_ns == 1)
    # A float has no room for ns since 1970.
    return (int(text) * unit_ns if text.lstrip("+-").isdecimal() else int(float(text) * unit_ns),)


def _unix_ns(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000
