"""What the control API answers when it cannot do what it was asked."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal and its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
