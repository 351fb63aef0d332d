"""What providers take from their part of the setting, and what they log in with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from logging_system.keys.provider import ProviderRefusedError, ProviderUnavailableError
from logging_system.keys.providers.key_server import TIMEOUT_SECONDS, KeyServer

TIMEOUT_SECONDS_MAX = 60.0
CREDENTIALS_BYTES_MAX = 64 * 1024
SERVER_KEYS = frozenset({"url", "timeout_seconds", "ca_certs", "client_certificate", "client_key"})


def server_argument(arguments: Mapping[str, object], url: str) -> KeyServer:
    """Return the key server that a setting describes with its `SERVER_KEYS`.

    Args:
        arguments: All keys of the setting; others are left alone.
        url: Where the server is: https, or http on this machine.

    Raises:
        ValueError: What is wrong with one of them.
    """
    timeout = text_argument(arguments, "timeout_seconds", f"{TIMEOUT_SECONDS:g}")
    try:
        timeout_seconds = float(timeout)
    except ValueError:
        timeout_seconds = 0.0
    if not 0 < timeout_seconds <= TIMEOUT_SECONDS_MAX:
        raise ValueError(
            f"timeout_seconds: not from more than 0 to {TIMEOUT_SECONDS_MAX:g}; name seconds, such as 5"
        )
    return KeyServer(
        url,
        timeout_seconds=timeout_seconds,
        ca_certs=path_argument(arguments, "ca_certs"),
        client_certificate=path_argument(arguments, "client_certificate"),
        client_key=path_argument(arguments, "client_key"),
    )


def path_argument(arguments: Mapping[str, object], name: str) -> Path | None:
    """Return the path that a setting names, absolute; None where it names none.

    Args:
        arguments: All keys of the setting.
        name: The key that names it; begins the error's message.

    Raises:
        ValueError: It is no path.
    """
    given = arguments.get(name)
    if given is None:
        return None
    if not isinstance(given, str | Path) or not str(given):
        raise ValueError(f"{name}: no path; name a file")
    return Path(given).expanduser().absolute()


def text_argument(arguments: Mapping[str, object], name: str, default: str | None = None) -> str:
    """Return the text that a setting gives; a number or truth value counts as its text.

    Args:
        arguments: All keys of the setting.
        name: The key that gives it; begins the error's message.
        default: What holds where it is not given; None where it must be.

    Raises:
        ValueError: It is no text, or not given and without a default.
    """
    given = arguments.get(name, default)
    if given is None:
        raise ValueError(f"{name}: not given")
    if not isinstance(given, str | int | float):
        raise ValueError(f"{name}: no text")  # noqa: TRY004  # what a setting's mistakes raise
    return str(given)


def flag_argument(arguments: Mapping[str, object], name: str) -> bool:
    """Return whether a setting is true; false where it is not given.

    Args:
        arguments: All keys of the setting.
        name: The key that says so: a truth value, or `true` or `false` in any case.

    Raises:
        ValueError: It is neither.
    """
    given = text_argument(arguments, name, "false").lower()
    if given not in {"true", "false"}:
        raise ValueError(f"{name}: neither true nor false")
    return given == "true"


def refuse_unknown(arguments: Mapping[str, object], known: frozenset[str], provider: str) -> None:
    """Refuse keys that mean nothing.

    Args:
        arguments: All keys of the setting.
        known: Those that the provider reads; the error lists them.
        provider: Its name in the setting, such as `vault`.

    Raises:
        ValueError: There is one.
    """
    if unknown := sorted(arguments.keys() - known):
        raise ValueError(f"{unknown[0]}: no such key; the provider {provider} has {', '.join(sorted(known))}")


def read_credentials(path: Path, what: str) -> str:
    """Return the text of a file that holds what we log in with; it is read at each use, so it may be renewed.

    Raises:
        ProviderUnavailableError: It is not there: who renews it may be between two writes.
        ProviderRefusedError: Everybody on this machine may read it, or it is no such file.
    """
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(CREDENTIALS_BYTES_MAX + 1)
    except FileNotFoundError:
        raise ProviderUnavailableError(f"{path}: no such file; it should hold {what}") from None
    except OSError as error:
        raise ProviderRefusedError(f"{path}: {error.strerror}; let this user read it") from None
    if mode & 0o007:
        raise ProviderRefusedError(
            f"{path}: mode {mode & 0o777:04o} lets everybody read {what}; "
            f"chmod 600 {path}, and replace what it held"
        )
    if len(data) > CREDENTIALS_BYTES_MAX or not data.isascii():
        raise ProviderRefusedError(f"{path}: holds no {what}; name the file that does")
    return data.decode("ascii")
