"""Sends messages through Apprise, which knows some hundred services; needs the extra `alerts`.

Apprise says whether a service took a message, and not why: what it did not take is sent again. Its time is
bounded connection by connection and not as a whole.

https://github.com/caronc/apprise
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from logging_system.alerting.channels.declared import DeclaredChannel, SecretError, SecretPlace, Sender
from logging_system.alerting.messages import Letter
from logging_system.alerting.outbox import NotNow, Outcome, Taken

_INVISIBLE = "\u200b"
"""Between a mark and what follows it, this leaves a text as it looks, and mentions nobody."""


class Apprise(DeclaredChannel):
    """One of the services that Apprise knows; needs `pip install 'logquake[alerts]'`."""

    kind: Literal["apprise"] = Field("apprise", description="The kind.")
    secret_url: SecretPlace = Field(
        description="Where the Apprise URL is, such as `ntfy://…` or `discord://…`; it holds the token."
    )

    def senders(self) -> Mapping[str, Sender]:
        """Return what sends.

        Raises:
            ValueError: Apprise is not installed.
        """
        return {self.name: AppriseSender(self, _apprise())}


class AppriseSender:
    """Sends letters to one service.

    Args:
        declared: Which.
        apprise: The module.
    """

    def __init__(self, declared: Apprise, apprise: Any) -> None:
        self._declared, self._apprise = declared, apprise

    def send(self, letter: Letter) -> Outcome:
        """Send a letter."""
        apprise, seconds = self._apprise, self._declared.timeout_seconds
        try:
            url = self._declared.secret_url.read()
        except SecretError as error:
            return NotNow(str(error))
        service = apprise.Apprise.instantiate(url)
        if service is None:
            return NotNow("what secret_url names is no URL of a service that Apprise knows")
        service.socket_connect_timeout = service.socket_read_timeout = seconds
        told = apprise.Apprise()
        told.add(service)
        kind = apprise.NotifyType.FAILURE if letter.notification.is_firing else apprise.NotifyType.SUCCESS
        is_taken = told.notify(
            title=_without_mentions(letter.title),
            body=_without_mentions(letter.text()),
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        )
        if is_taken:
            return Taken()
        return NotNow("Apprise says that the service did not take it", may_have_arrived=True)


def _without_mentions(text: str) -> str:
    return text.replace("@", f"@{_INVISIBLE}").replace("<", f"<{_INVISIBLE}")


def _apprise() -> Any:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise ValueError("apprise is not installed; pip install 'logquake[alerts]'") from None
