"""What comes back of a state after it was saved."""

from __future__ import annotations

from typing import Any

from logging_system.alerting.state_file import decode_state, encode_state


def saved_and_read(content: dict[str, Any]) -> Any:
    """Return content as the next start reads it."""
    return decode_state(b"".join(encode_state(content)))
