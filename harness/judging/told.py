"""Whether all is known that a stack wrote about itself."""

from __future__ import annotations

from harness.model.facts import AnswersRead, FindingsRead


def why_unread(read: FindingsRead | AnswersRead | None, what: str, *, forgiven: bool = False) -> str:
    """Say why not all is known that a stack wrote; empty where it is.

    Args:
        read: that it was read; None where it was not.
        what: it was, such as `findings`.
        forgiven: whether what could not be read may be half a line, of a process that was killed.
    """
    if read is None:
        return f"The stack's {what} were not read to their end."
    if read.unread:
        return f"The stack's {what} could not be read: {read.unread}."
    if read.unreadable and not forgiven:
        return f"{read.unreadable:,} lines are no {what}: {read.example}."
    return ""
