"""Learns what a system usually logs, finds what changed, runs workflows, and learns which of them help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging_system.coordination.engine import AICoordinationEngine

__all__ = ["AICoordinationEngine"]


def __getattr__(name: str) -> Any:
    # Late: who takes a finding alone should not pay for settings, steps and the store's client.
    if name == "AICoordinationEngine":
        from logging_system.coordination.engine import AICoordinationEngine

        return AICoordinationEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
