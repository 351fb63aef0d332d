"""Keys at one provider, as the contract uses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logging_system.keys.provider import KeyProvider


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
