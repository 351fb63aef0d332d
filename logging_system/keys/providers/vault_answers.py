"""Vault's answers, judged strictly; hvac's transit API speaks through this in place of its own adapter.

hvac gives the paths and parameters. Its own adapter follows redirects with the token, waits without an
overall bound and puts answers into exceptions, which is why requests go another way here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from logging_system.keys.provider import ProviderRefusedError, ProviderUnavailableError
from logging_system.keys.providers.key_server import KeyServer, ServerAnswer
from logging_system.keys.secret import Secret

_OK, _NO_CONTENT, _BAD_REQUEST, _NOT_FOUND, _SERVER_ERROR = 200, 204, 400, 404, 500
_BUSY = frozenset({412, 429, 472, 473})
"""A replica that lags behind, too many requests, and what a standby answers."""
_SEALED = 503
_UNFIT = "failed to RSA decrypt"
"""What Vault says with 500 where RSA ciphertext does not belong to the key: no outage, it stays that way."""


class VaultSaysNoError(Exception):
    """Vault answered, in its own form, that the request cannot be done; the key's state says why."""


class VaultAnswers:
    """Takes the place of an hvac adapter.

    Args:
        server: Where Vault is.
        token: Gives the token of each request.
        namespace: Vault's namespace; empty for the root.
    """

    def __init__(self, server: KeyServer, token: Callable[[], Secret], namespace: str = "") -> None:
        self._server = server
        self._token = token
        self._namespace = namespace

    def get(self, url: str) -> Mapping[str, Any]:
        """Ask for something; see `_request` for what comes back and what is raised.

        Args:
            url: Path from the server's address on, as hvac makes it: `/v1/…`.

        Returns:
            The answer's `data`; empty where it has none.
        """
        return self._request("GET", url)

    def post(self, url: str, json: object = None) -> Mapping[str, Any]:
        """Change something; see `_request` for what comes back and what is raised.

        Args:
            url: Path from the server's address on, as hvac makes it: `/v1/…`.
            json: The body before it is encoded; None sends none.

        Returns:
            The answer's `data`; empty where it has none.
        """
        return self._request("POST", url, b"" if json is None else orjson.dumps(json))

    def delete(self, url: str) -> Mapping[str, Any]:
        """Delete something; see `_request` for what comes back and what is raised.

        Args:
            url: Path from the server's address on, as hvac makes it: `/v1/…`.

        Returns:
            The answer's `data`; empty where it has none.
        """
        return self._request("DELETE", url)

    def _request(self, method: str, url: str, body: bytes = b"") -> Mapping[str, Any]:
        """Return the `data` of the answer; empty where there is none.

        Raises:
            VaultSaysNoError: The request does not fit what Vault has.
            ProviderUnavailableError: No answer, or one that says "not now".
            ProviderRefusedError: The token may not, or the answer is not Vault's.
        """
        headers = {"X-Vault-Request": "true", "X-Vault-Token": self._token().reveal().decode("ascii")}
        if body:
            headers["Content-Type"] = "application/json"
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        return self._judged(self._server.ask(method, url, headers, body))

    def _judged(self, answer: ServerAnswer) -> Mapping[str, Any]:
        status = answer.status
        if status == _NO_CONTENT:
            return {}
        if status == _OK:
            data = _object(answer.body).get("data")
            if isinstance(data, dict):
                return data
            raise self._refused("its answer is not one of Vault's; is this its address?")
        if status in {401, 403}:
            raise self._refused(
                f"HTTP {status}: the token expired, was revoked, or may not do this; renew it or its policy"
            )
        if _is_no(status, answer.body):
            raise VaultSaysNoError
        if status in _BUSY or status >= 500:
            hint = "sealed, or not ready: unseal it" if status == _SEALED else "try again"
            raise ProviderUnavailableError(f"{self._server.url}: HTTP {status}; {hint}")
        if 300 <= status < 400:
            raise self._refused(
                f"HTTP {status} to another server, which must not get the token; name that server"
            )
        raise self._refused(f"HTTP {status}; is this Vault, and is its transit engine at this mount?")

    def _refused(self, why: str) -> ProviderRefusedError:
        return ProviderRefusedError(f"{self._server.url}: {why}")


def _is_no(status: int, body: bytes) -> bool:
    errors = _object(body).get("errors")
    if not isinstance(errors, list):
        return False
    if status == _SERVER_ERROR:
        return any(isinstance(error, str) and _UNFIT in error for error in errors)
    # Something that is not there has no errors; a path that nobody answers is told as one.
    return status == _BAD_REQUEST or (status == _NOT_FOUND and not errors)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
