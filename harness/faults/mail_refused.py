"""The mail server refuses every recipient: greylisting, a full queue, a policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import MailRefusing


@dataclass(frozen=True)
class MailRefused:
    """Every recipient of every mail is refused for a while, with one code.

    By such a code a mail server asks to try again later, so nothing that was to be said is lost.

    Args:
        code: the SMTP code of the refusal, from 400 to 499.
    """

    code: int = 451
    needs: ClassVar[type] = MailRefusing

    def __post_init__(self) -> None:
        """Refuse what is no passing refusal.

        Raises:
            ScenarioError: the code is out of range.
        """
        if not 400 <= self.code <= 499:
            raise ScenarioError(f"code {self.code} asks for no second try; write one from 400 to 499")

    def undo(self, target: MailRefusing) -> Undo:
        """Name the server."""
        return target.undo_refuse_mail()

    def inject(self, target: MailRefusing, rng: Random) -> AbstractContextManager[None]:
        """Refuse, and take mail again on exit."""
        return self._injected(target)

    def evidence(self, target: MailRefusing) -> tuple[bool, str]:
        """Try to send to a recipient of our own."""
        seen = target.mail_answer()
        said = f"a recipient is answered {seen}" if seen else "the mail server does not answer"
        return seen == self.code, said

    @contextmanager
    def _injected(self, target: MailRefusing) -> Iterator[None]:
        target.refuse_mail(self.code)
        try:
            yield
        finally:
            target.accept_mail()
