"""Who does a shared step: a document for each, made once by whoever does it, so that no other does it too.

The lead alone is not enough: one that lost it may have done a step, and not have lived to say so, while its
successor has the same finding. The claim is made before the effect, and settled after it.

Claims do not stay for ever. Once a finding began longer ago than `SHARED_SECONDS_MAX`, no engine does a
shared step for it any more; `KEPT_SECONDS` after its beginning the claims of its steps are removed. Between
these lies more than clocks differ by.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from logging_system.coordination.lease import SharedDocuments, StoreUnavailableError

SHARED_SECONDS_MAX = 30 * 86_400.0
"""More than a run can last: a week as a proposal, a day each for steps, holding, doubts and undoing."""
KEPT_SECONDS = 2 * SHARED_SECONDS_MAX
_CLAIMED, _DONE, _FREE = "claimed", "done", "free"


class Claim(StrEnum):
    """What became of asking for a step."""

    MINE = "mine"
    DONE = "done"
    """Another engine has done it."""
    OTHERS = "others"
    """Another engine has claimed it, and has not said what became of it."""


def step_key(workflow: str, finding_id: str, number: int, place: int, *, undoes: bool) -> str:
    """Return the idempotency key of a step: the same on every engine that has the same finding.

    Args:
        workflow: Name of the workflow.
        finding_id: The finding.
        number: How many runs of the workflow there were for it before.
        place: Which step.
        undoes: Whether it is about undoing it.
    """
    run = hashlib.sha256(f"{workflow}\0{finding_id}\0{number}".encode()).hexdigest()[:32]
    return f"{run}-{place}{'-undo' if undoes else ''}"


class Claims:
    """Claims steps.

    Args:
        documents: The store.
        owner: Who this is.
    """

    def __init__(self, documents: SharedDocuments, owner: str) -> None:
        self._documents, self._owner = documents, owner

    def take(self, key: str, token: int, until_seconds: float) -> Claim:
        """Claim a step.

        Args:
            key: Its idempotency key.
            token: The fencing token.
            until_seconds: When nobody can ask for it any more, seconds since 1970.

        Returns:
            `MINE` where this engine is to do it: nobody had claimed it, somebody gave it back, or it is this
            engine's from before. `OTHERS` also where a newer lead has claimed it.

        Raises:
            StoreUnavailableError: It may be claimed or not; it was not done by whoever asks.
        """
        content: dict[str, object] = {
            "key": key,
            "owner": self._owner,
            "token": token,
            "state": _CLAIMED,
            "until_seconds": until_seconds,
        }
        if self._documents.create(key, content):
            return Claim.MINE
        stored = self._documents.read(key)
        if stored is None:
            raise StoreUnavailableError("a claim was there, and is not")
        state = stored.content.get("state")
        if state == _DONE:
            return Claim.DONE
        before = stored.content.get("token")
        if isinstance(before, int) and before > token:
            return Claim.OTHERS  # this engine has been overtaken
        if stored.content.get("owner") == self._owner or state == _FREE:
            return Claim.MINE if self._documents.replace(key, content, stored) else Claim.OTHERS
        return Claim.OTHERS

    def settle(self, key: str, *, was_done: bool) -> None:
        """Say what became of a step that this engine had claimed; one of another engine is left alone.

        Args:
            key: Its idempotency key.
            was_done: Whether it was done; otherwise whoever asks next may do it.

        Raises:
            StoreUnavailableError: It may be said or not.
        """
        stored = self._documents.read(key)
        if stored is None or stored.content.get("owner") != self._owner:
            return
        state = _DONE if was_done else _FREE
        if stored.content.get("state") != state:
            self._documents.replace(key, {**stored.content, "state": state}, stored)
