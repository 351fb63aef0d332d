"""Keys in a hardware security module, through its PKCS#11 library; the keys never leave it.

| here | there |
| --- | --- |
| key "logs", version 2 | AES-256 key labelled `<prefix>logs:2`: sensitive, not extractable, random id |
| wrapped data key | id (8), nonce (12), AES-GCM of the data key; associated: key id, version, context |
| public key, where writers wrap offline | RSA key pair of the same label |
| minimum version 2 | data object `<prefix>logs:minimum` with the value `2`; the highest of several counts |
| destroyed key | data object `<prefix>logs:destroyed` |

PKCS#11 cannot make something unless it is there already. So two processes that rotate in the same moment may
make two keys of one version: the id in what was wrapped says which of them it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import MGF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.mechanisms import GCMParams

from logging_system.keys.offline import unpack_rsa, wrap_invalid, wrap_offline
from logging_system.keys.provider import (
    DATA_KEY_BYTES,
    FORM_PROVIDER,
    FORM_RSA,
    FORM_RSA_SHA1,
    KEY_ID,
    KeyVersions,
    PublicKey,
    WrappedKey,
    checked_key_id,
)
from logging_system.keys.providers.arguments import (
    flag_argument,
    path_argument,
    refuse_unknown,
    text_argument,
)
from logging_system.keys.providers.pkcs11_token import PIN_VARIABLE, TokenSession
from logging_system.keys.providers.version_errors import VersionState, destroyed, missing
from logging_system.keys.secret import Secret

RSA_BITS = 3072
OBJECTS_MAX = 10_000
_KEYS = frozenset({"library", "token", "pin_file", "pin_variable", "prefix", "offline"})
_PREFIX = re.compile(r"[A-Za-z0-9_.\-]{0,64}")
_ID_BYTES, _NONCE_BYTES, _TAG_BYTES = 8, 12, 16
_WRAPPED_BYTES = _ID_BYTES + _NONCE_BYTES + DATA_KEY_BYTES + _TAG_BYTES
_HASHES: Mapping[str, tuple[Mechanism, MGF, None]] = {
    FORM_RSA: (Mechanism.SHA256, MGF.SHA256, None),
    FORM_RSA_SHA1: (Mechanism.SHA_1, MGF.SHA1, None),
}
_KEPT_INSIDE = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}


class Pkcs11Provider:
    """A token of an HSM.

    Args:
        token: The session with it.
        prefix: Begins each label, so that several systems share a token.
        offline: Whether new versions come with an RSA key pair, which writers can wrap with while the HSM
            is away.
        rsa_bits: How long its keys are.
    """

    name = "pkcs11"

    def __init__(
        self, token: TokenSession, *, prefix: str = "", offline: bool = False, rsa_bits: int = RSA_BITS
    ) -> None:
        self._token = token
        self._prefix = prefix
        self._is_offline = offline
        self._rsa_bits = rsa_bits

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, object]) -> Pkcs11Provider:
        """Return the provider of a setting's other keys; docs/how-to/key-providers.md explains them.

        Args:
            arguments: All keys of the setting but the provider's name.

        Raises:
            ValueError: What is wrong with one of them.
        """
        refuse_unknown(arguments, _KEYS, "pkcs11")
        library = path_argument(arguments, "library")
        if library is None:
            raise ValueError("library: not given; name the maker's PKCS#11 library, a .so file")
        prefix = text_argument(arguments, "prefix", "")
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("prefix: has other characters than letters, digits, '-', '_' and '.'")
        token = TokenSession(
            library,
            text_argument(arguments, "token"),
            path_argument(arguments, "pin_file"),
            text_argument(arguments, "pin_variable", PIN_VARIABLE),
        )
        return cls(token, prefix=prefix, offline=flag_argument(arguments, "offline"))

    def __repr__(self) -> str:
        return f"Pkcs11Provider({self._token.name!r}, prefix={self._prefix!r})"

    def create(self, key_id: str) -> KeyVersions:
        """Make the key unless it exists; see `KeyProvider.create`."""
        checked_key_id(key_id)

        def ask(session: pkcs11.Session) -> KeyVersions:
            state = self._look(session, key_id)
            if state is None:
                self._generate(session, key_id, 1)
                state = self._read(session, key_id)
            return state.versions

        return self._token.use(ask)

    def versions(self, key_id: str) -> KeyVersions:
        """Return which versions there are; see `KeyProvider.versions`."""
        return self._token.use(lambda session: self._read(session, key_id).versions)

    def rotate(self, key_id: str, *, newest: int) -> int:
        """Make the next version; see `KeyProvider.rotate`."""

        def ask(session: pkcs11.Session) -> int:
            state = self._read(session, key_id)
            if state.newest > newest:
                return state.newest
            self._generate(session, key_id, state.newest + 1)
            return self._read(session, key_id).newest

        return self._token.use(ask)

    def wrap(self, key_id: str, version: int, data_key: Secret, context: bytes) -> WrappedKey:
        """Wrap by AES-256-GCM inside the token; see `KeyProvider.wrap`."""

        def ask(session: pkcs11.Session) -> WrappedKey:
            keys = sorted(self._usable(session, key_id, version), key=_id_of)
            nonce = os.urandom(_NONCE_BYTES)
            associated = _associated(key_id, version, context)
            sealed = keys[0].encrypt(
                data_key.reveal(),
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(nonce, associated),
            )
            return WrappedKey(key_id, version, FORM_PROVIDER, _id_of(keys[0]) + nonce + sealed)

        return self._token.use(ask)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> Secret:
        """Return the data key; see `KeyProvider.unwrap`."""
        opens: Mapping[str, Callable[[pkcs11.Session, list[Any], WrappedKey, bytes], Secret]] = {
            FORM_PROVIDER: self._open_sealed,
            FORM_RSA: self._open_offline,
            FORM_RSA_SHA1: self._open_offline,
        }
        opener = opens.get(wrapped.form)
        if opener is None:
            raise wrap_invalid(wrapped)

        def ask(session: pkcs11.Session) -> Secret:
            keys = self._usable(session, wrapped.key_id, wrapped.version)
            return opener(session, keys, wrapped, context)

        return self._token.use(ask)

    def public_key(self, key_id: str, version: int) -> PublicKey | None:
        """Return the public half of the version's RSA pair; see `KeyProvider.public_key`."""

        def ask(session: pkcs11.Session) -> PublicKey | None:
            self._usable(session, key_id, version)
            pairs = self._keys(session, ObjectClass.PRIVATE_KEY, key_id, version)
            publics = sorted(self._keys(session, ObjectClass.PUBLIC_KEY, key_id, version), key=_id_of)
            if not pairs or not publics:
                return None
            form = self._form_of(publics[0], pairs)
            return PublicKey(key_id, version, form, _der(publics[0]))

        return self._token.use(ask)

    def raise_minimum(self, key_id: str, version: int) -> KeyVersions:
        """Let older versions be used no more; see `KeyProvider.raise_minimum`."""

        def ask(session: pkcs11.Session) -> KeyVersions:
            state = self._read(session, key_id)
            if not 1 <= version <= state.newest:
                raise missing(key_id, version)
            if version > state.minimum:
                # The new one is there before the old ones go: the minimum never falls, whenever this ends.
                old = self._notes(session, key_id, "minimum")
                self._note(session, key_id, "minimum", str(version).encode())
                for each in old:
                    each.destroy()
            return self._read(session, key_id).versions

        return self._token.use(ask)

    def destroy(self, key_id: str, *, through_version: int | None = None) -> None:
        """Destroy versions, or the key; see `KeyProvider.destroy`."""

        def ask(session: pkcs11.Session) -> None:
            if through_version is None:
                self._destroy_all(session, key_id)
                return
            state = self._read(session, key_id)
            state.require_unused(key_id, through_version)
            self._destroy(session, key_id, through_version)

        self._token.use(ask)

    def close(self) -> None:
        """End the session."""
        self._token.close()

    def _open_sealed(
        self, session: pkcs11.Session, keys: list[Any], wrapped: WrappedKey, context: bytes
    ) -> Secret:
        data = wrapped.data
        if len(data) != _WRAPPED_BYTES:
            raise wrap_invalid(wrapped)
        key_object_id, nonce, sealed = (
            data[:_ID_BYTES],
            data[_ID_BYTES : _ID_BYTES + _NONCE_BYTES],
            data[_ID_BYTES + _NONCE_BYTES :],
        )
        key = next((each for each in keys if _id_of(each) == key_object_id), None)
        if key is None:
            raise wrap_invalid(wrapped)
        associated = _associated(wrapped.key_id, wrapped.version, context)
        try:
            opened = key.decrypt(
                sealed, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, associated)
            )
        except pkcs11.PKCS11Error:
            _try_sealing(key)
        else:
            return Secret(opened)
        raise wrap_invalid(wrapped)

    def _open_offline(
        self, session: pkcs11.Session, keys: list[Any], wrapped: WrappedKey, context: bytes
    ) -> Secret:
        for key in self._keys(session, ObjectClass.PRIVATE_KEY, wrapped.key_id, wrapped.version):
            try:
                opened = key.decrypt(
                    wrapped.data,
                    mechanism=Mechanism.RSA_PKCS_OAEP,
                    mechanism_param=_HASHES[wrapped.form],
                )
            except pkcs11.PKCS11Error:
                continue
            return unpack_rsa(Secret(opened), wrapped, context)
        for key in keys:
            # A token that answers wrongly says the same of a good wrap; then this fails too.
            _try_sealing(key)
        raise wrap_invalid(wrapped)

    def _form_of(self, public: Any, private_keys: list[Any]) -> str:
        """Return the form that the token can open: some know OAEP with SHA-1 alone, as SoftHSM 2.6 does."""
        tried = wrap_offline(PublicKey("try", 1, FORM_RSA, _der(public)), Secret(bytes(DATA_KEY_BYTES)), b"")
        for key in private_keys:
            try:
                key.decrypt(tried.data, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_HASHES[FORM_RSA])
            except pkcs11.PKCS11Error:
                continue
            return FORM_RSA
        return FORM_RSA_SHA1

    def _generate(self, session: pkcs11.Session, key_id: str, version: int) -> None:
        key_object_id, label = os.urandom(_ID_BYTES), self._label(key_id, version)
        usage = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
        if self._is_offline:
            session.generate_keypair(
                KeyType.RSA,
                self._rsa_bits,
                id=key_object_id,
                label=label,
                store=True,
                capabilities=usage,
                private_template=dict(_KEPT_INSIDE),
            )
        # Last: a version counts once this is there.
        session.generate_key(
            KeyType.AES,
            256,
            id=key_object_id,
            label=label,
            store=True,
            capabilities=usage,
            template=dict(_KEPT_INSIDE),
        )

    def _usable(self, session: pkcs11.Session, key_id: str, version: int) -> list[Any]:
        """Return the AES keys of a version that is in use; on a full token each search takes its time."""
        keys = self._keys(session, ObjectClass.SECRET_KEY, key_id, version)
        if keys and version >= self._minimum(session, key_id):
            return keys
        self._read(session, key_id).require(key_id, version)
        raise missing(key_id, version)

    def _minimum(self, session: pkcs11.Session, key_id: str) -> int:
        notes = self._notes(session, key_id, "minimum")
        return max([1, *(_number(note[Attribute.VALUE]) for note in notes)])

    def _read(self, session: pkcs11.Session, key_id: str) -> VersionState:
        state = self._look(session, key_id) if KEY_ID.fullmatch(key_id) else None
        if state is None:
            raise missing(key_id[:64], where=self._token.name)
        return state

    def _look(self, session: pkcs11.Session, key_id: str) -> VersionState | None:
        """Return what there is of a key; None where it never was.

        Raises:
            KeyDestroyedError: It was destroyed.
        """
        if self._notes(session, key_id, "destroyed"):
            raise destroyed(key_id)
        versions = sorted(version for version, _ in self._all_versions(session, key_id))
        if not versions:
            self._token.require_present()
            return None
        minimum = self._minimum(session, key_id)
        return VersionState(versions[0], max(versions[0], minimum), versions[-1])

    def _all_versions(self, session: pkcs11.Session, key_id: str) -> Iterator[tuple[int, Any]]:
        start = self._label(key_id, "")
        for key in _found(session, {Attribute.CLASS: ObjectClass.SECRET_KEY}):
            head, label = start, str(key.label)
            if label.startswith(head) and (version := _number(label[len(head) :].encode())):
                yield version, key

    def _keys(self, session: pkcs11.Session, kind: ObjectClass, key_id: str, version: int) -> list[Any]:
        return _found(session, {Attribute.CLASS: kind, Attribute.LABEL: self._label(key_id, version)})

    def _destroy_all(self, session: pkcs11.Session, key_id: str) -> None:
        if not self._notes(session, key_id, "destroyed"):
            self._read(session, key_id)
            self._note(session, key_id, "destroyed", b"1")
        self._destroy(session, key_id, None)

    def _destroy(self, session: pkcs11.Session, key_id: str, through_version: int | None) -> None:
        for version, key in list(self._all_versions(session, key_id)):
            if through_version is not None and version > through_version:
                continue
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
                for half in self._keys(session, kind, key_id, version):
                    half.destroy()
            key.destroy()

    def _notes(self, session: pkcs11.Session, key_id: str, what: str) -> list[Any]:
        label = self._label(key_id, what)
        return _found(session, {Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: label})

    def _note(self, session: pkcs11.Session, key_id: str, what: str, value: bytes) -> None:
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.LABEL: self._label(key_id, what),
                Attribute.VALUE: value,
                Attribute.TOKEN: True,
                Attribute.PRIVATE: True,
            }
        )

    def _label(self, key_id: str, what: str | int) -> str:
        return f"{self._prefix}{key_id}:{what}"


def _found(session: pkcs11.Session, attributes: dict[Attribute, Any]) -> list[Any]:
    return list(islice(session.get_objects(attributes), OBJECTS_MAX))


def _id_of(key: Any) -> bytes:
    return bytes(key[Attribute.ID])


def _number(text: bytes) -> int:
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def _associated(key_id: str, version: int, context: bytes) -> bytes:
    return f"{key_id}:{version}\0".encode() + context


def _try_sealing(key: Any) -> None:
    """Seal and open something: a token that cannot do that says nothing about what it refused before.

    Raises:
        pkcs11.PKCS11Error: The key cannot be used now.
    """
    parameters = GCMParams(os.urandom(_NONCE_BYTES), b"try")
    sealed = key.encrypt(b"try", mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
    key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)


def _der(public: Any) -> bytes:
    numbers = RSAPublicNumbers(
        int.from_bytes(public[Attribute.PUBLIC_EXPONENT]), int.from_bytes(public[Attribute.MODULUS])
    )
    return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
