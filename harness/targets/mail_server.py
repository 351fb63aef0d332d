"""A mail server as a target: besides being killed, it can be told to refuse everybody (Mailpit's chaos).

It is a process or a container, and refuses mail in the same way.
"""

from __future__ import annotations

import smtplib

import orjson

from harness import http_client
from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.container import ContainerTarget, Freezable
from harness.targets.process import ProcessTarget, Restartable

CHAOS_PATH = "/api/v1/chaos"
_CALL_SECONDS = 3.0
_ANSWER_BYTES_MAX = 64 * 1024


class MailRefusal:
    """Whom a mail server of this run refuses; implements MailRefusing.

    Args:
        address: host and port at which it speaks SMTP.
        api_url: where it is told whom to refuse.
    """

    def __init__(self, address: tuple[str, int], api_url: str) -> None:
        self._address = address
        self._api_url = api_url

    def refuse_mail(self, code: int) -> None:
        """Refuse every recipient with that code from now on; raises FaultError."""
        set_chaos(self._api_url, code, 100)

    def accept_mail(self) -> None:
        """Take mail again; harmless where it is taken. Raises FaultError."""
        set_chaos(self._api_url, 451, 0)

    def mail_answer(self) -> int:
        """Return with which code a recipient of our own is answered; 0 where nothing is."""
        try:
            with smtplib.SMTP(*self._address, timeout=_CALL_SECONDS) as session:
                session.ehlo("localhost")
                code, _ = session.mail("probe@logquake.example")
                return session.rcpt("probe@logquake.example")[0] if code < 400 else code
        except (OSError, smtplib.SMTPException):
            return 0

    def undo_refuse_mail(self) -> Undo:
        """Name the server that a later process tells to take mail again."""
        return Undo("accept_mail", {"api_url": self._api_url})


class MailServerTarget(MailRefusal, ProcessTarget):
    """A mail server that runs as a process.

    Args:
        name: how scenarios call it.
        command: its argument list.
        process: the process itself.
        ready_seconds: how long it may take to serve again after a restart.
        address: host and port at which it speaks SMTP.
        api_url: where it is told whom to refuse.
    """

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        process: Restartable,
        ready_seconds: float,
        *,
        address: tuple[str, int],
        api_url: str,
    ) -> None:
        MailRefusal.__init__(self, address, api_url)
        ProcessTarget.__init__(self, name, command, process, ready_seconds)


class MailContainerTarget(MailRefusal, ContainerTarget):
    """A mail server that runs as a container.

    Args:
        name: how scenarios call it.
        container: the container itself.
        ready_seconds: how long it may take to serve again after a restart.
        address: host and port at which it speaks SMTP.
        api_url: where it is told whom to refuse.
    """

    def __init__(
        self,
        name: str,
        container: Freezable,
        ready_seconds: float,
        *,
        address: tuple[str, int],
        api_url: str,
    ) -> None:
        MailRefusal.__init__(self, address, api_url)
        ContainerTarget.__init__(self, name, container, ready_seconds)


def set_chaos(api_url: str, code: int, percent: int) -> None:
    """Tell a mail server with which code, and how often, to refuse recipients.

    Args:
        api_url: of the server's HTTP API, without a path.
        code: of SMTP, 400 to 599.
        percent: of the recipients that are refused, 0 to 100; 0 = it takes all.

    Raises:
        FaultError: it does not take that.
    """
    body = orjson.dumps({"Recipient": {"ErrorCode": code, "Probability": percent}})
    try:
        answer = http_client.call(
            "PUT",
            f"{api_url}{CHAOS_PATH}",
            timeout_seconds=_CALL_SECONDS,
            answer_bytes_max=_ANSWER_BYTES_MAX,
            body=body,
        )
    except http_client.HttpError as error:
        raise FaultError(f"the mail server does not take whom to refuse: {error}") from error
    if answer.status != 200:
        raise FaultError(f"{answer.where}: the mail server answered {answer.status}")
