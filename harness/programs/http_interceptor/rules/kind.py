"""What a kind of rule is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

import orjson

from harness.programs.http_interceptor.errors import ApiError
from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request, made_up


class Kind(ABC):
    """A way to change exchanges; a frozen dataclass whose fields are its arguments."""

    @property
    def path(self) -> str:
        """Which requests it is for unless the rule says: the last part of their path, or `*` for all."""
        return "_bulk"

    @abstractmethod
    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Answer a request, with or without taking it onward.

        Args:
            request: the whole request.
            onward: takes a request to the next rule, and in the end to the store.
            rng: chance of this request alone, from the rule's seed.
            note: adds to one of the rule's counters.
        """


def require(condition: bool, message: str) -> None:
    """Refuse an argument.

    Raises:
        ApiError: the condition does not hold (400).
    """
    if not condition:
        raise ApiError(400, message)


def refused(status: int, reason: bytes, kind: str, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an error of the whole request in the form that Elasticsearch gives it."""
    cause = {"type": kind, "reason": text}
    body = orjson.dumps({"error": {"root_cause": [cause], **cause}, "status": status})
    return made_up(status, reason, b"application/json", body, *headers)
