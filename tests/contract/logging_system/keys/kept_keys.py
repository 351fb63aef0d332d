"""The providers that the contract is tried on: one function each, and its line in `PROVIDERS`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from logging_system.keys.provider import KeyProvider
from logging_system.keys.providers.file import FileProvider


@dataclass(frozen=True)
class KeptKeys:
    """Keys at one provider, as the contract uses them.

    Attributes:
        open: Returns a client of its own, as another process would have it.
        take_away: Makes the provider give no answer (stopped, unplugged, gone).
        bring_back: Makes it answer again.
    """

    open: Callable[[], KeyProvider]
    take_away: Callable[[], None]
    bring_back: Callable[[], None]


@contextlib.contextmanager
def file(folder: Path) -> Iterator[KeptKeys]:
    """Keys in a file whose folder can be taken away."""
    place, hidden = folder / "etc", folder / "hidden"

    def take_away() -> None:
        place.rename(hidden)
        place.write_text("a file where the folder was")

    def bring_back() -> None:
        place.unlink()
        hidden.rename(place)

    yield KeptKeys(lambda: FileProvider(place / "keys.json"), take_away, bring_back)


PROVIDERS: Mapping[str, Callable[[Path], contextlib.AbstractContextManager[KeptKeys]]] = {
    "file": file,
}
