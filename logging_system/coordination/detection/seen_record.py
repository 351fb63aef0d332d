"""What the judgements look at of a record."""

from __future__ import annotations

from typing import NamedTuple

ERROR_LEVEL = 40
CRITICAL_LEVEL = 50
MESSAGE_CHARACTERS_MAX = 2_000


class SeenRecord(NamedTuple):
    """A record, as far as it matters.

    Attributes:
        seconds: Event time, seconds since 1970.
        level: As `logging` numbers them; 0 where it says none.
        namespace: The namespace it belongs to; empty where there is one only.
        service: The service that logged it.
        logger: The logger.
        message: The beginning of the message, at most 2,000 characters: some records are kept as examples.
        timestamp: Its time as it is written, whose digits tell equal records apart.
        duration_ms: How long something took that it tells of; None where it tells of none.
        weight: For how many records it stands, where only some are read.
    """

    seconds: float
    level: int
    namespace: str
    service: str
    logger: str
    message: str
    timestamp: str = ""
    duration_ms: float | None = None
    weight: int = 1

    @property
    def line(self) -> str:
        """The record on one line."""
        return f"{self.timestamp} {self.logger} {self.message}".strip()
