"""No nonce seals two things under one key."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "nonce reuse"


class NoncesReused:
    """No nonce seals two things under one key.

    The stack's own command `keys.nonces` lists what it sealed when all has been stored. Two things under one
    key and nonce tell whoever has both what one of them says of the other, and with AES-GCM how to forge
    more. One such nonce is a veto. A copy of the same sealed bytes is no reuse.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "confidentiality"
    unit: ClassVar[str] = "nonces"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._is_listed = charge.nonces

    def lacks(self) -> str:
        """Say that nothing can be listed where the stack has no command for it."""
        return "" if self._is_listed else "the stack declares no keys.nonces"

    def check(self, timeline: Timeline) -> Verdict:
        """Count the nonces that were used more than once."""
        measure = Measure(self.objective, self.dimension, self.unit, 0)
        listed = timeline.nonces_listed
        if listed is None:
            return measure.verdict(Status.INCONCLUSIVE, None, "What is sealed was not listed.")
        of = f"of {count(listed.things, 'sealed thing')} under {count(listed.keys, 'key')}"
        if listed.reused:
            return measure.verdict(
                Status.FAIL,
                listed.reused,
                f"{count(listed.reused, 'nonce')} {of} were used more than once.",
                counterexample=(listed.example,),
                vetoes=(VETO,),
            )
        if listed.unread:
            said = f"What is sealed could not be listed whole: {listed.unread}."
            return measure.verdict(Status.INCONCLUSIVE, None, said)
        if not listed.things:
            return measure.verdict(Status.INCONCLUSIVE, None, "The command keys.nonces listed nothing.")
        return measure.verdict(Status.PASS, 0, f"No nonce {of} was used twice.")
