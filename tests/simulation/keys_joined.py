"""From a writer's log call to the store with all that lies between sealed: keys, spool and delivery machine.

`python -m tests.simulation.keys_joined --seeds 1000 --first 0`. As `joined.py`, and keys are rotated, out of
reach and forked as in `keys.py`; beside what is promised there, no canary goes over the wire in the clear.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping

from logging_system.delivery.machine import LookUp, Send
from logging_system.delivery.outcomes import LookUpOutcome, SendOutcome
from tests.simulation.__main__ import main
from tests.simulation.joined import DiskSpool, Joined
from tests.simulation.keyed_process import KeyParts
from tests.simulation.keys_steps import key_setting, keyed_steps
from tests.simulation.keys_world import CARD, KeyedWorld
from tests.simulation.spool_world import BrokenPromiseError, WriterSeat
from tests.simulation.store import LARGE_BYTES

_BLOCK_BYTES_MAX = 30_000
"""What the largest block holds: sixty documents, each with a sealed field."""


class SealedSpool(KeyedWorld, DiskSpool):
    """Writers whose blocks are sealed on a simulated disk, and the shipper's end of their folder."""

    def heal(self) -> None:
        """Let nothing befall anybody from now on; the server answers again."""
        super().heal()
        self._server.trouble, self._server.troubled_seconds = "", self._now()
        self._expect_records()

    def judge_end(self, is_kept: Callable[[str], bool], poison: Mapping[str, str]) -> None:
        """Judge what must hold of each record in the end, and of what is sealed."""
        super().judge_end(is_kept, poison)
        if self._broken:
            raise BrokenPromiseError(self._broken)
        self._judge_keys()
        self.close()

    def _document_of(self, seat: WriterSeat) -> bytes:
        before = len(self._kinds)
        document = super()._document_of(seat)
        if len(self._kinds) > before:  # how it is broken is known by its bytes, which are others now
            _, kind = self._kinds.popitem()
            document += b" " * (LARGE_BYTES if kind == "large" else 0)
            self._kinds[document] = kind
        return document


class KeyedJoined(Joined):
    """One seed's run from the writers' log calls to the store."""

    name = "keys joined"
    key_parts = KeyParts()
    read_bytes_over_max = Joined.read_bytes_over_max + _BLOCK_BYTES_MAX
    steps_of = staticmethod(lambda of: (step for step in keyed_steps(of) if step.action != "wait"))

    def open_spool(self, setting: random.Random, poison: dict[str, str]) -> DiskSpool:
        del setting
        keys = key_setting(self.seed)
        self.disk_spool = SealedSpool(self.setting(), self.parts, keys, self.key_parts, poison)
        self.disk_spool.is_kept = self.is_kept
        self.has_ended = False
        return self.disk_spool

    def execute(self, command: Send | LookUp, active: frozenset[str]) -> SendOutcome | LookUpOutcome:
        if any(CARD.encode() in item.document for item in command.items):
            raise BrokenPromiseError("a field that was to be sealed goes to the store in the clear")
        return super().execute(command, active)


if __name__ == "__main__":
    sys.exit(main(simulation_of=KeyedJoined, command="python -m tests.simulation.keys_joined"))
