"""Which writers' processes died: seen to live here before, gone now, without saying that they ended."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

DIED_SECONDS = 10.0
"""So long a death is told."""
_PROC = Path("/proc")


class WriterProcesses:
    """The processes behind the epochs of a spool folder, as far as they run on this machine.

    Args:
        proc: Where the system shows its processes.
    """

    def __init__(self, proc: Path = _PROC) -> None:
        self._proc = proc
        self._alive: set[str] = set()
        self._died: dict[str, float] = {}

    def gone(self) -> frozenset[str]:
        """Return the epochs that lived at the last look and whose process is gone now."""
        return frozenset(epoch for epoch in self._alive if not _lives(self._proc, _process_of(epoch)))

    def look(self, open_epochs: Iterable[str], gone: frozenset[str], now_seconds: float) -> int:
        """Return how many writers died within the last 10 s.

        Args:
            open_epochs: The epochs, 32 hexadecimal digits each, that have not said that they ended; read
                after `gone`, since a process says so before it is gone, however long reading takes.
            gone: What `gone` returned before.
            now_seconds: Seconds since 1970.
        """
        open_now = set(open_epochs)
        self._died.update(dict.fromkeys(gone & open_now, now_seconds))
        lives = {epoch for epoch in open_now - self._alive if _lives(self._proc, _process_of(epoch))}
        self._alive = ((self._alive & open_now) | lives) - gone
        self._died = {
            epoch: seconds
            for epoch, seconds in self._died.items()
            if epoch in open_now and abs(now_seconds - seconds) <= DIED_SECONDS
        }
        return len(self._died)


def _process_of(epoch: str) -> int:
    """Return the process that an epoch names; see `new_epoch`."""
    _, process_id = struct.unpack_from(">II", bytes.fromhex(epoch))
    return int(process_id)


def _lives(proc: Path, process_id: int) -> bool:
    try:
        content = (proc / str(process_id) / "stat").read_text(errors="replace")
    except OSError:
        return False
    # After the name, which may hold anything: a process that nobody has waited for yet is dead.
    return content.rpartition(")")[2].strip()[:1] not in {"Z", "X", ""}
