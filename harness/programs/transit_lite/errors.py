"""What the API answers when it cannot do what it was asked, in Vault's form."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal: `{"errors": […]}` with a status; without a message nothing is there."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def document(self) -> dict[str, object]:
        """The error as Vault writes it."""
        return {"errors": [self.message] if self.message else []}


def bad_request(message: str) -> ApiError:
    """What was asked does not fit what there is (400)."""
    return ApiError(400, message)
