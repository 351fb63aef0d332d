"""Receivers of alerts, asked what they got: directly, and not over the links that faults hurt."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Part
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

import orjson

from harness import http_client
from harness.evidence.alerts.messages import Message
from harness.model.errors import StackError

Entry: TypeAlias = Mapping[str, Any]
"""What a receiver shows of one message."""

MESSAGES_MAX = 20_000
_PAGE_MESSAGES = 200
_ANSWER_SECONDS = 5.0
_ANSWER_BYTES_MAX = 64 * 1024 * 1024


class Inbox(Protocol):
    """What a receiver got."""

    def messages(self, word: str) -> Iterator[Message]:
        """Yield what is addressed to a word, oldest first; raises StackError where it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both clocks of this machine, in ns, by which a time of day becomes a moment of the run."""

    unix_ns: Callable[[], int]
    monotonic_ns: Callable[[], int]

    def moment_ns(self, unix_ns: int) -> int:
        """Return a time of day as CLOCK_MONOTONIC has it.

        Args:
            unix_ns: ns since 1970, by the machine's clock; the two clocks are compared at this call.
        """
        return unix_ns - self.unix_ns() + self.monotonic_ns()


class MailInbox:
    """A mail server with Mailpit's API.

    Args:
        url: of its API.
        clocks: of this machine, which is the server's too.
    """

    def __init__(self, url: str, clocks: Clocks) -> None:
        self._url = url
        self._clocks = clocks

    def messages(self, word: str) -> Iterator[Message]:
        """Yield the mails one of whose recipients holds the word."""
        # The server shows the newest first.
        for summary in reversed(list(self._summaries())):
            recipients = [
                str(each["Address"]) for header in ("To", "Cc", "Bcc") for each in summary.get(header) or ()
            ]
            if any(word in each for each in recipients):
                at_ns = self._clocks.moment_ns(_unix_ns(str(summary["Created"])))
                yield mail(self._raw(str(summary["ID"])), at_ns, " ".join(recipients))

    def _summaries(self) -> Iterator[Entry]:
        pages = f"{self._url}/api/v1/messages?limit={_PAGE_MESSAGES}&start="
        # One that comes meanwhile moves all others by a place.
        return _all_shown(
            pages, f"{self._url}: more than {MESSAGES_MAX:,} mails came", lambda _, entry: entry["ID"]
        )

    def _raw(self, identity: str) -> bytes:
        return _body(f"{self._url}/api/v1/message/{quote(identity, safe='')}/raw")


class WebhookInbox:
    """Our own webhook receiver.

    Args:
        url: where it answers.
        clocks: of this machine, which is the receiver's too.
    """

    def __init__(self, url: str, clocks: Clocks) -> None:
        self._url = url
        self._clocks = clocks

    def messages(self, word: str) -> Iterator[Message]:
        """Yield the posts whose path holds the word."""
        too_many = f"{self._url}: more than {MESSAGES_MAX:,} posts came"
        for entry in _all_shown(f"{self._url}/received?start=", too_many, lambda place, _: place):
            if word in entry["path"]:
                body = base64.b64decode(entry["body"])
                headers = tuple((name.lower(), value) for name, value in entry["headers"])
                yield Message(
                    self._clocks.moment_ns(entry["unix_ns"]),
                    entry["path"],
                    headers,
                    body.decode("utf-8", "replace"),
                    (entry["path"].encode(), *_lines(headers), body),
                )


def _all_shown(pages: str, too_many: str, identity: Callable[[int, Entry], object]) -> Iterator[Entry]:
    """Yield each entry that a receiver shows by pages, once.

    Args:
        pages: their address, up to where the number of the first entry stands.
        too_many: what to say where there is no end of them.
        identity: what tells an entry from others, by its place and by what it says.

    Raises:
        StackError: they cannot be read, or there are too many.
    """
    seen: set[object] = set()
    while len(seen) <= MESSAGES_MAX:
        shown = _answer(f"{pages}{len(seen)}")["messages"]
        entries = {identity(place, entry): entry for place, entry in enumerate(shown, len(seen))}
        fresh = [entry for key, entry in entries.items() if key not in seen]
        if not fresh:
            return
        seen |= entries.keys()
        yield from fresh
    raise StackError(too_many)


def mail(raw: bytes, at_ns: int, addressed: str) -> Message:
    """Return a mail that came, its plain text decoded; whatever else it holds, it is read as far as it goes.

    Args:
        raw: its bytes.
        at_ns: when it came.
        addressed: the recipients of its envelope.
    """
    parsed = message_from_bytes(raw)
    headers = tuple((name.lower(), _unfolded(str(value))) for name, value in parsed.items())
    texts = [_text(part) for part in parsed.walk() if part.get_content_type() == "text/plain"]
    decoded = [part.get_payload(decode=True) for part in parsed.walk()]
    pieces = (raw, *_lines(headers), *(each for each in decoded if isinstance(each, bytes)))
    return Message(at_ns, addressed, headers, "\n".join(texts).replace("\r\n", "\n"), pieces)


def _lines(headers: Iterable[tuple[str, str]]) -> list[bytes]:
    return [f"{name}: {value}".encode("utf-8", "replace") for name, value in headers]


def _unfolded(value: str) -> str:
    """Return a header on one line, its encoded words decoded; one that cannot be stays as it is."""
    value = " ".join(value.split())
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _text(part: Part) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _unix_ns(text: str) -> int:
    """Return a time as RFC 3339 has it, to the microsecond; raises StackError."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1_000
    except ValueError as error:
        raise StackError(f"{text!r} is no time") from error


def _answer(url: str) -> Any:
    body = _body(url)
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise StackError(f"GET {url}: the answer is no JSON") from error


def _body(url: str) -> bytes:
    try:
        answer = http_client.call(
            "GET", url, timeout_seconds=_ANSWER_SECONDS, answer_bytes_max=_ANSWER_BYTES_MAX
        )
    except http_client.HttpError as error:
        raise StackError(str(error)) from error
    if answer.status != 200:
        raise StackError(f"{answer.where}: answered {answer.status}")
    return answer.body
