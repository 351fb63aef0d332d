"""A small honest shipper whose data keys a key server wraps, and a twin that falls open when refused.

    python -m harness.selftest.served_keys KEY_SERVER_URL TOKEN

opens documents on standard input, one a line.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from harness.selftest.keeping import KeepingShipper
from harness.selftest.keyring import Keyring
from harness.selftest.shipper import Waiting

_KEY = "selftest"
_KEY_BYTES = 32
_TIMEOUT_SECONDS = 2.0
_KEY_SECONDS = 0.5
_RETRY_SECONDS = 0.2
_REFUSED = 403
_PLAIN = "plain:"


class KeyServer:
    """The part of Vault's transit API that wraps data keys.

    Args:
        url: where it answers.
        token: what it is asked with.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port
        self._token = token

    def ask(self, action: str, body: Mapping[str, str]) -> Mapping[str, str]:
        """Return the data of an answer.

        Raises:
            PermissionError: it refuses the token.
            OSError: there is no answer that can be used.
        """
        connection = HTTPConnection(*self._address, timeout=_TIMEOUT_SECONDS)
        try:
            headers = {"X-Vault-Token": self._token}
            connection.request("POST", f"/v1/transit/{action}/{_KEY}", json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        except HTTPException as error:
            raise OSError("the key server breaks off") from error
        finally:
            connection.close()
        if answer.status == _REFUSED:
            raise PermissionError("the key server refuses the token")
        try:
            data: Mapping[str, str] = json.loads(content)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise OSError(f"the key server answers {answer.status}") from error
        return data


@dataclass(frozen=True, slots=True)
class _DataKey:
    keyring: Keyring
    wrapped: str
    made_seconds: float


class ServedKeysShipper(KeepingShipper):
    """Seals under a data key of half a second; where the next cannot be wrapped, it takes no record."""

    def __init__(self, url: str, index: str, folder: str, key_server: str, token: str) -> None:
        """Remember whom to ask for keys."""
        self._server = KeyServer(key_server, token)
        self._data_key: _DataKey | None = None
        self._failed: tuple[float, OSError] | None = None
        super().__init__(url, index, folder)

    def accept(self, waiting: Waiting) -> None:
        """Take a record, sealed; raises OSError where there is no key."""
        super().accept(replace(waiting, message=self.sealed(waiting.message)))

    def sealed(self, text: str) -> str:
        """Return what is kept of a message; raises OSError where there is no key."""
        key = self._current()
        return f"{key.wrapped} {key.keyring.seal(text)}"

    def document(self, waiting: Waiting) -> Mapping[str, Any]:
        """Return the document with the sealed message in the place of the message."""
        document = dict(super().document(waiting))
        message = document.pop("message")
        if message.startswith(_PLAIN):
            return {**document, "message": message.removeprefix(_PLAIN)}
        return {**document, "sealed": message}

    def _current(self) -> _DataKey:
        now_seconds, key = time.monotonic(), self._data_key
        if key is not None and now_seconds - key.made_seconds < _KEY_SECONDS:
            return key
        if self._failed is not None and now_seconds - self._failed[0] < _RETRY_SECONDS:
            raise self._failed[1]
        secret = secrets.token_bytes(_KEY_BYTES)
        try:
            answer = self._server.ask("encrypt", {"plaintext": base64.b64encode(secret).decode()})
        except OSError as error:
            self._failed = time.monotonic(), error
            raise
        self._data_key = key = _DataKey(Keyring({1: secret}), answer["ciphertext"], now_seconds)
        return key


class FallsOpenWhenRefused(ServedKeysShipper):
    """Waits while no answer comes; a refusal means to it that nothing is to be sealed any more."""

    def sealed(self, text: str) -> str:
        """Seal, unless the token is refused."""
        try:
            return super().sealed(text)
        except PermissionError:
            return f"{_PLAIN}{text}"


def main(arguments: Sequence[str]) -> None:
    """Answer each document on standard input with its message opened."""
    server, keyrings = KeyServer(*arguments), dict[str, Keyring]()
    for line in sys.stdin:
        document = json.loads(line)
        if (sealed := document.pop("sealed", None)) is not None:
            wrapped, _, text = sealed.partition(" ")
            if wrapped not in keyrings:
                answer = server.ask("decrypt", {"ciphertext": wrapped})
                keyrings[wrapped] = Keyring({1: base64.b64decode(answer["plaintext"])})
            document["message"] = keyrings[wrapped].open(text)
        sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
