"""A small honest shipper that seals every message before it keeps or sends it, and a careless twin."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.selftest.keeping import KeepingShipper
from harness.selftest.keyring import Keyring, make_keyring, read_keyring
from harness.selftest.shipper import Waiting

_PLAIN = "plain:"


class EncryptingShipper(KeepingShipper):
    """Goes on with the key that it has where the keyring is out of reach; without any, it takes nothing."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Make the keyring beside the folder on the first start."""
        self.keyring_path = Path(folder).parent / "keys" / "keyring.json"
        self.keyring: Keyring | None = None
        make_keyring(self.keyring_path)
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Take a record, sealed; raises OSError where there is no key."""
        super().accept(replace(waiting, message=self.sealed(waiting.message)))

    def sealed(self, text: str) -> str:
        """Return what is kept of a message."""
        with suppress(OSError, ValueError):
            self.keyring = read_keyring(self.keyring_path)
        if self.keyring is None:
            raise OSError("no key can be had")
        return self.keyring.seal(text)

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Return the document with the sealed message in the place of the message."""
        document = dict(super().document(waiting))
        message = document.pop("message")
        if message.startswith(_PLAIN):
            return {**document, "message": message.removeprefix(_PLAIN)}
        return {**document, "sealed": message}


class FallsOpen(EncryptingShipper):
    """Where no key can be had it stores the message all the same, so that no record is lost."""

    def sealed(self, text: str) -> str:
        """Seal where that is possible."""
        try:
            return read_keyring(self.keyring_path).seal(text)
        except (OSError, ValueError):
            return f"{_PLAIN}{text}"
