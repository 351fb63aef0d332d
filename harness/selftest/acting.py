"""Two small honest engines that act on what they find, processes beside the honest shipper, and bad ones.

    python -m harness.selftest.acting HABIT FOLDER STORE_URL RECEIVER_URL

Both see the same trouble and name it alike; whoever makes a file of that name first acts on it, once.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.selftest.finding import HonestFinder

_POST_SECONDS = 2.0


class HonestActor(HonestFinder):
    """Acts once on what either of the two finds."""

    def __init__(self, folder: Path, store: str, receiver: str) -> None:
        """Post to a receiver."""
        super().__init__(folder, store)
        self.receiver = receiver

    def write(self, cause: str) -> None:
        """Act on a finding."""
        if self.claim(cause):
            self.post(cause)

    def claim(self, cause: str) -> bool:
        """Tell whether this engine is the one that acts."""
        try:
            (self.folder / f"claim-{cause}").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def post(self, cause: str) -> None:
        """Tell the receiver what to do."""
        body = json.dumps({"finding": {"finding_id": cause}}).encode()
        request = urllib.request.Request(self.receiver, body, {"idempotency-key": self.key(cause)})  # noqa: S310 - a loopback address
        try:
            urllib.request.urlopen(request, timeout=_POST_SECONDS).close()  # noqa: S310
        except (OSError, urllib.error.URLError):
            return

    def key(self, cause: str) -> str:
        """Return what names this action."""
        return f"{cause}-1"


class ActsTwice(HonestActor):
    """Each of the two takes itself for the one that leads."""

    def claim(self, cause: str) -> bool:
        """Act always."""
        return bool(cause)


class NeverActs(HonestActor):
    """Each of the two takes the other for the one that leads."""

    def claim(self, cause: str) -> bool:
        """Act never."""
        return not cause


HABITS: Mapping[str, type[HonestActor]] = {
    kind.__name__: kind for kind in (HonestActor, ActsTwice, NeverActs)
}


def main(arguments: Sequence[str]) -> None:
    """Act with a habit."""
    habit, folder, store, receiver = arguments
    actor = HABITS[habit](Path(folder), store, receiver)
    print('{"ready": true}', flush=True)
    actor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
