"""What every step declares, and what the step of every kind does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.programs import run_program
from logging_system.spool.disk import REAL_DISK, Disk

SUBJECT = "{subject}"
STEP_SECONDS_MAX = 30.0
ORDER_SECONDS = 3600.0
ORDER_SECONDS_MAX = 86_400.0


class EffectError(Exception):
    """A step did not do what it should.

    Attributes:
        may_have_happened: Whether its effect may be there all the same.
    """

    def __init__(self, what: str, *, may_have_happened: bool = False) -> None:
        super().__init__(what)
        self.may_have_happened = may_have_happened


class KeyRotation(Protocol):
    """Rotates the key that seals records."""

    def version(self) -> int:
        """Return the number of the newest version that there is, or that a rotation leads to.

        Raises:
            EffectError: It cannot be said.
        """

    def rotate(self) -> None:
        """Begin a rotation, and take it as far as it goes in bounded time.

        Raises:
            EffectError: It could not be begun.
        """


Alerting = Callable[[Finding, str, str], None]
"""Sends a finding with a text under a key to people; raises `EffectError`."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What steps need of rooms above this one; what is None is not there, and a step that needs it fails.

    Attributes:
        alert: Tells people.
        keys: Rotates the key.
        template_text: Returns the text of a template by its id; None where it is not known.
        run_program: Runs a program; raises `ProgramError`.
    """

    alert: Alerting | None = None
    keys: KeyRotation | None = None
    template_text: Callable[[str], str | None] = field(default=lambda _template_id: None)
    run_program: Callable[[Sequence[str], bytes, Mapping[str, str], float], int] = run_program


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a step is run for.

    Attributes:
        run_id: The run.
        key: Its idempotency key: the same for the same step of the same run, whoever does it.
        token: The fencing token of the lead; 0 for a local step.
        finding: What it is about.
        now_seconds: Seconds since 1970.
        spool: The spool folder.
        folder: The folder of coordination in it.
        effects: What is needed of other rooms.
        memo: What was noted before the effect.
        disk: The system calls.
    """

    run_id: str
    key: str
    token: int
    finding: Finding
    now_seconds: float
    spool: Path
    folder: Path
    effects: Effects
    memo: Mapping[str, Any] = field(default_factory=dict)
    disk: Disk = REAL_DISK


class DeclaredStep(BaseModel):
    """What a step of any kind may say, and how it is done, checked and undone.

    A local step changes nothing but this spool folder and what reads it, and doing it twice is doing it once:
    after a crash it is done again. A shared one is done by the one engine that leads, and after a crash it is
    asked whether it was done.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    can_be_undone: ClassVar[bool] = False
    """Whether `undo` does something."""

    kind: str
    timeout_seconds: float = Field(
        10.0, gt=0, le=STEP_SECONDS_MAX, description="Longest time for its request or program."
    )
    may_fail: bool = Field(
        False, description="Whether the workflow goes on where the step was not done; it fails otherwise."
    )

    @property
    def is_local(self) -> bool:
        """Whether it is local and idempotent."""
        return True

    @property
    def is_undoable(self) -> bool:
        """Whether `undo` does something as it is declared."""
        return self.can_be_undone

    def says(self, finding: Finding) -> str:
        """Return in a sentence without its full stop what the step does for a finding."""
        raise NotImplementedError

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return what the step changes: `kind:name`; two runs that touch the same never run at once."""
        del finding
        return ()

    def trouble(self, finding: Finding) -> str:
        """Return why the step cannot be done for a finding; empty where it can."""
        del finding
        return ""

    def before(self, occasion: Occasion) -> dict[str, Any]:
        """Return what is to be known of the time before the effect; it is durable before the effect is.

        Raises:
            EffectError: It cannot be known.
        """
        del occasion
        return {}

    def do(self, occasion: Occasion) -> None:
        """Do it.

        Raises:
            EffectError: It is not done, or that is not known.
        """
        raise NotImplementedError

    def was_done(self, occasion: Occasion) -> bool | None:
        """Return whether it was done; None where nobody can tell.

        Raises:
            EffectError: It cannot be asked now.
        """
        del occasion
        return None

    def undo(self, occasion: Occasion) -> None:
        """Undo it; raises as `do`."""
        del occasion

    def was_undone(self, occasion: Occasion) -> bool | None:
        """Return whether it was undone; raises as `was_done`."""
        del occasion
        return None


def filled(text: str, finding: Finding) -> str:
    """Return a text of a declaration with `{subject}` replaced."""
    return text.replace(SUBJECT, finding.subject)
