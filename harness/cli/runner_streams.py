"""Standard streams that a GitHub Actions runner reads: it obeys no command that stands in what we quote.

A stack's log, a counterexample or a file's title may hold `::add-mask::` or `##[group]`. Whatever goes to a
stream of the runner's is disarmed on its way; only `instruct` gives commands.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterable
from typing import Any, TextIO, cast

from harness.reporting.workflow_commands import Disarming


class DisarmedStream:
    """A text stream in which no command of a runner's is left; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        """Take the stream that a runner reads."""
        self.runner = stream
        self._disarming = Disarming()
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Write a text, disarmed; return how many characters of it were taken."""
        with self._lock:
            self.runner.write(self._disarming.text(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, each disarmed."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.runner, name)


def disarm_streams() -> None:
    """Disarm standard output and standard error where a runner reads them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if is_read_by_a_runner(stream) and not isinstance(stream, DisarmedStream):
            setattr(sys, name, cast(TextIO, DisarmedStream(stream)))


def is_read_by_a_runner(stream: TextIO | None) -> bool:
    """Tell whether this is a step of GitHub Actions, and the stream does not lead into a file."""
    if stream is None or os.environ.get("GITHUB_ACTIONS", "").lower() != "true":
        return False
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return True


def instruct(commands: Iterable[str]) -> None:
    """Give commands to the runner, one a line.

    Raises:
        OSError: standard output cannot be written.
    """
    stream: object = sys.stdout
    if isinstance(stream, DisarmedStream):
        # A line of its own: what was printed before may not have ended one.
        stream.runner.write("".join(f"\n{one}" for one in commands) + "\n")
        stream.runner.flush()
