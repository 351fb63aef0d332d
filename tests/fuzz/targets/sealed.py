"""What is sealed: only that opens; everything else is one of two errors, and shows no plaintext."""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

from logging_system.encryption.envelope import SealError
from logging_system.encryption.opening import Opener
from logging_system.encryption.sealing import Sealer
from logging_system.keys.data_keys import DataKeyFolder
from logging_system.keys.key_use import KeyUse
from logging_system.keys.keyring import KeyringFile
from logging_system.keys.providers.file import FileProvider
from logging_system.spool.codec import KeyUnavailableError
from tests.fuzz.target import Target

_PLACE = b"a place"
_PLAIN = (b"", b"secret", b'{"message":"secret"}' * 20)


class _World:
    """A key file and a keyring whose keys are the same every time."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="logquake-fuzz-")
        numbers = itertools.count(1)
        folder = Path(self.folder.name)
        provider = FileProvider(folder / "keys.json", random_bytes=lambda size: bytes([7]) * size)
        provider.create("logs")
        key_use = KeyUse(provider, KeyringFile(folder), "logs")
        sealer = Sealer(key_use, "block", random_bytes=lambda size: bytes([next(numbers)]) * size)
        self.sealed = {sealer.seal(plain, _PLACE): plain for plain in _PLAIN}
        self.opener = Opener(provider, DataKeyFolder(folder), "block")


_world = functools.cache(_World)


def _seeds() -> Sequence[bytes]:
    return tuple(_world().sealed)


def _check(body: bytes) -> bool:
    world = _world()
    try:
        opened = world.opener.open(body, _PLACE)
    except (SealError, KeyUnavailableError) as error:
        assert "secret" not in f"{error} {error!r}"
        return False
    assert world.sealed[body] == opened
    return True


SEALED = Target(
    "sealed",
    _seeds,
    _check,
    words=(b"logs", b"\x01\x01\x04logs", b"\x02" * 16, bytes(12), b"\xff"),
)
