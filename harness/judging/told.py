"""Whether all is known that a stack told of itself."""

from __future__ import annotations

from harness.model.facts import ReadToEnd


def why_unread(read: ReadToEnd | None, what: str, *, pieces: str = "lines", forgiven: bool = False) -> str:
    """Say why not all is known that a stack told of itself; empty where it is.

    Args:
        read: that it was read; None where it was not.
        what: it was, such as `findings`.
        pieces: what it was read from.
        forgiven: whether what could not be read may be half a line, of a process that was killed.
    """
    if read is None:
        return f"The stack's {what} were not read to their end."
    if read.unread:
        return f"The stack's {what} could not be read: {read.unread}."
    if read.unreadable and not forgiven:
        return f"{read.unreadable:,} {pieces} are no {what}: {read.example}."
    return ""
