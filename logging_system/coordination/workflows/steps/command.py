"""Runs a program of yours."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from pydantic import Field, model_validator

from logging_system.coordination.finding_content import content_of
from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import DeclaredStep, EffectError, Occasion
from logging_system.coordination.workflows.steps.programs import ProgramError

_Words = tuple[Annotated[str, Field(min_length=1)], ...]
KEY_VARIABLE = "LOGGING_SYSTEM_STEP_KEY"
TOKEN_VARIABLE = "LOGGING_SYSTEM_FENCING_TOKEN"  # noqa: S105 - a name


class Command(DeclaredStep):
    """Runs a program with the finding on its standard input; it is done when it ends with 0.

    The environment variables LOGGING_SYSTEM_STEP_KEY and LOGGING_SYSTEM_FENCING_TOKEN say the idempotency key
    and the fencing token. Undone: `undo` is run.
    """

    kind: Literal["command"] = Field("command", description="The kind.")
    command: _Words = Field(min_length=1, description="Program and arguments, as a list.")
    undo_command: _Words = Field((), description="What undoes it; without it nothing does.")
    check_command: _Words = Field(
        (),
        description="What says whether the key was done: it ends with 0 for yes, 1 for no. Without it a "
        "person is asked after a crash.",
    )
    local_and_idempotent: bool = Field(
        False,
        description="Whether it changes this machine only, and running it twice is running it once. Then it "
        "needs no lead, and is run again after a crash.",
    )
    touches_names: tuple[str, ...] = Field(
        (), description="What it changes, by names of yours: two runs with the same name never run at once."
    )

    @model_validator(mode="after")
    def _is_of_one_mind(self) -> Command:
        if self.local_and_idempotent and self.check_command:
            raise ValueError("check_command is never asked where local_and_idempotent is true; give one")
        return self

    @property
    def is_local(self) -> bool:
        """Return what the file says."""
        return self.local_and_idempotent

    @property
    def is_undoable(self) -> bool:
        """Return whether there is a program for it."""
        return bool(self.undo_command)

    def says(self, finding: Finding) -> str:
        """Say which program."""
        del finding
        return f"run {' '.join(self.command)}"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Name what the file says."""
        del finding
        return tuple(f"name:{each}" for each in self.touches_names)

    def do(self, occasion: Occasion) -> None:
        """Run the program."""
        self._run(self.command, occasion)

    def was_done(self, occasion: Occasion) -> bool | None:
        """Return what `check_command` says; None without one, and where it ends with neither 0 nor 1."""
        if not self.check_command:
            return None
        code = _exit_code(self.check_command, occasion, self.timeout_seconds)
        return {0: True, 1: False}.get(code)

    def undo(self, occasion: Occasion) -> None:
        """Run the program that undoes it."""
        if self.undo_command:
            self._run(self.undo_command, occasion)

    def _run(self, words: tuple[str, ...], occasion: Occasion) -> None:
        code = _exit_code(words, occasion, self.timeout_seconds)
        if code:
            raise EffectError(f"{words[0]}: ended with {code}", may_have_happened=code < 0)


def _exit_code(words: tuple[str, ...], occasion: Occasion, timeout_seconds: float) -> int:
    line = orjson.dumps(content_of(occasion.finding), option=orjson.OPT_APPEND_NEWLINE)
    variables = {KEY_VARIABLE: occasion.key, TOKEN_VARIABLE: str(occasion.token)}
    try:
        return occasion.effects.run_program(words, line, variables, timeout_seconds)
    except ProgramError as error:
        raise EffectError(str(error), may_have_happened=error.has_begun) from error
