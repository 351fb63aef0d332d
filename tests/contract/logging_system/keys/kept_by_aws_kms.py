"""Keys in AWS KMS, as local-kms answers for it."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

from harness.processes.ports import free_port
from logging_system.keys.providers.aws_answers import AwsKms, AwsLogin
from logging_system.keys.providers.aws_kms import AwsKmsProvider
from logging_system.keys.providers.key_server import KeyServer
from tests.contract.logging_system.keys.kept import KeptKeys
from tests.key_servers.installed import need_server
from tests.key_servers.process import KeyServerProcess

REGION = "eu-west-2"
TIMEOUT_SECONDS = 30.0
CREDENTIALS = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = canary-of-the-secret\n"


@functools.cache
def local_kms() -> KeyServerProcess:
    """local-kms, started once."""
    program, port = need_server("local-kms"), free_port()
    folder = tempfile.TemporaryDirectory(prefix="local-kms-")
    server = KeyServerProcess([str(program), f"127.0.0.1:{port}", folder.name, REGION], port, {})
    server.folder = folder  # type: ignore[attr-defined]  # goes with the server
    server.start()
    return server


def _kept(folder: Path, *, offline: bool) -> Iterator[KeptKeys]:
    server = local_kms()
    credentials = folder / "credentials"
    credentials.touch(0o600)
    credentials.write_text(CREDENTIALS)
    prefix = f"t{uuid4().hex[:8]}/"

    def opened() -> AwsKmsProvider:
        at = KeyServer(server.url, timeout_seconds=TIMEOUT_SECONDS)
        kms = AwsKms(at, REGION, AwsLogin(credentials))
        # Shorter keys than a setting makes, since each takes a while to find.
        return AwsKmsProvider(kms, prefix=prefix, offline=offline, rsa_bits=2048)

    taken = False

    def take_away() -> None:
        nonlocal taken
        taken = True
        server.kill()

    def bring_back() -> None:
        nonlocal taken
        taken = False
        server.start()

    try:
        yield KeptKeys(opened, take_away, bring_back)
    finally:
        if taken:
            server.start()


def _of(*, offline: bool) -> Callable[[Path], contextlib.AbstractContextManager[KeptKeys]]:
    @contextlib.contextmanager
    def kept(folder: Path) -> Iterator[KeptKeys]:
        yield from _kept(folder, offline=offline)

    return kept


aws_kms = _of(offline=False)
aws_kms_offline = _of(offline=True)
