"""Requests to AWS KMS, and its answers, judged strictly."""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from logging_system.keys.provider import ProviderRefusedError, ProviderUnavailableError
from logging_system.keys.providers.arguments import read_credentials
from logging_system.keys.providers.aws_signature import AwsCredentials, signed
from logging_system.keys.providers.key_server import KeyServer
from logging_system.keys.secret import Secret

_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_NO = frozenset(
    {
        "AccessDeniedException",
        "AlreadyExistsException",
        "DisabledException",
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)
_BUSY = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "ThrottlingException",
    }
)


class AwsSaysNoError(Exception):
    """KMS answered that the request cannot be done.

    Args:
        name: One of the names above.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class AwsLogin:
    """The credentials, read again for each request, so that they may be renewed.

    Args:
        file: A credentials file as the AWS tools have it; None for the environment.
        profile: Which section of it.
    """

    def __init__(self, file: Path | None, profile: str = "default") -> None:
        self._file = file
        self._profile = profile

    def __call__(self) -> AwsCredentials:
        """Return the credentials.

        Raises:
            ProviderUnavailableError: The file is not there.
            ProviderRefusedError: It holds none.
        """
        if self._file is None:
            where, texts = "the environment", [os.environ.get(name, "") for name in _VARIABLES]
        else:
            where, texts = f"{self._file} [{self._profile}]", self._in_file(self._file)
        access, secret, session = texts
        if not access or not secret or not all(text.isascii() and text.isprintable() for text in texts):
            raise ProviderRefusedError(f"{where}: holds no {_VARIABLES[0].lower()} with its secret; add them")
        token = Secret(session.encode("ascii")) if session else None
        return AwsCredentials(access, Secret(secret.encode("ascii")), token)

    def _in_file(self, path: Path) -> list[str]:
        parsed = configparser.ConfigParser(interpolation=None)
        text = read_credentials(path, "AWS credentials")
        try:
            parsed.read_string(text)
        except configparser.Error:
            return ["", "", ""]
        return [parsed.get(self._profile, name.lower(), fallback="") for name in _VARIABLES]


class AwsKms:
    """KMS of one region.

    Args:
        server: Where it is.
        region: Its name, which signatures hold.
        login: Gives the credentials of each request.
        now: The time in UTC.
    """

    def __init__(
        self,
        server: KeyServer,
        region: str,
        login: Callable[[], AwsCredentials],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.server = server
        self._region = region
        self._login = login
        self._now = now

    def ask(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        """Return the answer of an action; empty where it has none.

        Args:
            action: Such as `Encrypt`.
            parameters: As KMS names them.

        Raises:
            AwsSaysNoError: The request does not fit what KMS has, or the key's policy.
            ProviderUnavailableError: No answer, or one that says "not now".
            ProviderRefusedError: The credentials are refused, or the answer is not that of KMS.
        """
        body = orjson.dumps(parameters)
        headers = {
            "Host": self.server.authority,
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{action}",
        }
        sent = signed(headers, body, self._login(), region=self._region, service="kms", now=self._now())
        answer = self.server.ask("POST", "/", sent, body)
        content = _object(answer.body)
        if answer.status == 200:
            if content is None and answer.body:
                raise self.refused("its answer is not one of KMS; is this its address?")
            return content or {}
        # "com.amazonaws.kms#NotFoundException" from some, "NotFoundException" from others.
        name = str((content or {}).get("__type", "")).rpartition("#")[2]
        if answer.status >= 500 or answer.status == 429 or name in _BUSY:
            raise ProviderUnavailableError(f"{self.server.url}: HTTP {answer.status}; try again")
        if name in _NO:
            raise AwsSaysNoError(name)
        raise self.refused(
            f"HTTP {answer.status}: it takes neither request nor signature; renew the credentials, and check "
            "the region and this machine's clock"
        )

    def refused(self, why: str) -> ProviderRefusedError:
        """Return the error of an answer that cannot be worked with.

        Args:
            why: What is wrong with it; comes after the server's address, and has nothing secret.
        """
        return ProviderRefusedError(f"{self.server.url}: {why}")


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None
