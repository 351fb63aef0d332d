"""What the mail server keeps, and whom it refuses."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from harness.programs.durable_lines import DurableLines, FullError

MESSAGE_BYTES_MAX = 1024 * 1024
RECIPIENTS_MAX = 100
CODE_MIN, CODE_MAX = 400, 599


@dataclass(frozen=True, slots=True)
class Trigger:
    """With which code is refused, and how often, in percent."""

    code: int = 451
    percent: int = 0


@dataclass(slots=True)
class Chaos:
    """Who is refused now."""

    sender: Trigger = Trigger()
    recipient: Trigger = Trigger()
    rng: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - decides nothing secret

    def refusal(self, trigger: Trigger) -> str:
        """Return what a command is answered with; empty where it is taken."""
        if self.rng.randrange(100) >= trigger.percent:
            return ""
        return f"{trigger.code} Chaos: refused as it was asked to be"


class Mailbox:
    """The messages, oldest first; implements aiosmtpd's handler of whole messages.

    Args:
        kept: takes them.
        now_ns: nanoseconds since 1970.
    """

    def __init__(self, kept: DurableLines, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._kept = kept
        self._now_ns = now_ns

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """All messages."""
        return list(self._kept.entries)

    def find(self, identity: str) -> Mapping[str, Any] | None:
        """Return one message by its id."""
        return next((each for each in self._kept.entries if each["id"] == identity), None)

    def take(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Write a message down; return what SMTP says then."""
        entry = {
            "id": secrets.token_hex(11),
            "unix_ns": self._now_ns(),
            "sender": sender,
            "recipients": recipients,
            "content": base64.b64encode(content).decode(),
        }
        try:
            self._kept.append(entry)
        except (FullError, OSError) as error:
            return f"452 {error}"
        return f"250 OK: queued as {entry['id']}"


class _Handler:
    """aiosmtpd's hooks, by their names."""

    def __init__(self, mailbox: Mailbox, chaos: Chaos) -> None:
        self._mailbox = mailbox
        self._chaos = chaos

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._chaos.refusal(self._chaos.sender):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 too many recipients"
        if refusal := self._chaos.refusal(self._chaos.recipient):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        return self._mailbox.take(envelope.mail_from or "", list(envelope.rcpt_tos), content)


def session(mailbox: Mailbox, chaos: Chaos, loop: asyncio.AbstractEventLoop) -> SMTP:
    """Return what speaks SMTP on one connection."""
    return SMTP(_Handler(mailbox, chaos), data_size_limit=MESSAGE_BYTES_MAX, hostname="localhost", loop=loop)
