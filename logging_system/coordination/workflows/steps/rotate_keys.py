"""Rotates the key that seals records."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import (
    DeclaredStep,
    EffectError,
    KeyRotation,
    Occasion,
)


class RotateKeys(DeclaredStep):
    """Takes the key of the setting `encryption` to its next version. A rotation is not undone."""

    kind: Literal["rotate_keys"] = Field("rotate_keys", description="The kind.")

    @property
    def is_local(self) -> bool:
        """Return False: all who read and write have the key."""
        return False

    def says(self, finding: Finding) -> str:
        """Say what is done."""
        del finding
        return "rotate the key that seals records"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return the one name of the key that seals records."""
        del finding
        return ("keys:records",)

    def before(self, occasion: Occasion) -> dict[str, Any]:
        """Return the version before, by which a rotation that was begun is known."""
        return {"version": self._keys(occasion).version()}

    def do(self, occasion: Occasion) -> None:
        """Begin the rotation."""
        self._keys(occasion).rotate()

    def was_done(self, occasion: Occasion) -> bool | None:
        """Return whether there is a newer version than before."""
        return self._keys(occasion).version() > int(occasion.memo.get("version", 0))

    def _keys(self, occasion: Occasion) -> KeyRotation:
        if occasion.effects.keys is None:
            raise EffectError("no key is known here; the setting `encryption` is missing")
        return occasion.effects.keys
