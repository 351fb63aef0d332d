"""`noop`: changes nothing. The smallest toxic there is, and the one to copy when adding another."""

from __future__ import annotations

from dataclasses import dataclass

from harness.programs.tcp_proxy.toxics.stage import Kind


@dataclass(frozen=True, slots=True)
class Noop(Kind):
    """Bytes pass as they came."""
