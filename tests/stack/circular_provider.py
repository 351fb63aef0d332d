"""A key provider of one's own: always out of reach, and its exceptions hold the frames they came through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from logging_system.keys.provider import ProviderUnavailableError


class CircularProvider:
    """Answers nothing; only what a reader needs of a provider."""

    name = "circular"

    @classmethod
    def from_arguments(cls, _arguments: Mapping[str, object]) -> CircularProvider:
        return cls()

    def versions(self, _key_id: str) -> NoReturn:
        out_of_reach()

    def unwrap(self, _wrapped: object, _context: bytes) -> NoReturn:
        out_of_reach()

    def close(self) -> None:
        pass


def out_of_reach() -> NoReturn:
    trouble = ProviderUnavailableError("out of reach")
    raise trouble
