"""The providers: each word of the setting `encryption: {provider: …}` with the path of its class.

A provider's class has a classmethod `from_arguments(arguments)`: it takes the setting's keys that are its
own and raises `ValueError` with what is wrong and the remedy. It asks the provider nothing yet.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module

from logging_system.keys.provider import KeyProvider

PROVIDERS: Mapping[str, str] = {
    "file": "logging_system.keys.providers.file:FileProvider",
    "aws_kms": "logging_system.keys.providers.aws_kms:AwsKmsProvider",
    "pkcs11": "logging_system.keys.providers.pkcs11:Pkcs11Provider",
    "vault": "logging_system.keys.providers.vault:VaultProvider",
}


def open_provider(word: str, arguments: Mapping[str, object]) -> KeyProvider:
    """Return the provider of a word, or of a dotted path ("package.module:Class").

    Args:
        word: What the setting names.
        arguments: The provider's own keys of the setting.

    Raises:
        ValueError: There is no such provider, what it needs is not installed, or its arguments are wrong.
    """
    module, colon, name = PROVIDERS.get(word, word).partition(":")
    if not colon:
        close = difflib.get_close_matches(word, PROVIDERS, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"choose {', '.join(PROVIDERS)}"
        raise ValueError(f'no key provider "{word}"; {hint}')
    try:
        made = getattr(import_module(module), name)
    except ImportError as error:
        needed = (error.name or module).partition(".")[0]
        raise ValueError(f"{word}: {needed} is not installed{_remedy(word)}") from error
    except AttributeError as error:
        raise ValueError(f"{word}: {module} has no {name}") from error
    provider: KeyProvider = made.from_arguments(arguments)
    return provider


def _remedy(word: str) -> str:
    if word not in PROVIDERS:
        return ""  # the package is the user's own
    extra = f"keys-{word}" if word in {"vault", "pkcs11"} else "keys"
    return f"; pip install 'logquake[{extra}]'"
