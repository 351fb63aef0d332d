"""What every channel declares, and what the channel of every kind does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from logging_system.alerting.messages import Letter
from logging_system.alerting.outbox import Outcome

_SECRET_BYTES_MAX = 64 * 1024
_OTHERS_READ = 0o077
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,49}$"


class Sender(Protocol):
    """Takes letters to one receiver; used by one thread."""

    def send(self, letter: Letter) -> Outcome:
        """Send a letter once, bounded in time.

        Returns:
            What became of it: what goes wrong is an outcome, never an exception.
        """


class SecretError(ValueError):
    """A secret cannot be read; the message names its place, never its value."""


class Secret(BaseModel):
    """Where a secret is: in a file of mode 0600, or in an environment variable; never in this file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    file: Path | None = Field(None, description="File that holds it, mode 0600; read each time.")
    environment: str | None = Field(None, min_length=1, description="Environment variable that holds it.")

    def read(self, environment: Mapping[str, str] = os.environ) -> str:
        """Return the secret, without white space at its ends.

        Args:
            environment: The variables in which one is looked up; not looked at where a file is named.

        Raises:
            SecretError: It is not there, or others can read its file.
        """
        if self.environment is not None:
            found = environment.get(self.environment, "").strip()
            if not found:
                raise SecretError(f"the environment variable {self.environment} is not set")
            return found
        path = self.file or Path()
        try:
            if path.stat().st_mode & _OTHERS_READ:
                raise SecretError(f"{path}: other users can read it; chmod 600 it")
            with path.open("rb") as file:
                found = file.read(_SECRET_BYTES_MAX).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SecretError(f"{path}: {reason}; name a file that this user can read") from None
        if not found:
            raise SecretError(f"{path}: is empty")
        return found


def _one_place(secret: Secret) -> Secret:
    if (secret.file is None) == (secret.environment is None):
        raise ValueError("name either file or environment")
    return secret


SecretPlace = Annotated[Secret, AfterValidator(_one_place)]


def _header_text(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be on one line, without control characters")
    return text


HeaderText = Annotated[str, AfterValidator(_header_text)]
"""A text that may be put into a header: CR and LF would begin another one."""


class DeclaredChannel(BaseModel):
    """What a channel of any kind may say."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(
        pattern=NAME_PATTERN, description="Name of the channel: lower case letters, digits and `_`."
    )
    only: dict[str, str] = Field(
        {}, description="Labels that an alert of a message must have for this channel, such as `severity`."
    )
    timeout_seconds: float = Field(10.0, gt=0, le=60, description="Longest time for sending one message.")

    def senders(self) -> Mapping[str, Sender]:
        """Return what sends, by name: one for each receiver that takes or refuses messages by itself.

        Raises:
            ValueError: What is declared cannot be used; the message says why.
        """
        raise NotImplementedError
