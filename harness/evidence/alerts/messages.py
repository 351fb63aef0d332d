"""What a receiver got, and where a stack says in it which alert it is: places in headers, JSON or text.

A place is `header NAME`, `header NAME PATTERN`, `json PATH` or `text PATTERN`. A path descends into each
entry of a list; a pattern gives what its group holds, or all that it matches, wherever it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from harness.model.declarations import AlertChannel
from harness.model.facts import AlertReceived, AlertsRead

VALUES_MAX = 1_000
"""A message that names more alerts names too many to be read."""
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a receiver got it.

    Attributes:
        at_ns: when, by CLOCK_MONOTONIC.
        addressed: whom it was for: the recipients of its envelope, or the path that it was posted to.
        headers: names, in lower case, with their values.
        text: its body, of a mail that part which is plain text.
        pieces: all of it as it came, and decoded what a mail packs: parts and headers.
    """

    at_ns: int
    addressed: str
    headers: tuple[tuple[str, str], ...]
    text: str
    pieces: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place in messages.

    Attributes:
        kind: `header`, `json` or `text`.
        name: the header in lower case, or the path.
        pattern: what of it counts; None takes all.
    """

    kind: str
    name: str
    pattern: re.Pattern[str] | None = None

    def values(self, message: Message) -> list[str]:
        """Return what stands there, in order; nothing where there is nothing."""
        if self.kind == "header":
            found = [value for name, value in message.headers if name == self.name]
        elif self.kind == "json":
            found = list(_below(_json(message.text), self.name.split(".")))
        else:
            found = [message.text]
        if self.pattern is None:
            return found[:VALUES_MAX]
        pattern = self.pattern
        matches = (match for text in found for match in pattern.finditer(text))
        group = 1 if pattern.groups else 0
        return [match[group] or "" for match, _ in zip(matches, range(VALUES_MAX), strict=False)]


@lru_cache(maxsize=256)
def place_of(text: str) -> Place:
    """Return the place that a stack file names.

    Args:
        text: its kind and the rest, parted by a blank: `header NAME`, `header NAME PATTERN`, `json PATH` or
            `text PATTERN`.

    Raises:
        ValueError: it names none; the message says what to write.
    """
    kind, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if kind == "json" and rest:
        return Place(kind, rest)
    if kind == "text" and rest:
        return Place(kind, "", _compiled(rest))
    if kind == "header" and rest:
        name, _, pattern = rest.partition(" ")
        return Place(kind, name.lower(), _compiled(pattern.strip()) if pattern.strip() else None)
    raise ValueError(
        f'must be "header NAME", "header NAME PATTERN", "json PATH" or "text PATTERN", not {text!r}'
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if compiled.groups > 1:
        raise ValueError(f"{pattern!r} has {compiled.groups} groups; leave the one that holds the value")
    return compiled


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _below(value: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _below(each, path)
    elif path:
        if isinstance(value, dict) and path[0] in value:
            yield from _below(value[path[0]], path[1:])
    elif isinstance(value, str | int | float):
        yield str(value)


def recognised(
    channel: AlertChannel, name: str, messages: Sequence[Message], at_ns: int
) -> list[AlertReceived | AlertsRead]:
    """Return what messages of one channel tell of an alert.

    Args:
        channel: where they came, and where they say what they are.
        name: of the alert.
        messages: all of this run.
        at_ns: when they were read.
    """
    facts: list[AlertReceived | AlertsRead] = []
    others, lacking = 0, []
    for message in messages:
        try:
            told = _told(channel, name, message)
        except ValueError as error:
            lacking.append(str(error))
            continue
        others += not told
        facts += told
    example = lacking[0] if lacking else ""
    return [*facts, AlertsRead(at_ns, channel.name, len(messages), others, len(lacking), example)]


def _told(channel: AlertChannel, name: str, message: Message) -> list[AlertReceived]:
    """Return what one message tells, each alert once.

    Raises:
        ValueError: it does not say what it is.
    """
    keys = place_of(channel.key).values(message)
    names = place_of(channel.alert).values(message)
    states = place_of(channel.state).values(message)
    marks = place_of(channel.fingerprint).values(message) if channel.fingerprint else []
    lacking = [
        f"{what} ({place})"
        for what, place, found in (
            ("key", channel.key, keys),
            ("alert", channel.alert, names),
            ("state", channel.state, states),
        )
        if not any(found)
    ]
    if lacking:
        shown = " ".join(message.text.split())[:_SHOWN_CHARACTERS]
        raise ValueError(f"a message has no {', no '.join(lacking)}: {shown!r}")
    size = max(len(names), len(states))
    told = {
        (state.lower() == channel.fires.lower(), mark): None
        for said, state, mark in zip(
            _spread(names, size), _spread(states, size), _spread(marks, size), strict=True
        )
        if said == name
    }
    return [AlertReceived(message.at_ns, channel.name, keys[0], fires, mark) for fires, mark in told]


def _spread(values: Sequence[str], size: int) -> Sequence[str]:
    """Return one value for each alert: what stands there once is true of all."""
    if len(values) == 1:
        return [*values] * size
    return [*values[:size], *[""] * (size - len(values))]
