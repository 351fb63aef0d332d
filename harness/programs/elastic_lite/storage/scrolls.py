"""Open scrolls: which hits each of them has still to give, in the order of the search that opened it."""

from __future__ import annotations

import secrets
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Scroll:
    """One scroll.

    Args:
        point_id: The point in time that keeps its documents; it lives as long as the scroll.
        request: The search that opened it.
        as_int: Whether its totals are plain numbers.
        places: Every hit, as the number of its view and its position.
        given: How many hits have been given.
    """

    point_id: str
    request: Any
    as_int: bool
    places: list[tuple[int, int]]
    given: int = 0

    def take(self, size: int) -> list[tuple[int, int]]:
        """The places of the next page."""
        page = self.places[self.given : self.given + size]
        self.given += len(page)
        return page


class Scrolls:
    """Every open scroll by its id; methods may be called from any thread.

    There are no more of them than points in time, whose number is bounded; one whose point has expired is
    dropped when it is asked for or when others are opened.
    """

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.open: dict[str, Scroll] = {}

    def add(self, scroll: Scroll, alive: frozenset[str]) -> str:
        """Keep a scroll; its id.

        Args:
            scroll: The new one.
            alive: The points in time that are open: scrolls of others are dropped.
        """
        scroll_id = urlsafe_b64encode(secrets.token_bytes(24)).decode()
        with self.guard:
            self.open = {key: it for key, it in self.open.items() if it.point_id in alive}
            self.open[scroll_id] = scroll
        return scroll_id

    def find(self, scroll_id: str) -> Scroll | None:
        """The scroll of an id."""
        with self.guard:
            return self.open.get(scroll_id)

    def drop(self, scroll_id: str) -> Scroll | None:
        """Forget a scroll."""
        with self.guard:
            return self.open.pop(scroll_id, None)

    def ids(self) -> list[str]:
        """The ids of all of them."""
        with self.guard:
            return list(self.open)
