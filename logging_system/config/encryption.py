"""The setting `encryption`: which keys seal what is written; and what is made of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.config.setting_types import absolute
from logging_system.spool.codec import PLAIN_CODECS, Codecs

if TYPE_CHECKING:
    from logging_system.encryption.encryption import Encryption
    from logging_system.encryption.lines import SealedLines
    from logging_system.encryption.rotation_schedule import RotationSchedule

DEFAULT_KEY = "logs"
DEFAULT_KEY_INDEX = "log-keys"
_KEYRING_NAME = "keys"
_INDEX = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,199}")


@dataclass(frozen=True, slots=True)
class EncryptionSettings:
    """What the setting says.

    Attributes:
        provider: Who keeps the keys: a word such as `file`, or the dotted path of one of your own.
        key: The id of the key, the namespace of these logs: what is shredded as one.
        keyring: The folder of the keyring; in the spool folder by default.
        data_key_seconds_max: How long one data key is used.
        rotation_seconds: How long a version of the key is active before it is rotated by itself; 0, for ever.
        outage_seconds_max: How long one is used while the provider gives no answer and has no public key.
        key_index: The store's index for wrapped data keys, so that sealed fields can be read without the
            keyring's folder; empty for none.
        index_retention_seconds: How long after it was logged a record may still be wanted: in the store, in
            dead letters, in a fallback file. Data keys are kept that long; 0, for ever.
        arguments: What is the provider's own, such as `path`.
    """

    provider: str
    key: str = DEFAULT_KEY
    keyring: Path | None = None
    data_key_seconds_max: float = 300.0
    outage_seconds_max: float = 3600.0
    rotation_seconds: float = 90 * 86400.0
    key_index: str = DEFAULT_KEY_INDEX
    index_retention_seconds: float = 0.0
    arguments: Mapping[str, str] = field(default_factory=dict)

    def keyring_folder(self, spool: Path) -> Path:
        """Return the keyring's folder for a spool folder."""
        return self.keyring or spool / _KEYRING_NAME


_OURS = {each.name for each in fields(EncryptionSettings)} - {"arguments"}


def encryption_settings(value: object) -> EncryptionSettings | None:
    """Return what a value of the setting says: a mapping, or text such as `provider=file,path=/etc/keys`.

    Raises:
        ValueError: It says nothing that can be used; never with a value in the message.
    """
    if value is None or isinstance(value, EncryptionSettings):
        return value
    given = _pairs(value)
    if "provider" not in given:
        close = difflib.get_close_matches("provider", given, n=1)
        hint = f'did you mean "provider" by "{close[0]}"?' if close else "such as provider: file"
        raise ValueError(f"names no provider; {hint}")
    ours = {name: text for name, text in given.items() if name in _OURS}
    arguments = {name: text for name, text in given.items() if name not in _OURS}
    return EncryptionSettings(
        provider=ours["provider"],
        key=_key(ours.get("key", DEFAULT_KEY)),
        keyring=absolute(Path(ours["keyring"])) if ours.get("keyring") else None,
        data_key_seconds_max=_seconds(ours, "data_key_seconds_max", 300.0, most=3600.0),
        outage_seconds_max=_seconds(ours, "outage_seconds_max", 3600.0, most=86400.0),
        rotation_seconds=_seconds(ours, "rotation_seconds", 90 * 86400.0, most=10 * 365 * 86400.0, least=0.0),
        key_index=_index(ours.get("key_index", DEFAULT_KEY_INDEX)),
        index_retention_seconds=_seconds(
            ours, "index_retention_seconds", 0.0, most=100 * 365 * 86400.0, least=0.0
        ),
        arguments=arguments,
    )


@dataclass(frozen=True, slots=True)
class Protection:
    """How everything is stored that is written beside the store.

    Attributes:
        codecs: The stored forms of the spool's blocks.
        lines: What seals dead letters and the fallback file; None where they are plain.
        encryption: What both are made of; None where nothing is sealed.
        key_index: The store's index for wrapped data keys; empty for none.
    """

    codecs: Codecs = PLAIN_CODECS
    lines: SealedLines | None = None
    encryption: Encryption | None = None
    key_index: str = ""

    def rotation(self) -> RotationSchedule | None:
        """Return what rotates the key by itself; None where nothing is sealed."""
        return None if self.encryption is None else self.encryption.schedule()


UNPROTECTED = Protection()


def encryption_of(settings: EncryptionSettings, spool: Path, *, used_spool: Path | None = None) -> Encryption:
    """Return what seals and opens, made of the setting.

    Args:
        settings: The setting.
        spool: The spool folder of the settings.
        used_spool: The one in use instead, where that could not be used.

    Raises:
        ValueError: The provider cannot be made; the message says why, and the remedy.
    """
    try:
        from logging_system.encryption.encryption import Encryption
    except ImportError as error:
        raise ValueError("cryptography is not installed; pip install 'logquake[keys]'") from error
    from logging_system.encryption.sealing import SealingLimits
    from logging_system.keys.providers import open_provider

    limits = SealingLimits(
        age_seconds_max=settings.data_key_seconds_max, outage_seconds_max=settings.outage_seconds_max
    )
    provider = open_provider(settings.provider, settings.arguments)
    return Encryption(
        provider,
        settings.keyring_folder(spool),
        settings.key,
        limits=limits,
        rotation_seconds=settings.rotation_seconds or None,
        spool=used_spool or spool,
        index_retention_seconds=settings.index_retention_seconds or None,
    )


def _pairs(value: object) -> dict[str, str]:
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not pairs or not all(equals and name.strip() for name, equals, _ in pairs):
            raise ValueError("is written as provider=file,path=/etc/checkout/log-keys.json")
        return {name.strip(): text.strip() for name, _, text in pairs}
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004 - what pydantic makes a message of
            "must be a mapping with provider, such as {provider: file, path: …}"
        )
    if wrong := next((n for n, v in value.items() if not isinstance(v, str | int | float | Path)), None):
        raise ValueError(f"{wrong}: must be text or a number")
    return {str(name): str(text) for name, text in value.items()}


def _key(text: str) -> str:
    from logging_system.keys.provider import checked_key_id

    try:
        return checked_key_id(text)
    except ValueError as error:
        raise ValueError(f"key: {error}") from None


def _index(text: str) -> str:
    if text and not _INDEX.fullmatch(text):
        raise ValueError(
            "key_index: must be of lower case letters, digits, '-', '_' and '.', a letter or digit first"
        )
    return text


def _seconds(
    given: Mapping[str, str], name: str, default: float, *, most: float, least: float = 1.0
) -> float:
    try:
        seconds = float(given.get(name, default))
    except ValueError:
        raise ValueError(f"{name}: must be a number of seconds") from None
    if not least <= seconds <= most:
        raise ValueError(f"{name}: must be at least {least:g} and at most {most:g} seconds")
    return seconds
