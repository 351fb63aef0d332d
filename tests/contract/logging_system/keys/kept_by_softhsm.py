"""Keys in a token of SoftHSM, which is unplugged by taking its folder away."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pkcs11 as pkcs11_library

from logging_system.keys.providers.pkcs11 import Pkcs11Provider
from logging_system.keys.providers.pkcs11_token import TokenSession
from tests.contract.logging_system.keys.kept import KeptKeys
from tests.key_servers.installed import need_softhsm

PIN = "5678"
LABEL = "logs of these tests"


@functools.cache
def softhsm() -> Path:
    """The folder of the tokens; SoftHSM reads where it is from the environment, once a process."""
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    return folder


def new_token(library: Path) -> Path:
    """The folder of one empty token; searches on a token slow down with what is on it."""
    tokens = softhsm() / "tokens"
    shutil.rmtree(tokens, ignore_errors=True)
    tokens.mkdir()
    command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "1234", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    loaded = pkcs11_library.lib(str(library))
    loaded.finalize()
    loaded.initialize()
    return tokens


def _kept(folder: Path, *, offline: bool) -> Iterator[KeptKeys]:
    library = need_softhsm()
    tokens = new_token(library)
    hidden = tokens.with_name("unplugged")
    pin = folder / "pin"
    pin.touch(0o600)
    pin.write_text(PIN)

    def opened() -> Pkcs11Provider:
        token = TokenSession(library, LABEL, pin)
        # Shorter keys than a setting makes, since each takes a while to find.
        return Pkcs11Provider(token, prefix="test-", offline=offline, rsa_bits=2048)

    try:
        yield KeptKeys(opened, lambda: _rename(tokens, hidden), lambda: _rename(hidden, tokens))
    finally:
        if hidden.exists():
            _rename(hidden, tokens)


def _rename(old: Path, new: Path) -> None:
    old.rename(new)


def _of(*, offline: bool) -> Callable[[Path], contextlib.AbstractContextManager[KeptKeys]]:
    @contextlib.contextmanager
    def kept(folder: Path) -> Iterator[KeptKeys]:
        yield from _kept(folder, offline=offline)

    return kept


pkcs11 = _of(offline=False)
pkcs11_offline = _of(offline=True)
