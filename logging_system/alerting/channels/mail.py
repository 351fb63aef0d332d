"""Sends messages by SMTP: STARTTLS or TLS, with a login, as text and HTML; one transaction a recipient.

What an answer means: 4xx and trouble with the connection or the login pass, and the message is sent again;
5xx for a recipient or a message does not, and it is parked.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from logging_system.alerting.channels.declared import (
    DeclaredChannel,
    HeaderText,
    SecretError,
    SecretPlace,
    Sender,
)
from logging_system.alerting.channels.mail_page import page_of
from logging_system.alerting.messages import Letter
from logging_system.alerting.outbox import NotNow, Outcome, Refused, Taken
from logging_system.connections.bounded_connection import bounded, open_socket
from logging_system.connections.tls import Trust, of_verification

_ANSWER_BYTES_MAX = 256 * 1024
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def _address(text: str) -> str:
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain or not text.isprintable() or not text.isascii():
        raise ValueError("must be an address such as oncall@example.com")
    return text


MailAddress = Annotated[str, AfterValidator(_address)]


class Mail(DeclaredChannel):
    """A mail server, and who gets the messages."""

    kind: Literal["mail"] = Field("mail", description="The kind.")
    host: HeaderText = Field(min_length=1, description="The mail server.")
    port: int | None = Field(
        None, ge=1, le=65_535, description="Its port. Default: 587, for `tls` 465, for `none` 25."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is protected; `none` only on this machine."
    )
    sender: MailAddress = Field(description="Whom messages come from.")
    to: tuple[MailAddress, ...] = Field(min_length=1, max_length=100, description="Who gets the messages.")
    username: HeaderText | None = Field(None, description="User name for the login. Default: no login.")
    password: SecretPlace | None = Field(None, description="Where the password for the login is.")
    ca_certs: Path | None = Field(
        None, description="PEM file of the authorities that may sign the server's certificate."
    )

    @model_validator(mode="after")
    def _is_protected(self) -> Mail:
        if self.security == "none" and not _is_here(self.host):
            raise ValueError("security: none would send logs in the clear; use starttls or tls")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if self.username is not None and self.security == "none":
            raise ValueError("a login needs starttls or tls")
        return self

    def senders(self) -> Mapping[str, Sender]:
        """Return what sends to each recipient."""
        if len(self.to) == 1:
            return {self.name: MailSender(self, self.to[0])}
        return {f"{self.name} to {recipient}": MailSender(self, recipient) for recipient in self.to}


class MailSender:
    """Sends letters to one recipient.

    Args:
        declared: By which server.
        recipient: Who gets them.
    """

    def __init__(self, declared: Mail, recipient: str) -> None:
        self._declared = declared
        self._recipient = recipient

    def send(self, letter: Letter) -> Outcome:
        """Send a letter."""
        declared = self._declared
        server = f"{declared.host}:{declared.port or _PORTS[declared.security]}"
        session = _BoundedSmtp(timeout=declared.timeout_seconds)
        try:
            message = message_of(letter, declared.sender, self._recipient)
            with bounded(declared.timeout_seconds, _ANSWER_BYTES_MAX):
                self._open(session)
                session.send_message(message, declared.sender, [self._recipient])
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    session.quit()  # the message is taken, whatever becomes of the farewell
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return self._outcome(server, error, session)
        finally:
            session.close()
        return Taken()

    def _outcome(self, server: str, error: Exception, session: _BoundedSmtp) -> Outcome:
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return _refusal(server, *error.recipients[self._recipient])
        if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
            return _refusal(server, error.smtp_code, error.smtp_error)
        if isinstance(error, SecretError):
            return NotNow(str(error))
        return NotNow(f"{server}: {_said(error)}", may_have_arrived=session.has_sent_data)

    def _open(self, session: _BoundedSmtp) -> None:
        declared = self._declared
        context = None if declared.security == "none" else Trust(declared.ca_certs).context()
        session.begin(declared.host, declared.port or _PORTS[declared.security], context, declared.security)
        if declared.username is not None and declared.password is not None:
            session.login(declared.username, declared.password.read())


class _BoundedSmtp(smtplib.SMTP):
    """SMTP on a connection whose time is bounded as a whole, and not read by read."""

    _implicit: ssl.SSLContext | None = None
    has_sent_data = False
    """Whether the message itself may have been taken."""

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the message itself."""
        self.has_sent_data = True
        return super().data(msg)

    def begin(self, host: str, port: int, context: ssl.SSLContext | None, security: str) -> None:
        """Connect, and protect the connection.

        Raises:
            smtplib.SMTPException: The server does not want to.
            OSError: There is no connection, or nobody to believe at its other end.
        """
        self._host = host  # what starttls checks the certificate against
        self._implicit = context if security == "tls" else None
        code, answer = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, answer)
        if security == "starttls":
            self.starttls(context=context)
        self.ehlo_or_helo_if_needed()

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        opened = open_socket(host, port)
        if self._implicit is None:
            return opened
        return self._implicit.wrap_socket(opened, server_hostname=host)


def message_of(letter: Letter, sender: str, recipient: str) -> EmailMessage:
    """Return a letter as a mail of text and HTML.

    Its `Message-ID` is the deduplication key, so that one that came twice is shown once by mail clients that
    look at it.

    Args:
        letter: What it says.
        sender: The address that it is from; what follows its `@` also ends the `Message-ID`.
        recipient: The one address that it is for.
    """
    notification = letter.notification
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = letter.title  # the policy refuses CR and LF
    message["Date"] = format_datetime(datetime.fromtimestamp(notification.made_seconds, UTC))
    message["Message-ID"] = f"<{notification.key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text())
    message.add_alternative(page_of(letter), subtype="html")
    return message


def _refusal(server: str, code: int, text: bytes | str) -> Outcome:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    reason = f"{server}: answered {code} {said[:200]}"
    return Refused(reason) if code >= 500 else NotNow(reason)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code} before the message"
    if isinstance(error, ssl.SSLCertVerificationError):
        return of_verification(error)
    if isinstance(error, TimeoutError):
        return "took longer than it may"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, smtplib.SMTPException):
        return error.strerror
    return str(error)[:200] or type(error).__name__


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
