"""TLS: trusted authorities and the client certificate, from files that are read again when they change."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from logging_system.connections.bounded_connection import obey_bounds

_FORM_ERRORS = range(80, 95)
"""What OpenSSL 3 checks if strict: X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA to …_EC_KEY_EXPLICIT_PARAMS."""

_KEPT = "the authorities read before stay in use"
_CERTIFICATE_KEPT = "the certificate read before stays in use"


class Trust:
    """Makes TLS contexts from a file of certificate authorities and, where the store asks, our certificate.

    Both are replaced without a restart: a file may be written in place, renamed over, or be a link that is
    pointed elsewhere. While the new content cannot be used, the old one goes on counting; so a certificate
    and its key, written one after the other, count once they fit.

    Args:
        ca_certs: PEM file of the authorities that may sign the server's certificate, and no others; None
            takes the system's.
        verify: False believes any server. For trying things out: whoever is in between reads the logs and
            the credentials.
        client_certificate: PEM file of our certificate, with those of authorities between it and the one that
            the server believes; None shows none.
        client_key: PEM file of its key, not encrypted; None where the certificate's file holds it.

    Raises:
        ValueError: A file cannot be read or does not hold what it should.
    """

    def __init__(
        self,
        ca_certs: Path | None,
        verify: bool = True,
        *,
        client_certificate: Path | None = None,
        client_key: Path | None = None,
    ) -> None:
        if client_key is not None and client_certificate is None:
            raise ValueError("client_key goes with client_certificate; name the certificate's file too")
        self._ca_certs = ca_certs
        self._verify = verify
        self._client_certificate = client_certificate
        self._client_key = client_key
        self._files = {
            name: path
            for name, path in (
                ("ca_certs", ca_certs),
                ("client_certificate", client_certificate),
                ("client_key", client_key),
            )
            if path is not None
        }
        self._lock = threading.Lock()
        self._trouble = ""
        self._seen = self._stamps()
        self._contents = self._read()
        self._context = self._make(self._contents)

    @property
    def trouble(self) -> str:
        """Why the files' present content is not used; empty while it is."""
        return self._trouble

    def context(self, *, look_closely: bool = False) -> ssl.SSLContext:
        """Return the context to connect with: the same object until a file's content changes.

        Args:
            look_closely: Read the files even where their sizes, times and inodes are as before.
        """
        if not self._files:
            return self._context
        with self._lock:
            try:
                stamps = self._stamps()
                # What could not be used is tried again although it has not changed: its other half may have.
                if stamps != self._seen or look_closely or self._trouble:
                    contents = self._read()
                    if contents != self._contents:
                        self._context = self._make(contents)
                        self._contents = contents
                    self._seen = stamps
                    self._trouble = ""
            except ValueError as error:
                kept = _KEPT if str(error).startswith("ca_certs") else _CERTIFICATE_KEPT
                self._trouble = f"{error}; {kept}"
            return self._context

    def _stamps(self) -> list[tuple[int, ...]]:
        stamps: list[tuple[int, ...]] = []
        for name, path in self._files.items():
            try:
                found = path.stat()
            except OSError as error:
                raise ValueError(_explain(name, path, error)) from error
            stamps.append((found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev, found.st_size))
        return stamps

    def _read(self) -> dict[str, str]:
        contents = {}
        for name, path in self._files.items():
            try:
                contents[name] = path.read_text("ascii", "replace")
            except OSError as error:
                raise ValueError(_explain(name, path, error)) from error
        return contents

    def _make(self, contents: dict[str, str]) -> ssl.SSLContext:
        context = self._believing(contents)
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._client_certificate is not None:
            try:
                context.load_cert_chain(self._client_certificate, self._client_key, _no_password)
            except (OSError, ValueError) as error:
                raise ValueError(
                    _explain("client_certificate", self._client_certificate, error, "certificate and its key")
                ) from error
        return obey_bounds(context)

    def _believing(self, contents: dict[str, str]) -> ssl.SSLContext:
        context = self._default_context(contents)
        # From 3.13 on, Python's default refuses authorities without a key usage, and so those that
        # Elasticsearch 8.0 to 8.17 made for themselves. Signatures, dates and names are checked all the same.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def _default_context(self, contents: dict[str, str]) -> ssl.SSLContext:
        if self._ca_certs is None:
            return ssl.create_default_context()
        try:
            # With authorities given, those of the system are not loaded: only the operator's may sign. An
            # empty text would count as none given.
            return ssl.create_default_context(cadata=contents["ca_certs"] or "it is empty")
        except (OSError, ValueError) as error:
            raise ValueError(_explain("ca_certs", self._ca_certs, error)) from error


def of_verification(error: ssl.SSLCertVerificationError) -> str:
    """Return why a server was not believed, with a remedy where the reason alone names none.

    Args:
        error: What the handshake raised.
    """
    text = f"the server certificate is not trusted: {error.verify_message}"
    if error.verify_code in _FORM_ERRORS:
        text += (
            "; this machine's OpenSSL checks the form of certificates strictly (RFC 5280), and those that "
            "Elasticsearch 8.0 to 8.17 makes for itself do not pass: make them anew with "
            "elasticsearch-certutil of 8.18 or later, or take the check out of OpenSSL's configuration"
        )
    return text


def _no_password() -> str:
    # Without this, OpenSSL would ask for it on the terminal.
    raise ValueError("the key is encrypted; store it without a password, readable by this user alone")


def _explain(name: str, path: Path, error: Exception, what: str = "certificates") -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{name} {path}: {reason}; name a readable file of PEM {what}"
