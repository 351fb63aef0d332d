"""Plug-ins that misbehave in one way each, named by scenarios through their dotted path."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.capabilities import Killable, Severable


@dataclass(frozen=True)
class Harmless:
    """A fault that does nothing and says it landed."""

    needs: ClassVar[type] = Killable

    def undo(self, target: Any) -> Undo:
        return Undo("restart_process", {"process": "elasticsearch"})

    @contextmanager
    def inject(self, target: Any, rng: Random) -> Iterator[None]:
        yield

    def evidence(self, target: Any) -> tuple[bool, str]:
        return True, "seen"


@dataclass(frozen=True)
class InjectionRaises(Harmless):
    """Breaks where it should hurt."""

    @contextmanager
    def inject(self, target: Any, rng: Random) -> Iterator[None]:
        raise RuntimeError("it could not be injected")
        yield  # type: ignore[unreachable]  # makes it a generator


@dataclass(frozen=True)
class UndoRaises(Harmless):
    """Cannot be taken back; `known` says whether heal knows its undo."""

    known: bool = True

    def undo(self, target: Any) -> Undo:
        return Undo("restart_process" if self.known else "close_the_valve", {"process": "elasticsearch"})

    @contextmanager
    def inject(self, target: Any, rng: Random) -> Iterator[None]:
        try:
            yield
        finally:
            raise FaultError("it could not be taken back")


@dataclass(frozen=True)
class Unseen(Harmless):
    """Leaves no trace."""

    def evidence(self, target: Any) -> tuple[bool, str]:
        return False, "nothing"


@dataclass(frozen=True)
class UnseenOnALink(Unseen):
    """Leaves no trace on a link."""

    needs: ClassVar[type] = Severable


@dataclass(frozen=True)
class SlowlySeen(UnseenOnALink):
    """Is looked at for longer than a run takes."""

    def evidence(self, target: Any) -> tuple[bool, str]:
        time.sleep(30.0)
        return True, "seen too late"


@dataclass(frozen=True)
class NoRecords:
    """A schedule without a record."""

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        return []
