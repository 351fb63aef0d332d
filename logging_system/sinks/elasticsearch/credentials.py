"""Credentials: a password or an API key, read again from its file when the store rejects it."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

from elastic_transport.client_utils import basic_auth_to_header

CONCEALED = b"***"
SECRET_BYTES_MAX = 64 * 1024
_CONCEALED_BYTES_MIN = 8
_REMEMBERED_MAX = 3


def _kept(new: str, before: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Add a secret to those used before; a shorter one would conceal every other word."""
    if len(new.encode()) < _CONCEALED_BYTES_MIN:
        return before
    return (new.encode(), *(each for each in before if each != new.encode()))[:_REMEMBERED_MAX]


class Credentials:
    """One identity and its secret, which leaves this object only in a request's header.

    Args:
        username: For basic authentication, with `password` or `password_file`.
        password: The password itself.
        password_file: A file that holds it; a newline at its end is not part of it.
        api_key: An Elasticsearch API key, in its encoded form (base64 of `id:key`).
        api_key_file: A file that holds it.
        authorization: A ready header for basic authentication, as it follows from a URL.

    Raises:
        ValueError: More than one way, or half of one, is given; or a file cannot be read.
    """

    def __init__(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        password_file: Path | None = None,
        api_key: str | None = None,
        api_key_file: Path | None = None,
        authorization: str | None = None,
    ) -> None:
        if sum(map(bool, (password, password_file, api_key, api_key_file, authorization))) > 1:
            raise ValueError(
                "give one of password, password_file, api_key, api_key_file and credentials in the URL"
            )
        if bool(username) is not bool(password or password_file):
            raise ValueError("username goes with password or password_file, and neither goes without it")
        self._username = username
        self._path = password_file or api_key_file
        self._lock = threading.Lock()
        self._header: str | None = None
        self._tokens: tuple[bytes, ...] = ()
        self._secrets: tuple[bytes, ...] = ()
        if self._path is not None:
            self._adopt(self._read(self._path))
        elif password or api_key:
            self._adopt(password or api_key or "")
        elif authorization:
            token = authorization.partition(" ")[2]
            self._username, _, secret = base64.b64decode(token).decode().partition(":")
            self._adopt(secret)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self._header is not None

    @property
    def header(self) -> str | None:
        """The `Authorization` header's value; None without credentials."""
        return self._header

    def refused(self, header: str | None) -> str:
        """Read the secret again after the store refused it.

        Args:
            header: What was refused; where another thread has read a new one meanwhile, nothing is done.

        Returns:
            What stands in the way of a new secret; empty when there is a new one.
        """
        with self._lock:
            if header != self._header:
                return ""
            if self._path is None:
                return "the store rejected the credentials, and no file is set to read new ones from"
            try:
                self._adopt(self._read(self._path))
            except ValueError as error:
                return str(error)
            return "" if header != self._header else f"the store rejected the credentials in {self._path}"

    def conceal(self, text: bytes, *, only_tokens: bool = False) -> bytes:
        """Return `text` without what a server or proxy might repeat of our secrets.

        Args:
            text: What came back, or what will be shown.
            only_tokens: Leave the secret itself alone: in an answer that is to be read, a password like
                "errors" is a key.
        """
        for hidden in self._tokens if only_tokens else (*self._tokens, *self._secrets):
            text = text.replace(hidden, CONCEALED)
        return text

    def _adopt(self, secret: str) -> None:
        user = self._username
        if not secret.isprintable() or (not user and not (secret.isascii() and " " not in secret)):
            # Checked here, because what HTTP refuses it repeats in its error.
            raise ValueError("the secret has characters that cannot be sent; give it alone, on one line")
        header = basic_auth_to_header((user, secret)) if user else f"ApiKey {secret}"
        # Answers to requests with the secret before may still be under way.
        self._tokens = _kept(header.partition(" ")[2], self._tokens)
        self._secrets = _kept(secret, self._secrets)
        self._header = header

    @staticmethod
    def _read(path: Path) -> str:
        try:
            with path.open("rb") as file:
                content = file.read(SECRET_BYTES_MAX).decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise ValueError(f"{path}: {reason}; name a readable file that holds the secret alone") from None
        if not content or not content.isprintable():
            raise ValueError(f"{path}: the file must hold the secret alone, on one line")
        return content
