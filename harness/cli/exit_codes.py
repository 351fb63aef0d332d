"""Which exit code a gate's decision has."""

from __future__ import annotations

from harness.model.protocols import Status

_CODES = {Status.PASS: 0, Status.WARN: 0, Status.FAIL: 1}
_INCONCLUSIVE = 6


def gate_exit_code(status: Status) -> int:
    """Return the exit code of a gate's decision; what is neither passed nor failed is inconclusive."""
    return _CODES.get(status, _INCONCLUSIVE)
