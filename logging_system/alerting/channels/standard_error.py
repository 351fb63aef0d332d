"""Writes messages to standard error: the channel where none is named."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Literal, TextIO

from pydantic import Field

from logging_system.alerting.channels.declared import DeclaredChannel, Sender
from logging_system.alerting.messages import Letter
from logging_system.alerting.outbox import NotNow, Outcome, Taken


class StandardError(DeclaredChannel):
    """Standard error of `watch`."""

    kind: Literal["standard_error"] = Field("standard_error", description="The kind.")

    def senders(self) -> Mapping[str, Sender]:
        """Return what writes."""
        return {self.name: StandardErrorSender()}


class StandardErrorSender:
    """Writes letters as text.

    Args:
        stream: Where to; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, letter: Letter) -> Outcome:
        """Write a letter."""
        stream = self._stream or sys.stderr
        try:
            stream.write(letter.text())
            stream.flush()
        except (OSError, ValueError) as error:
            return NotNow(f"standard error: {error}")
        return Taken()
