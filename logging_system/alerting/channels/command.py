"""Runs a program for each message, with a line of JSON on its standard input; never a shell."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Annotated, Literal

import orjson
from pydantic import Field

from logging_system.alerting.channels.declared import DeclaredChannel, Sender
from logging_system.alerting.channels.webhook_formats.generic import body_of
from logging_system.alerting.messages import Letter
from logging_system.alerting.outbox import NotNow, Outcome, Taken


class Command(DeclaredChannel):
    """A program of yours; a message is taken when it ends with 0."""

    kind: Literal["command"] = Field("command", description="The kind.")
    command: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=1, description="Program and arguments, as a list; no shell sees them."
    )

    def senders(self) -> Mapping[str, Sender]:
        """Return what runs the program."""
        return {self.name: CommandSender(self)}


class CommandSender:
    """Runs one program a letter.

    Args:
        declared: Which program.
    """

    def __init__(self, declared: Command) -> None:
        self._declared = declared

    def send(self, letter: Letter) -> Outcome:
        """Run the program with a letter; with all that it started it is ended when its time is over."""
        declared = self._declared
        program = declared.command[0]
        line = orjson.dumps(body_of(letter), option=orjson.OPT_APPEND_NEWLINE)
        try:
            process = subprocess.Popen(
                list(declared.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            return NotNow(f"{program}: {error.strerror or error}")
        try:
            process.communicate(line, timeout=declared.timeout_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return NotNow(
                f"{program}: did not end within {declared.timeout_seconds:g} s", may_have_arrived=True
            )
        if process.returncode == 0:
            return Taken()
        return NotNow(f"{program}: ended with {process.returncode}", may_have_arrived=True)
