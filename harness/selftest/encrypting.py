"""A small honest shipper that seals every message before it keeps or sends it, and careless twins."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.selftest.keeping import KeepingShipper
from harness.selftest.keyring import NONCE_BYTES, Keyring, make_keyring, read_keyring
from harness.selftest.shipper import Waiting

_PLAIN = "plain:"
_FORK_EVERY = 50


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


class ReusesNonces(EncryptingShipper):
    """Counts its nonces, and forks a child for one message in 50, which counts on from the same number."""

    def __init__(self, url: str, index: str, folder: str) -> None:
        """Begin with the first number."""
        self.counting = threading.Lock()
        self.messages = self.nonces = 0
        super().__init__(url, index, folder)

    def sealed(self, text: str) -> str:
        """Seal with the next number for a nonce, in a child now and then."""
        with suppress(OSError, ValueError):
            self.keyring = read_keyring(self.keyring_path)
        if self.keyring is None:
            raise OSError("no key can be had")
        with self.counting:
            self.messages += 1
            if self.messages % _FORK_EVERY == 0:
                return self._in_child(self.keyring, text)
            return self._next(self.keyring, text)

    def _next(self, keyring: Keyring, text: str) -> str:
        self.nonces += 1
        return keyring.seal(text, self.nonces.to_bytes(NONCE_BYTES))

    def _in_child(self, keyring: Keyring, text: str) -> str:
        """Let a forked child seal, and return what it says; what it counts is gone with it."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, self._next(keyring, text).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as said:
            sealed = said.read()
        os.waitpid(child, 0)
        return sealed
