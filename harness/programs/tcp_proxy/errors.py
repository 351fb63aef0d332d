"""What the API answers when it cannot do what it was asked."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal with the HTTP status that Toxiproxy gives it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def document(self) -> dict[str, object]:
        """The error as Toxiproxy writes it: `{"error": …, "status": …}`."""
        return {"error": self.message, "status": self.status}


def bad_request(reason: str) -> ApiError:
    """A body that cannot be understood (400)."""
    return ApiError(400, f"bad request body: {reason}")


def missing_field(field: str) -> ApiError:
    """A required field is absent or empty (400)."""
    return ApiError(400, f"missing required field: {field}")
