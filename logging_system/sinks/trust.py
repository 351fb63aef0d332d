"""Which servers are believed to be who they say they are, re-read when the authorities' file changes."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from logging_system.sinks.bounded_connection import obey_bounds


class Trust:
    """Makes TLS contexts from a file of certificate authorities.

    Authorities are replaced without a restart: the file may be written in place, renamed over, or be a link
    that is pointed elsewhere. While the new content cannot be read, the old one goes on counting.

    Args:
        ca_certs: PEM file of the authorities that may sign the server's certificate, and no others; None
            takes the system's.
        verify: False believes any server. For trying things out: whoever is in between reads the logs and
            the credentials.

    Raises:
        ValueError: The file cannot be read or holds no certificate.
    """

    def __init__(self, ca_certs: Path | None, verify: bool = True) -> None:
        self._path = ca_certs
        self._verify = verify
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._content = ""
        self._trouble = ""
        try:
            self._seen, self._content = self._stamp(), self._read()
            self._context = self._make(self._content)
        except (OSError, ValueError) as error:
            raise ValueError(self._explain(error)) from error

    @property
    def trouble(self) -> str:
        """Why the file's present content is not used; empty while it is."""
        return self._trouble

    def context(self, *, look_closely: bool = False) -> ssl.SSLContext:
        """Return the context to connect with: the same object until the authorities change.

        Args:
            look_closely: Read the file even where its size, time and inode are as before.
        """
        if self._path is None:
            return self._context
        with self._lock:
            try:
                stamp = self._stamp()
                if stamp != self._seen or look_closely:
                    content = self._read()
                    if content != self._content:
                        self._context = self._make(content)
                        self._content = content
                    self._seen = stamp
                    self._trouble = ""
            except (OSError, ValueError) as error:
                self._trouble = f"{self._explain(error)}; the authorities read before go on counting"
            return self._context

    def _stamp(self) -> tuple[int, ...] | None:
        if self._path is None:
            return None
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev, found.st_size

    def _read(self) -> str:
        return "" if self._path is None else self._path.read_text("ascii", "replace")

    def _make(self, content: str) -> ssl.SSLContext:
        # With authorities given, those of the system are not loaded: only the operator's may sign.
        context = (
            ssl.create_default_context(cadata=content or None) if self._path is None or content else None
        )
        if context is None:
            raise ValueError("it is empty")
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return obey_bounds(context)

    def _explain(self, error: Exception) -> str:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"ca_certs {self._path}: {reason}; name a readable file of PEM certificates"
