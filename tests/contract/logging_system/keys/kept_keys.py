"""The providers that the contract is tried on: one function each, and its line in `PROVIDERS`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from logging_system.keys.providers.file import FileProvider
from tests.contract.logging_system.keys.kept import KeptKeys
from tests.contract.logging_system.keys.kept_by_aws_kms import aws_kms, aws_kms_offline
from tests.contract.logging_system.keys.kept_by_softhsm import pkcs11, pkcs11_offline
from tests.contract.logging_system.keys.kept_by_vault import (
    vault,
    vault_offline,
    vault_transit_lite,
    vault_transit_lite_offline,
)

__all__ = ["PROVIDERS", "KeptKeys"]


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
    "aws_kms": aws_kms,
    "aws_kms, offline": aws_kms_offline,
    "file": file,
    "pkcs11": pkcs11,
    "pkcs11, offline": pkcs11_offline,
    "vault": vault,
    "vault, offline": vault_offline,
    "vault on transit_lite": vault_transit_lite,
    "vault on transit_lite, offline": vault_transit_lite_offline,
}
