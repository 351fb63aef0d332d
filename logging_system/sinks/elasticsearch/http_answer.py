"""An HTTP answer of a node as it came, and the few things that every reader of one asks of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

REASON_CHARACTERS_MAX = 500
RETRY_AFTER_SECONDS_MAX = 60.0
"""A server may ask for patience, not for an hour of it."""

_EXCERPT_BYTES = 120
# Whatever else is escaped is passed over, a backslash and a whole pair too.
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer: nothing decoded, nothing believed.

    Attributes:
        status: The HTTP status.
        headers: Header values by lower-case name.
        body: The body, transfer and content encoding removed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer came.

    Attributes:
        reason: What went wrong.
        may_have_arrived: False only where it is certain that no byte of the request reached the store.
    """

    reason: str
    may_have_arrived: bool = True


def parsed(body: bytes) -> dict[str, object]:
    """Return the object that an answer's body holds; an empty one where it holds none.

    A store gives documents back as somebody sent them, half an escaped surrogate
    pair included, which no text holds: it is read as U+FFFD, so that one such record hides no others.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        mended = _mended(body)
        if mended == body:
            return {}
        try:
            content = orjson.loads(mended)
        except orjson.JSONDecodeError:
            return {}
    return content if isinstance(content, dict) else {}


def _mended(body: bytes) -> bytes:
    """Return JSON in which no escape is half a surrogate pair."""
    return _ESCAPES.sub(lambda found: rb"\ufffd" if found["half"] else found[0], body)


def error_reason(error: object) -> str:
    """Return what an answer's `error` says, whatever its form, in at most `REASON_CHARACTERS_MAX`."""
    if error is None:
        return ""
    if not isinstance(error, dict):
        return plain(error)[:REASON_CHARACTERS_MAX]
    cause = error.get("caused_by")
    reason = f"{plain(error.get('type'))}: {plain(error.get('reason'))}"
    if cause is None:
        # What failed in a shard: "all shards failed" alone helps nobody.
        roots = error.get("root_cause")
        root = roots[0] if isinstance(roots, list) and roots else None
        cause = root if isinstance(root, dict) and root.get("type") != error.get("type") else None
    if isinstance(cause, dict):
        reason += f" ({plain(cause.get('type'))}: {plain(cause.get('reason'))})"
    return reason[:REASON_CHARACTERS_MAX]


def plain(value: object) -> str:
    """Return a value of an answer as text."""
    # JSON may be nested deeper than `str` can follow, and no server's reason is an object.
    return "(nested)" if isinstance(value, dict | list) else str(value)


def excerpt(body: bytes) -> str:
    """Return the beginning of a body as text."""
    return body[:_EXCERPT_BYTES].decode("utf-8", "replace")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the delay asked for (RFC 9110, 10.2.3); its form with a date needs a clock.

    Args:
        headers: The answer's headers, their names in lower case.

    Returns:
        Seconds, `RETRY_AFTER_SECONDS_MAX` at most; None where no delay is asked for as a number.
    """
    value = headers.get("retry-after", "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value), RETRY_AFTER_SECONDS_MAX)
