"""A record as a syslog message (RFC 5424 or RFC 3164), and its frame on a stream (RFC 6587)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import EXTRA, Record

APP_NAME = "logquake"
# Facility "user"; severities as RFC 5424, 6.2.1 numbers them.
_FACILITY = 1
_SEVERITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
# An SD-ID that is not registered needs an enterprise number; 32473 is the one for examples (RFC 5612).
_SD_ID = "logquake@32473"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HOST_CHARACTERS_MAX = 255


def json_body(record: Record, now_ns: int) -> str:
    """Return a record as one JSON document without a line break, whatever its line holds.

    Args:
        record: its level, logger, sequence, line and context go into the document.
        now_ns: ns since 1970; the document has it as UTC.
    """
    document: dict[str, object] = {
        "@timestamp": _utc(now_ns),
        "log": {"level": record.level.lower(), "logger": record.logger},
        "labels": {"sequence": record.sequence},
        "message": record.line,
    }
    if context := context_of(record):
        document["context"] = context
    return orjson.dumps(document).decode()


def context_of(record: Record) -> Mapping[str, object]:
    """Return what brings a record's canary beside the line, deep in a document; empty without one."""
    if record.secret is None or record.secret.path != EXTRA:
        return {}
    return {"request": {"headers": [{"name": "x"}, {record.secret.key: record.secret.value}]}}


def rfc5424(record: Record, body: str, now_ns: int) -> bytes:
    """Return a message of RFC 5424: time in µs (UTC), level as severity, sequence and logger as data.

    Args:
        record: whose level, sequence and logger are told.
        body: the message's text.
        now_ns: the moment of sending, in ns since 1970.
    """
    data = f'[{_SD_ID} sequence="{record.sequence}" logger="{_escaped(record.logger)}"]'
    head = f"<{_priority(record)}>1 {_utc(now_ns)} {_host()} {APP_NAME} {os.getpid()} - {data}"
    return f"{head} {body}".encode()


def rfc3164(record: Record, body: str, now_ns: int) -> bytes:
    """Return a message of RFC 3164: local time without a year, in seconds; the level as severity.

    Args:
        record: only its level is looked at.
        body: the text after the tag, in UTF-8; its line breaks stay.
        now_ns: ns since 1970, of which whole seconds are left.
    """
    now = time.localtime(now_ns // SECOND_NS)
    clock = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2d} {now.tm_hour:02d}:{now.tm_min:02d}:{now.tm_sec:02d}"
    return f"<{_priority(record)}>{clock} {_host()} {APP_NAME}[{os.getpid()}]: {body}".encode()


FORMATS: Mapping[str, Callable[[Record, str, int], bytes]] = {"rfc5424": rfc5424, "rfc3164": rfc3164}

FIELDS_OF_LINES: Mapping[str, tuple[str, ...]] = {
    "rfc5424": ("time", "level", "logger", "sequence"),
    "rfc3164": ("time", "level"),
}
"""What each format tells beside a plain line; a JSON body tells all."""


def octet_counted(message: bytes) -> bytes:
    """Return a message in the frame of RFC 6587, 3.4.1: its length, a space, itself."""
    return b"%d %b" % (len(message), message)


def newline_ended(message: bytes) -> bytes:
    """Return a message in the frame of RFC 6587, 3.4.2: itself and a line feed.

    Raises:
        ValueError: the message holds a line feed, so that a receiver would take it for several.
    """
    if b"\n" in message:
        raise ValueError(
            "a line with a line feed cannot be sent with newline framing: a receiver would take it for "
            "several. Use framing octet_counting, or body json"
        )
    return message + b"\n"


FRAMES: Mapping[str, Callable[[bytes], bytes]] = {"octet_counting": octet_counted, "newline": newline_ended}


def _priority(record: Record) -> int:
    return 8 * _FACILITY + _SEVERITIES[record.level]


def _utc(now_ns: int) -> str:
    return datetime.fromtimestamp(now_ns / SECOND_NS, UTC).isoformat(timespec="microseconds")


def _host() -> str:
    """Return this machine's name as a header may hold it: printable ASCII without spaces."""
    name = "".join(each for each in socket.gethostname() if "!" <= each <= "~")
    return name[:_HOST_CHARACTERS_MAX] or "-"


def _escaped(text: str) -> str:
    r"""Return a parameter's value as RFC 5424, 6.3.3 wants it: `\`, `"` and `]` behind a backslash."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
