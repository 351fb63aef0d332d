"""What people wish: silences and acknowledgements, in a file of their own.

Commands change it under its lock; whoever watches reads it whenever it is another one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson

from logging_system.alerting.muting import Silence
from logging_system.keys.durable_files import file_lock, replace_file
from logging_system.spool.disk import REAL_DISK, Identity

NAME = "operator.json"
_KEPT_SECONDS = 7 * 86_400.0
_ACKNOWLEDGED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people wish.

    Attributes:
        silences: Those that run, and those that ran out within a week.
        acknowledged: By fingerprint, when somebody took care of an alert, seconds since 1970.
    """

    silences: tuple[Silence, ...] = ()
    acknowledged: Mapping[str, float] = field(default_factory=dict)


class OperatorFile:
    """The file of a folder of alerting.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._identity: Identity | None = None
        self._wishes = Wishes()

    def read(self) -> Wishes:
        """Return what people wish now; a file that cannot be read leaves what was read before."""
        try:
            identity = REAL_DISK.identity(self._path)
            if identity != self._identity:
                self._wishes = Wishes() if identity is None else _decoded(self._path.read_bytes())
                self._identity = identity
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return self._wishes

    def silence(
        self, matchers: Mapping[str, str], *, now_seconds: float, seconds: float, author: str, comment: str
    ) -> Silence:
        """Add a silence.

        Args:
            matchers: Labels of the alerts, with their values.
            now_seconds: Seconds since 1970.
            seconds: How long it lasts.
            author: Who made it.
            comment: Why.

        Returns:
            The silence, with the id by which it can be ended.

        Raises:
            OSError: The disk refused.
            FileHeldError: Another command holds the file.
        """
        silence = Silence(secrets.token_hex(4), dict(matchers), now_seconds + seconds, author, comment)
        self._change(lambda wishes: replace(wishes, silences=(*wishes.silences, silence)), now_seconds)
        return silence

    def end_silence(self, silence_id: str, now_seconds: float) -> bool:
        """End a silence now. Raises as `silence`.

        Args:
            silence_id: Its id, as `silence` returned it.
            now_seconds: Seconds since 1970.

        Returns:
            Whether it ran until now; False where none with this id does.
        """
        running = [each for each in self.read().silences if each.id == silence_id]
        if not running or running[0].until_seconds <= now_seconds:
            return False
        ended = replace(running[0], until_seconds=now_seconds)
        self._change(
            lambda wishes: replace(
                wishes,
                silences=tuple(ended if each.id == silence_id else each for each in wishes.silences),
            ),
            now_seconds,
        )
        return True

    def acknowledge(self, fingerprint: str, now_seconds: float) -> None:
        """Say that somebody takes care of an alert. Raises as `silence`.

        Args:
            fingerprint: Which alert; nobody asks whether there is one. Of more than 10,000 the latest are
                kept.
            now_seconds: Seconds since 1970; it holds until the alert begins again.
        """
        self._change(
            lambda wishes: replace(wishes, acknowledged={**wishes.acknowledged, fingerprint: now_seconds}),
            now_seconds,
        )

    def _change(self, change: Callable[[Wishes], Wishes], now_seconds: float) -> None:
        with file_lock(self._path):
            self._identity = None
            wishes = change(self.read())
            kept = tuple(each for each in wishes.silences if each.until_seconds > now_seconds - _KEPT_SECONDS)
            latest = sorted(wishes.acknowledged.items(), key=lambda each: each[1])[-_ACKNOWLEDGED_MAX:]
            content = {"silences": [asdict(each) for each in kept], "acknowledged": dict(latest)}
            replace_file(self._path, orjson.dumps(content))
        self.read()


def _decoded(data: bytes) -> Wishes:
    content = orjson.loads(data)
    silences = tuple(Silence(**each) for each in content["silences"])
    acknowledged = {str(mark): float(seconds) for mark, seconds in content["acknowledged"].items()}
    return Wishes(silences, acknowledged)
