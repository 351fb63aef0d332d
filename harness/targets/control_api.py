"""One call to the control API of a proxy program: what it answered, or why there is no answer."""

from __future__ import annotations

import time
from dataclasses import dataclass

import orjson
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError


class TimedOutError(Exception):
    """The program took the call and did not answer it whole in time."""


class UnreachableError(Exception):
    """Nothing answers HTTP at the address."""


class TooLongError(Exception):
    """The answer is longer than any that the API gives.

    Attributes:
        status: the HTTP status it had.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `where` names the call, for messages."""

    where: str
    status: int
    body: bytes


class ControlApi:
    """Calls one program on this machine. Each call opens a connection of its own, so a restart needs no care.

    Every wait of a call, for the connection and for bytes, ends after `timeout_seconds`, and the whole body
    must be there by then too.
    """

    def __init__(self, url: str, timeout_seconds: float, answer_bytes_max: int) -> None:
        """Remember where the program is; nothing is sent yet.

        Args:
            url: `http://host:port` of the API.
            timeout_seconds: bound of each call.
            answer_bytes_max: bound of each answer's body.
        """
        self.url = url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self._answer_bytes_max = answer_bytes_max
        self._session = requests.Session()
        # A loopback call must not go through the HTTP proxy that the environment may name.
        self._session.trust_env = False
        self._session.headers.update(
            {"User-Agent": "logquake", "Connection": "close", "Accept-Encoding": "identity"}
        )

    def close(self) -> None:
        """Let go of what it holds; the program keeps running."""
        self._session.close()

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Make one call, `body` as JSON where there is one.

        Raises:
            TimedOutError: the answer is not there in time.
            UnreachableError: there is none to be had.
            TooLongError: there is too much of it.
        """
        where = f"{method} {self.url}{path}"
        deadline = time.monotonic() + self.timeout_seconds
        try:
            with self._session.request(
                method,
                self.url + path,
                data=None if body is None else orjson.dumps(body),
                headers={} if body is None else {"Content-Type": "application/json"},
                timeout=self.timeout_seconds,
                stream=True,
                allow_redirects=False,
            ) as response:
                return Answer(where, response.status_code, self._read(where, response, deadline))
        except (requests.Timeout, ReadTimeoutError) as error:
            raise TimedOutError(f"{where}: no answer within {self.timeout_seconds:g} s.") from error
        except (requests.RequestException, HTTPError) as error:
            raise UnreachableError(f"{where}: no answer ({error}).") from error

    def _read(self, where: str, response: requests.Response, deadline: float) -> bytes:
        """Return the body, as far as it comes before the deadline and fits into memory."""
        body = bytearray()
        # read1 returns what has arrived: a server that sends a byte now and then cannot outwait the deadline.
        while chunk := response.raw.read1(65536):
            body += chunk
            if len(body) > self._answer_bytes_max:
                message = f"{where}: the answer exceeds {self._answer_bytes_max} bytes."
                raise TooLongError(message, response.status_code)
            if time.monotonic() > deadline:
                raise requests.Timeout("the body did not end in time")
        return bytes(body)
