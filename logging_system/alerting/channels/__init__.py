"""The kinds of channels: each a declaration and what sends. One kind is one file and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from logging_system.alerting.channels.apprise import Apprise
from logging_system.alerting.channels.command import Command
from logging_system.alerting.channels.mail import Mail
from logging_system.alerting.channels.standard_error import StandardError
from logging_system.alerting.channels.webhook import Webhook

Channel = Annotated[Apprise | Command | Mail | StandardError | Webhook, Field(discriminator="kind")]
"""What the file may declare as a channel, told apart by `kind`."""
