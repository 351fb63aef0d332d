"""What webhook receivers want a message to look like: each format is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from logging_system.alerting.channels.webhook_formats import alertmanager, generic, pagerduty, slack, teams
from logging_system.alerting.messages import Letter

Format = Literal["generic", "alertmanager", "slack", "teams", "pagerduty"]
Bodies = Callable[[Letter], list[dict[str, Any]]]
"""The bodies to post for a letter, in order; most receivers want one."""

FORMATS: Mapping[Format, Bodies] = {
    "generic": lambda letter: [generic.body_of(letter)],
    "alertmanager": lambda letter: [alertmanager.body_of(letter)],
    "slack": lambda letter: [slack.body_of(letter)],
    "teams": lambda letter: [teams.body_of(letter)],
    "pagerduty": pagerduty.bodies_of,
}
