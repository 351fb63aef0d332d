"""Keys in HashiCorp Vault's transit engine: https://developer.hashicorp.com/vault/docs/secrets/transit.

| here | there |
| --- | --- |
| key "logs" | key `<prefix>logs`, type aes256-gcm96, or rsa-3072 where writers wrap offline |
| context | `associated_data`; of an RSA key: its SHA-256 beside the data key |
| retired version | below `min_decryption_version` and `min_encryption_version` |
| destroyed version | below `min_available_version` (trim) |
| destroyed key | deleted, and a key `<prefix>logs_DESTROYED` is there, so that its id is not used again |
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hvac.api.secrets_engines.transit import Transit

from logging_system.keys.offline import unpack_rsa, wrap_invalid, wrap_offline
from logging_system.keys.provider import (
    DATA_KEY_BYTES,
    FORM_PROVIDER,
    FORM_RSA,
    KEY_ID,
    KeyVersions,
    ProviderRefusedError,
    PublicKey,
    WrappedKey,
    checked_key_id,
)
from logging_system.keys.providers.arguments import (
    SERVER_KEYS,
    flag_argument,
    path_argument,
    read_credentials,
    refuse_unknown,
    server_argument,
    text_argument,
)
from logging_system.keys.providers.key_server import KeyServer
from logging_system.keys.providers.vault_answers import VaultAnswers, VaultSaysNoError
from logging_system.keys.providers.version_errors import VersionState, destroyed, missing
from logging_system.keys.secret import Secret

TOKEN_VARIABLE = "VAULT_TOKEN"  # noqa: S105  # a name, not a token
_KEYS = SERVER_KEYS | {"token_file", "token_variable", "mount", "prefix", "namespace", "offline"}
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-/]{0,127}")
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}|")
_SYMMETRIC = "aes256-gcm96"
RSA_BITS = 3072
_SYMMETRIC_KINDS = frozenset({"aes128-gcm96", "aes256-gcm96", "chacha20-poly1305"})


class VaultToken:
    """The token, read again for each request, so that an agent may renew it.

    Args:
        file: Holds the token; None for the environment.
        variable: The environment's variable, where there is no file.
    """

    def __init__(self, file: Path | None, variable: str = TOKEN_VARIABLE) -> None:
        self._file = file
        self._variable = variable

    def __call__(self) -> Secret:
        """Return the token.

        Raises:
            ProviderUnavailableError: Its file is not there.
            ProviderRefusedError: There is none, or what is there is none.
        """
        if self._file is not None:
            where, text = str(self._file), read_credentials(self._file, "Vault's token").strip()
        else:
            where, text = self._variable, os.environ.get(self._variable, "").strip()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise ProviderRefusedError(f"{where}: holds no token of Vault; write one there")
        return Secret(text.encode("ascii"))


@dataclass(frozen=True, slots=True)
class _TransitKey:
    kind: str
    state: VersionState
    minimum_of_writers: int
    public_keys: Mapping[str, Any] = field(repr=False)

    @property
    def is_rsa(self) -> bool:
        return self.kind.startswith("rsa-")


class VaultProvider:
    """The transit engine of a Vault server.

    Args:
        server: Where it is.
        token: Gives the token of each request.
        mount: Where the engine is mounted.
        prefix: Begins the name of each key, so that several systems share an engine.
        namespace: Vault's namespace; empty for the root.
        offline: Whether new keys are RSA, which writers can wrap with while Vault is away.
        rsa_bits: How long those are: 2048, 3072 or 4096.
    """

    name = "vault"

    def __init__(
        self,
        server: KeyServer,
        token: VaultToken,
        *,
        mount: str = "transit",
        prefix: str = "",
        namespace: str = "",
        offline: bool = False,
        rsa_bits: int = RSA_BITS,
    ) -> None:
        self._server = server
        self._mount = mount
        self._prefix = prefix
        self._new_kind = f"rsa-{rsa_bits}" if offline else _SYMMETRIC
        self._transit: Any = Transit(adapter=VaultAnswers(server, token, namespace))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, object]) -> VaultProvider:
        """Return the provider of a setting's other keys; docs/how-to/key-providers.md explains them.

        Args:
            arguments: All keys of the setting but the provider's name.

        Raises:
            ValueError: What is wrong with one of them.
        """
        refuse_unknown(arguments, _KEYS, "vault")
        mount = text_argument(arguments, "mount", "transit").strip("/")
        prefix = text_argument(arguments, "prefix", "")
        if not _PATH.fullmatch(mount) or ".." in mount:
            raise ValueError("mount: no path of Vault; name where the transit engine is, such as transit")
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("prefix: has other characters than letters, digits, '-', '_' and '.'")
        return cls(
            server_argument(arguments, text_argument(arguments, "url")),
            VaultToken(
                path_argument(arguments, "token_file"),
                text_argument(arguments, "token_variable", TOKEN_VARIABLE),
            ),
            mount=mount,
            prefix=prefix,
            namespace=text_argument(arguments, "namespace", ""),
            offline=flag_argument(arguments, "offline"),
        )

    def __repr__(self) -> str:
        return f"VaultProvider({self._server.url!r}, mount={self._mount!r}, prefix={self._prefix!r})"

    def create(self, key_id: str) -> KeyVersions:
        """Make the key unless it exists; see `KeyProvider.create`."""
        if not checked_key_id(key_id)[-1].isalnum() and key_id[-1] != "_":
            raise ValueError(f"key id {key_id}: Vault takes no name that ends in {key_id[-1]!r}")
        key = self._find(key_id)
        if key is None:
            self._call(self._transit.create_key, key_id, key_type=self._new_kind)
            key = self._read(key_id)
        return key.state.versions

    def versions(self, key_id: str) -> KeyVersions:
        """Return which versions there are; see `KeyProvider.versions`."""
        return self._read(key_id).state.versions

    def rotate(self, key_id: str, *, newest: int) -> int:
        """Make the next version; see `KeyProvider.rotate`.

        Vault has no way to ask for one version alone: two that ask in the same moment make two, one unused.
        """
        key = self._read(key_id)
        if key.state.newest <= newest:
            self._call(self._transit.rotate_key, key_id)
            key = self._read(key_id)
        return key.state.newest

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap by Vault, or to an RSA key's public half once Vault says that it is in use.

        See `KeyProvider.wrap`. The key is looked at first: asked to encrypt with a key that is not there,
        Vault would make it.
        """
        key = self._read(key_id)
        key.state.require(key_id, version)
        if key.is_rsa:
            return wrap_offline(self._public_key(key, key_id, version), data_key, context)
        if key.kind not in _SYMMETRIC_KINDS:
            raise self._refused(f"key {key_id} is of type {key.kind[:40]!r}; make one that encrypts")
        answer = self._call(
            self._transit.encrypt_data,
            key_id,
            plaintext=_text(data_key.reveal()),
            key_version=version,
            associated_data=_text(context),
        )
        head, ciphertext = f"vault:v{version}:", answer.get("ciphertext")
        if not isinstance(ciphertext, str) or not ciphertext.startswith(head):
            raise self._refused("its answer holds no wrapped key of this version")
        return WrappedKey(key_id, version, FORM_PROVIDER, self._bytes(ciphertext.removeprefix(head)))

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        """Return the data key; see `KeyProvider.unwrap`."""
        if wrapped.form not in {FORM_PROVIDER, FORM_RSA} or not wrapped.data:
            raise wrap_invalid(wrapped)
        more = {"associated_data": _text(context)} if wrapped.form == FORM_PROVIDER else {}
        try:
            answer = self._transit.decrypt_data(
                self._key_name(wrapped.key_id),
                ciphertext=f"vault:v{wrapped.version}:{_text(wrapped.data)}",
                mount_point=self._mount,
                **more,
            )
        except VaultSaysNoError:
            answer = None
        if answer is None:
            self._read(wrapped.key_id).state.require(wrapped.key_id, wrapped.version)
            raise wrap_invalid(wrapped)
        opened = Secret(self._bytes(answer.get("plaintext")))
        if wrapped.form == FORM_RSA:
            return unpack_rsa(opened, wrapped, context)
        if len(opened) != DATA_KEY_BYTES:
            raise wrap_invalid(wrapped)
        return opened

    def public_key(self, key_id: str, version: int) -> PublicKey | None:
        """Return the public half of an RSA key; see `KeyProvider.public_key`."""
        key = self._read(key_id)
        key.state.require(key_id, version)
        return self._public_key(key, key_id, version) if key.is_rsa else None

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        """Let older versions neither wrap nor unwrap any more; see `KeyProvider.raise_minimum`."""
        key = self._read(key_id)
        if not 1 <= version <= key.state.newest:
            raise missing(key_id, version)
        if version > key.minimum_of_writers and version >= key.state.minimum:
            # Writers first: Vault refuses a minimum of theirs below that of readers.
            self._call(self._transit.update_key_configuration, key_id, min_encryption_version=version)
        if version > key.state.minimum:
            self._call(self._transit.update_key_configuration, key_id, min_decryption_version=version)
        return self._read(key_id).state.versions

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        """Destroy versions, or the key; see `KeyProvider.destroy`."""
        key = self._look(key_id)
        if key is None:
            if self._is_destroyed(key_id):
                return
            raise missing(key_id)
        if through_version is not None:
            self._trim(key_id, key, through_version)
            return
        self._transit.create_key(self._stone(key_id), key_type=_SYMMETRIC, mount_point=self._mount)
        self._call(self._transit.update_key_configuration, key_id, deletion_allowed=True)
        self._call(self._transit.delete_key, key_id)

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()

    def _trim(self, key_id: str, key: _TransitKey, through_version: int) -> None:
        key.state.require_unused(key_id, through_version)
        if through_version < key.state.first_kept:
            return
        if key.minimum_of_writers <= through_version:
            minimum = key.state.minimum
            self._call(self._transit.update_key_configuration, key_id, min_encryption_version=minimum)
        self._call(self._transit.trim_key, key_id, min_version=through_version + 1)

    def _call(self, method: Any, key_id: str, **parameters: Any) -> Mapping[str, Any]:
        """Ask about a key that was there a moment ago."""
        try:
            answer: Mapping[str, Any] = method(self._key_name(key_id), mount_point=self._mount, **parameters)
        except VaultSaysNoError:
            pass
        else:
            return answer
        self._read(key_id)
        raise self._refused(f"it does not do this with key {key_id}; see its audit log")

    def _read(self, key_id: str) -> _TransitKey:
        key = self._find(key_id)
        if key is None:
            raise missing(key_id, where=self._server.url)
        return key

    def _find(self, key_id: str) -> _TransitKey | None:
        """Return a key, or None where it never was."""
        key = self._look(key_id)
        if key is None and self._is_destroyed(key_id):
            raise destroyed(key_id)
        return key

    def _is_destroyed(self, key_id: str) -> bool:
        return self._looked(self._stone(key_id)) is not None

    def _look(self, key_id: str) -> _TransitKey | None:
        data = self._looked(self._key_name(key_id))
        return None if data is None else self._transit_key(data)

    def _looked(self, key_name: str) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] = self._transit.read_key(key_name, mount_point=self._mount)
        except VaultSaysNoError:
            return None
        return answer

    def _transit_key(self, data: Mapping[str, Any]) -> _TransitKey:
        numbers = [data.get(f"min_{what}_version") for what in ("available", "decryption", "encryption")]
        newest, kind, keys = data.get("latest_version"), data.get("type"), data.get("keys")
        if not all(type(number) is int for number in (*numbers, newest)) or not isinstance(kind, str):
            raise self._refused("its answer describes no key of the transit engine")
        available, minimum, minimum_of_writers = (max(1, number or 0) for number in numbers)
        state = VersionState(available, max(available, minimum), newest or 1)
        return _TransitKey(kind, state, minimum_of_writers, keys if isinstance(keys, dict) else {})

    def _public_key(self, key: _TransitKey, key_id: str, version: int) -> PublicKey:
        told = key.public_keys.get(str(version))
        pem = told.get("public_key") if isinstance(told, dict) else None
        try:
            public = load_pem_public_key(pem.encode() if isinstance(pem, str) else b"")
            data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except ValueError:
            raise self._refused(f"its answer holds no public key of {key_id}:{version}") from None
        return PublicKey(key_id, version, FORM_RSA, data)

    def _bytes(self, text: object) -> bytes:
        try:
            return base64.b64decode(text, validate=True) if isinstance(text, str) else _no_bytes()
        except (binascii.Error, ValueError):
            pass
        raise self._refused("its answer holds no base64 where it should")

    def _key_name(self, key_id: str) -> str:
        if not KEY_ID.fullmatch(key_id):
            raise missing(key_id[:64], where=self._server.url)
        return f"{self._prefix}{key_id}"

    def _stone(self, key_id: str) -> str:
        """Return the name of the key that says that a key was destroyed; no key id has capital letters."""
        return f"{self._prefix}{key_id}_DESTROYED"

    def _refused(self, why: str) -> ProviderRefusedError:
        return ProviderRefusedError(f"{self._server.url}: {why}")


def _no_bytes() -> bytes:
    raise ValueError


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
