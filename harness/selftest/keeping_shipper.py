"""The honest shipper that outlives a close: what it could not send lies in its folder for its successor."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from itertools import count

from harness.selftest.shipper import HonestShipper, Waiting


class KeepingShipper(HonestShipper):
    """Closing writes what waits, the place in the order and the counters to disk; opening reads them."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Go on where the predecessor in that folder ended."""
        self._flying: list[Waiting] = []
        super().__init__(url, index, folder)
        self._kept = self._folder / "kept.json"
        if self._kept.exists():
            state = json.loads(self._kept.read_text())
            self.counters.update(state["counters"])
            self._numbers = count(state["next_number"])
            nobody = logging.makeLogRecord({})
            self.waiting.extend(
                Waiting(number, identity, text, nobody) for number, identity, text in state["waiting"]
            )

    def take(self) -> list[Waiting]:
        """Remember what is on its way: a close may come before its answer."""
        self._flying = super().take()
        return self._flying

    def put_back(self, left: Sequence[Waiting]) -> None:
        """Forget what was on its way once the rest of it waits again."""
        super().put_back(left)
        self._flying = []

    def close(self) -> None:
        """Try for a moment, then keep the rest."""
        super().close()
        left = {each.identity: each for each in (*self.left_at_close(), *self.waiting)}
        state = {
            "next_number": next(self._numbers),
            "counters": self.counters,
            "waiting": [(each.number, each.identity, each.message) for each in left.values()],
        }
        self._kept.write_text(json.dumps(state))

    def left_at_close(self) -> Sequence[Waiting]:
        """Return the batch that was on its way and has no answer yet."""
        return self._flying
