"""The Locust files of a run: our own user, or those of a file that the user wrote."""

from __future__ import annotations

from urllib.parse import urlsplit

import locust  # before all that opens connections: it replaces what blocks in the standard library
from locust.util.load_locustfile import load_locustfile

from harness.load.locust.sending import send
from harness.model.declarations import Part


class Poster(locust.User):
    """Posts its records to the stack's intake, each when it is due."""

    @locust.task
    def post(self) -> None:
        """Send the next record."""
        send(self)


def user_classes(file: str) -> list[type[locust.User]]:
    """Return the users to spawn: those of a Locust file, or our own where there is none."""
    if not file:
        return [Poster]
    classes, _ = load_locustfile(file)
    return list(classes.values())


def host_of(intake: Part) -> str:
    """Return where the users of a Locust file send what is theirs: to the host of the stack's intake."""
    parts = urlsplit(str(intake.arguments.get("url", "")))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
