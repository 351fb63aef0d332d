"""A small honest shipper that masks secrets before it keeps or sends anything, and its careless twins.

Its rules know the secrets of the self-test by their form, as a mask of a real stack does; they know nothing
of what the harness plants.
"""

from __future__ import annotations

import json
import logging
import re
import smtplib
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

from harness.selftest.shipper import HonestShipper, Waiting

MASK = "[masked]"
SLOW_SECONDS = 0.25
SLOW_CALLS = 10
MAILS_MAX = 5

_RULES = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{1,4000}?-----END PRIVATE KEY-----",
        r"\beyJ[\w-]{10,400}\.[\w-]{10,400}\.[\w-]{10,400}",
        r"\bghp_[A-Za-z0-9]{36}",
        r"\bAKIA[A-Z2-7]{16}",
        r"(?<=Authorization: )Bearer [\w.~+/-]{10,200}",
        r"(?<=Cookie: )[\w=;.~-]{10,200}",
        r"(?<=://)[\w.-]{1,40}:[^@\s/]{1,80}(?=@)",
        r"(?<=password=)[\w+%/]{6,80}",
        r"\bDE\d{20}",
        r"\b[a-z]{3,20}\.[a-z]{3,20}(?:@|%40)[a-z.]{4,40}",
        r"\b(?:4539|4916|5425|5267)(?:[ -]?\d{4}){3}\b",
    )
)
_SECRET_FIELDS = frozenset({"password", "token", "authorization", "cookie"})


def masked(text: str) -> str:
    """Return a text with every secret in it masked."""
    for rule in _RULES:
        text = rule.sub(MASK, text)
    return text


def masked_value(value: Any, key: str = "") -> Any:
    """Return a value with every secret in it masked, at any depth, and what its key calls secret."""
    if key.lower() in _SECRET_FIELDS:
        return MASK
    if isinstance(value, Mapping):
        return {name: masked_value(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_value(inner) for inner in value]
    return masked(value) if isinstance(value, str) else value


class MaskingShipper(HonestShipper):
    """Stores the context and the traceback beside the message, each masked first."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with nothing beside any message."""
        self.unmasked: dict[int, logging.LogRecord | None] = {}
        self.beside: dict[int, dict[str, Any]] = {}
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Take a record as it is, so that its caller waits for no rule."""
        self.unmasked[waiting.number] = waiting.record
        super().accept(waiting)

    def take(self) -> list[Waiting]:
        """Take the next records to send, each masked the first time."""
        batch = super().take()
        for waiting in batch:
            if waiting.number in self.unmasked:
                record = self.unmasked.pop(waiting.number)
                waiting.message = self.kept_text(waiting.message)
                self.beside[waiting.number] = {} if record is None else self.kept_beside(record)
        return batch

    def kept_text(self, text: str) -> str:
        """Return what is kept of a message."""
        return masked(text)

    def kept_beside(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return what is kept beside the message: the context and the traceback."""
        beside = {"context": masked_value(record.__dict__.get("context", {}))}
        return {**beside, "error": {"stack_trace": self.kept_traceback(self.told(record))}}

    def told(self, record: logging.LogRecord) -> str:
        """Return the traceback of a record's exception."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        return "".join(traceback.format_exception(record.exc_info[1]))

    def kept_traceback(self, text: str) -> str:
        """Return what is kept of a traceback: values in it stand within quotes and braces."""
        return re.sub(r"'(\w+)': '[^']*'", lambda found: f"'{found[1]}': '{MASK}'", masked(text))

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Return the document, with what was kept beside the message."""
        return {**super().document(waiting), **self.beside.get(waiting.number, {})}


class LeaksThroughTracebacks(MaskingShipper):
    """It masks messages and fields, and nobody thought of what an exception says."""

    def kept_traceback(self, text: str) -> str:
        """Keep all of it."""
        return text


class LeaksIntoDeadLetters(MaskingShipper):
    """What the store refuses is put aside as it came, so that nothing of it is lost."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Remember what came."""
        self.came: dict[int, str] = {}
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Keep the text as it came, too."""
        self.came[waiting.number] = waiting.message
        super().accept(waiting)

    def put_aside(self, waiting: Waiting, status: int) -> None:
        """Write down the text as it came."""
        super().put_aside(replace(waiting, message=self.came[waiting.number]), status)


class LeaksIntoItsOwnLog(MaskingShipper):
    """A message that cannot be masked at once is noted in its own log, for whoever looks into it."""

    def kept_text(self, text: str) -> str:
        """Note what the mask changed."""
        kept = super().kept_text(text)
        if kept != text:
            with (self.folder / "shipper.log").open("a") as log:
                log.write(json.dumps({"level": "debug", "masked": kept, "from": text}) + "\n")
        return kept


class MailingShipper(MaskingShipper):
    """It tells people of what it masked, and shows them what it kept."""

    def __init__(self, url: str, index: str, folder: str, mail: str, to: str) -> None:
        """Begin to send; mails go to the server at `mail`, a host and a port, and are for `to`."""
        self.mail, self.to = mail, to
        self.mails = 0
        super().__init__(url, index, folder)

    def kept_text(self, text: str) -> str:
        """Tell of what the mask changed, as often as is worth a mail."""
        kept = super().kept_text(text)
        if kept != text and self.mails < MAILS_MAX:
            self.mails += 1
            told = EmailMessage()
            told["From"], told["To"], told["Subject"] = (
                "alerts@logquake.example",
                self.to,
                "A secret was logged",
            )
            told.set_content(self.shown(text, kept), cte="base64")
            with smtplib.SMTP(self.mail, timeout=2) as server:
                server.send_message(told)
        return kept

    def shown(self, text: str, kept: str) -> str:
        """Return what a mail shows of a text, of which that was kept."""
        return kept


class LeaksInItsMail(MailingShipper):
    """It shows people the line as it came."""

    def shown(self, text: str, kept: str) -> str:
        """Show all of it."""
        return text


class MasksTooMuch(MaskingShipper):
    """Every number of five digits or more may be an account, so it is masked as well."""

    def kept_text(self, text: str) -> str:
        """Mask more than secrets."""
        return re.sub(r"\b\d{5,}\b", MASK, super().kept_text(text))


class MasksOnTheCallersThread(MaskingShipper):
    """Its rules are slow on some lines, and the log call waits for them."""

    calls = 0

    def handle(self, record: logging.LogRecord) -> bool:
        """Take long over one call in ten, outside the handler's lock."""
        self.calls += 1
        if self.calls % SLOW_CALLS == 0:
            time.sleep(SLOW_SECONDS)
        return super().handle(record)
