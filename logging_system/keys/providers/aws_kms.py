"""Keys in AWS KMS, over plain HTTP with our own signature: the SDK is many times the size of what is needed.

KMS shows no versions that could be retired or destroyed one by one. So each version is a KMS key of its own,
found by its alias:

| here | there |
| --- | --- |
| key "logs.shop", version 2 | key with the alias `alias/<prefix>logs/shop/V2`, symmetric or RSA_3072 |
| context | encryption context; of an RSA key: its SHA-256 beside the data key |
| retired version | disabled |
| destroyed version | deletion scheduled, its alias leads to a disabled key, `alias/<prefix>GRAVE/…` |
| destroyed key | its newest version is destroyed, so no id is used again |
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import load_der_public_key

from logging_system.keys.offline import unpack_rsa, wrap_invalid, wrap_offline
from logging_system.keys.provider import (
    DATA_KEY_BYTES,
    FORM_PROVIDER,
    FORM_RSA,
    KEY_ID,
    KeyRetiredError,
    KeyVersions,
    ProviderUnavailableError,
    PublicKey,
    WrappedKey,
    checked_key_id,
)
from logging_system.keys.providers.arguments import (
    SERVER_KEYS,
    flag_argument,
    path_argument,
    refuse_unknown,
    server_argument,
    text_argument,
)
from logging_system.keys.providers.aws_answers import AwsKms, AwsLogin, AwsSaysNoError
from logging_system.keys.providers.version_errors import VersionState, destroyed, missing
from logging_system.keys.secret import Secret

VERSIONS_MAX = 10_000
DELETION_DAYS = 7
_GRAVE = "logging_system: stands for keys that were destroyed"
_KEYS = SERVER_KEYS | {"region", "credentials_file", "profile", "prefix", "offline"}
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_PREFIX = re.compile(r"[A-Za-z0-9_\-/]{0,64}")
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_OAEP = "RSAES_OAEP_SHA_256"


@dataclass(frozen=True, slots=True)
class _AwsKey:
    """The KMS key of one version."""

    arn: str
    state: str
    spec: str
    is_grave: bool

    @property
    def is_destroyed(self) -> bool:
        return self.is_grave or self.state in {"PendingDeletion", "PendingReplicaDeletion"}

    @property
    def is_live(self) -> bool:
        return self.state == "Enabled" and not self.is_grave


class AwsKmsProvider:
    """KMS of one account and region.

    Args:
        kms: What is asked.
        prefix: Begins each alias after `alias/`, so that several systems share an account.
        offline: Whether new keys are RSA, which writers can wrap with while KMS is away.
        rsa_bits: How long those are.
    """

    name = "aws_kms"

    def __init__(self, kms: AwsKms, *, prefix: str = "", offline: bool = False, rsa_bits: int = 3072) -> None:
        self._kms = kms
        self._prefix = prefix
        self._new_spec = f"RSA_{rsa_bits}" if offline else _SYMMETRIC
        self._newest_seen: dict[str, int] = {}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, object]) -> AwsKmsProvider:
        """Return the provider of a setting's other keys; docs/how-to/key-providers.md explains them.

        Args:
            arguments: All keys of the setting but the provider's name.

        Raises:
            ValueError: What is wrong with one of them.
        """
        refuse_unknown(arguments, _KEYS, "aws_kms")
        region = text_argument(arguments, "region")
        prefix = text_argument(arguments, "prefix", "logging/")
        if not _REGION.fullmatch(region):
            raise ValueError("region: is none; write it as eu-central-1")
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("prefix: has other characters than letters, digits, '-', '_' and '/'")
        url = text_argument(arguments, "url", f"https://kms.{region}.amazonaws.com")
        server = server_argument(arguments, url)
        if server.url.count("/") > len("//"):
            raise ValueError("url: has a path, and KMS is asked at none; leave it out")
        login = AwsLogin(
            path_argument(arguments, "credentials_file"), text_argument(arguments, "profile", "default")
        )
        return cls(AwsKms(server, region, login), prefix=prefix, offline=flag_argument(arguments, "offline"))

    def __repr__(self) -> str:
        return f"AwsKmsProvider({self._kms.server.url!r}, prefix={self._prefix!r})"

    def create(self, key_id: str) -> KeyVersions:
        """Make the key unless it exists; see `KeyProvider.create`."""
        checked_key_id(key_id)
        if self._newest(key_id) == 0:
            self._make(self._alias(key_id, 1), self._new_spec, f"{key_id}:1")
        return self._read(key_id).versions

    def versions(self, key_id: str) -> KeyVersions:
        """Return which versions there are; see `KeyProvider.versions`."""
        return self._read(key_id).versions

    def rotate(self, key_id: str, *, newest: int) -> int:
        """Make the next version; see `KeyProvider.rotate`."""
        state = self._read(key_id)
        if state.newest > newest:
            return state.newest
        following = state.newest + 1
        self._make(self._alias(key_id, following), self._new_spec, f"{key_id}:{following}")
        return self._read(key_id).newest

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap by KMS, or to an RSA key's public half once KMS says that it is enabled.

        See `KeyProvider.wrap`.
        """
        key = self._usable(key_id, version)
        if key.spec != _SYMMETRIC:
            return wrap_offline(self._public_key(key, key_id, version), data_key, context)
        answer = self._do(
            "Encrypt",
            key_id,
            KeyId=key.arn,
            Plaintext=_text(data_key.reveal()),
            EncryptionContext=_context(context),
        )
        return WrappedKey(key_id, version, FORM_PROVIDER, self._bytes(answer.get("CiphertextBlob")))

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        """Return the data key; see `KeyProvider.unwrap`."""
        if wrapped.form not in {FORM_PROVIDER, FORM_RSA} or not wrapped.data:
            raise wrap_invalid(wrapped)
        is_rsa = wrapped.form == FORM_RSA
        more = {"EncryptionAlgorithm": _OAEP} if is_rsa else {"EncryptionContext": _context(context)}
        key = self._usable(wrapped.key_id, wrapped.version)
        if (key.spec == _SYMMETRIC) is is_rsa:
            raise wrap_invalid(wrapped)
        name = ""
        try:
            answer = self._kms.ask("Decrypt", KeyId=key.arn, CiphertextBlob=_text(wrapped.data), **more)
        except AwsSaysNoError as no:
            answer, name = {}, no.name
        if name in {"InvalidCiphertextException", "IncorrectKeyException"}:
            raise wrap_invalid(wrapped)
        if name:
            self._usable(wrapped.key_id, wrapped.version)
            raise self._denied(wrapped.key_id, "Decrypt")
        opened = Secret(self._bytes(answer.get("Plaintext")))
        if is_rsa:
            return unpack_rsa(opened, wrapped, context)
        if len(opened) != DATA_KEY_BYTES:
            raise wrap_invalid(wrapped)
        return opened

    def public_key(self, key_id: str, version: int) -> PublicKey | None:
        """Return the public half of an RSA key; see `KeyProvider.public_key`."""
        key = self._usable(key_id, version)
        return None if key.spec == _SYMMETRIC else self._public_key(key, key_id, version)

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        """Disable older versions; see `KeyProvider.raise_minimum`."""
        state = self._read(key_id)
        if not 1 <= version <= state.newest:
            raise missing(key_id, version)
        # From the lowest, so that those that are enabled stay without a gap, whenever this ends.
        for older in range(state.minimum, version):
            self._do("DisableKey", key_id, KeyId=self._usable(key_id, older).arn)
        return self._read(key_id).versions

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        """Schedule deletion of versions, or of all; see `KeyProvider.destroy`.

        KMS waits a week before it deletes; until then its own tools can take that back, this provider not.
        """
        newest = self._newest(key_id)
        if newest == 0:
            raise missing(key_id[:64])
        if through_version is not None:
            self._read(key_id).require_unused(key_id, through_version)
        # From the highest: the key counts as destroyed once its newest version is.
        for version in range(newest if through_version is None else through_version, 0, -1):
            self._bury(key_id, version)

    def close(self) -> None:
        """Let go of the connections."""
        self._kms.server.close()

    def _bury(self, key_id: str, version: int) -> None:
        key = self._look(key_id, version)
        if key is None or key.is_grave:
            return
        # An alias changes to a key of the same kind alone.
        grave = f"alias/{self._prefix}GRAVE/{key.spec}"
        if self._described(grave) is None:
            self._make(grave, key.spec, _GRAVE)
        found = self._described(grave)
        if found is None:
            raise self._denied(key_id, "DescribeKey")
        if found.state == "Enabled":
            self._do("DisableKey", key_id, KeyId=found.arn)
        if not key.is_destroyed:
            self._do("ScheduleKeyDeletion", key_id, KeyId=key.arn, PendingWindowInDays=DELETION_DAYS)
        self._do("UpdateAlias", key_id, AliasName=self._alias(key_id, version), TargetKeyId=found.arn)

    def _make(self, alias: str, spec: str, description: str) -> None:
        """Make a KMS key under an alias; the key is given up where another was faster."""
        made = self._do("CreateKey", "", KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT", Description=description)
        metadata = made.get("KeyMetadata")
        arn = metadata.get("Arn") if isinstance(metadata, dict) else None
        if not isinstance(arn, str):
            raise self._kms.refused("its answer names no key that was made")
        name = ""
        try:
            self._kms.ask("CreateAlias", AliasName=alias, TargetKeyId=arn)
        except AwsSaysNoError as no:
            name = no.name
        if name:
            self._do("ScheduleKeyDeletion", "", KeyId=arn, PendingWindowInDays=DELETION_DAYS)
        if name not in {"", "AlreadyExistsException"}:
            raise self._denied(description, "CreateAlias")

    def _do(self, action: str, key_id: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            return self._kms.ask(action, **parameters)
        except AwsSaysNoError:
            pass
        raise self._denied(key_id, action)

    def _denied(self, key_id: str, action: str) -> Exception:
        about = f" with key {key_id}" if key_id else ""
        return self._kms.refused(f"it does not do {action}{about}; give these credentials that right")

    def _read(self, key_id: str) -> VersionState:
        newest = self._newest(key_id)
        if newest == 0:
            raise missing(key_id[:64], where=self._kms.server.url)
        newest_key = self._look(key_id, newest)
        if newest_key is not None and newest_key.is_destroyed:
            raise destroyed(key_id)
        minimum = newest
        while minimum > 1 and (older := self._look(key_id, minimum - 1)) is not None and older.is_live:
            minimum -= 1
        return VersionState(1, minimum, newest)

    def _usable(self, key_id: str, version: int) -> _AwsKey:
        key = self._look(key_id, version) if KEY_ID.fullmatch(key_id) and version > 0 else None
        if key is None:
            self._read(key_id)
            raise missing(key_id, version)
        if key.is_destroyed:
            self._read(key_id)
            raise destroyed(key_id, version)
        if key.state == "Disabled":
            raise KeyRetiredError(
                f"key {key_id}:{version} is retired; its KMS key is disabled", key_id=key_id, version=version
            )
        if not key.is_live:
            raise ProviderUnavailableError(f"{self._kms.server.url}: key {key_id}:{version} is not ready yet")
        return key

    def _newest(self, key_id: str) -> int:
        """Return the highest version there is, destroyed or not; 0 where there is none.

        Versions have no gaps, so it is found in a few steps, from the one that was seen before.
        """
        if not KEY_ID.fullmatch(key_id):
            return 0
        low = self._newest_seen.get(key_id, 1)
        if self._look(key_id, low) is None:
            return 0
        step = 1
        while low + step <= VERSIONS_MAX and self._look(key_id, low + step) is not None:
            low, step = low + step, 2 * step
        while step > 1:
            step //= 2
            if self._look(key_id, low + step) is not None:
                low += step
        self._newest_seen[key_id] = low
        return low

    def _look(self, key_id: str, version: int) -> _AwsKey | None:
        return self._described(self._alias(key_id, version))

    def _described(self, alias: str) -> _AwsKey | None:
        name = ""
        try:
            answer = self._kms.ask("DescribeKey", KeyId=alias)
        except AwsSaysNoError as no:
            answer, name = {}, no.name
        if name == "NotFoundException":
            return None
        if name:
            raise self._denied("", "DescribeKey")
        metadata = answer.get("KeyMetadata")
        told = metadata if isinstance(metadata, dict) else {}
        # Older servers say it by the name it had before.
        spec = told.get("KeySpec") or told.get("CustomerMasterKeySpec") or _SYMMETRIC
        arn, state = told.get("Arn"), told.get("KeyState")
        if not isinstance(arn, str) or not isinstance(state, str) or not isinstance(spec, str):
            raise self._kms.refused("its answer describes no key")
        return _AwsKey(arn, state, spec, told.get("Description") == _GRAVE)

    def _public_key(self, key: _AwsKey, key_id: str, version: int) -> PublicKey:
        data = self._bytes(self._do("GetPublicKey", key_id, KeyId=key.arn).get("PublicKey"))
        try:
            load_der_public_key(data)
        except ValueError:
            raise self._kms.refused(f"its answer holds no public key of {key_id}:{version}") from None
        return PublicKey(key_id, version, FORM_RSA, data)

    def _bytes(self, text: object) -> bytes:
        if isinstance(text, str) and text:
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                pass
        raise self._kms.refused("its answer holds no base64 where it should")

    def _alias(self, key_id: str, version: int) -> str:
        """Return the alias of a version; an alias has no dots, a key id no slashes and no capital letters."""
        return f"alias/{self._prefix}{key_id.replace('.', '/')}/V{version}"


def _context(context: bytes) -> dict[str, str]:
    return {"context": f"base64:{_text(context)}"}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
