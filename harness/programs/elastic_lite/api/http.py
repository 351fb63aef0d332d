"""The nouns between HTTP and the API: a call, an answer, and the server that handlers work on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from harness.programs.elastic_lite.language.declarations import Declaration
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    parse_error,
    unsupported,
)
from harness.programs.elastic_lite.language.spelled_json import (
    RepeatedNameError,
    is_plain,
    refuse_comments,
    reread,
)
from harness.programs.elastic_lite.storage.catalog import Catalog
from harness.programs.elastic_lite.storage.database import Storage
from harness.programs.elastic_lite.storage.freshness import Visibility
from harness.programs.elastic_lite.storage.scrolls import Scrolls
from harness.programs.elastic_lite.storage.targets import Targets, parse_wildcards
from harness.programs.elastic_lite.storage.writer import Transaction, Writer

T = TypeVar("T")
Json = dict[str, Any]
READERS_MAX = 4
VERSION = "8.19.0"


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Args:
        method: In capitals.
        names: What its path gave.
        parameters: Of the query string; all are declared by the route.
        body: Decompressed.
        keys: The keys that its JSON body may have; None where the handler reads the body by itself.
        address: Where this server was reached, as `host:port`.
        accept: The media types that the client takes.
    """

    method: str
    names: dict[str, str]
    parameters: dict[str, str]
    body: bytes
    keys: Declaration | None = None
    address: str = ""
    accept: str = ""

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean parameter; present without a value means true.

        Raises:
            ElasticError: 400 for another word.
        """
        value = self.parameters.get(name)
        if value is None:
            return default
        if value not in ("", "true", "false"):
            raise illegal_argument(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")
        return value != "false"

    def json(self, required: bool = False) -> Json:
        """The body as an object; empty when there is none.

        Raises:
            ElasticError: 400 for a body that is no JSON object, or is missing and required.
        """
        if not self.body.strip():
            if required:
                raise parse_error("request body or source parameter is required")
            return {}
        parsed = read_json(self.body)
        if not isinstance(parsed, dict):
            raise ElasticError(400, "parsing_exception", "Expected [START_OBJECT] but found another token")
        if self.keys is not None:
            self.keys.check(parsed)
        return parsed

    def targets(self) -> Targets:
        """How the names and patterns of the path are to be read.

        Raises:
            ElasticError: 400 for a malformed parameter.
        """
        expression = self.names.get("index", self.names.get("name", ""))
        return Targets(
            ignore_unavailable=self.flag("ignore_unavailable"),
            allow_no_indices=self.flag("allow_no_indices", True),
            wildcards=parse_wildcards(self.parameters.get("expand_wildcards"), expression),
        )


def read_json(body: bytes) -> Any:
    """A JSON body, its odd numbers marked.

    Raises:
        ElasticError: 400 for a body that is no JSON, has a name twice, or is JSON to Elasticsearch only.
    """
    try:
        parsed = orjson.loads(body)
        return parsed if is_plain(parsed, body) else reread(body)
    except RepeatedNameError as error:
        reason = f"[1:1] Duplicate field '{error}'"
        raise ElasticError(400, "x_content_parse_exception", reason) from error
    except orjson.JSONDecodeError as error:
        try:
            reread(body)
        except ValueError:
            refuse_comments(body)
            reason = f"[{error.lineno}:{error.colno}] {error.msg}"
            raise ElasticError(400, "x_content_parse_exception", reason) from error
        raise unsupported("half a surrogate pair, or a byte order mark, in a request's body") from error


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: a JSON value, or text where the API speaks text."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Server:
    """What handlers work on: the writer, the visibility, and threads that read.

    Args:
        storage: The opened data folder.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.visibility = Visibility(storage.position, time.monotonic)
        self.writer = Writer(storage, self.visibility)
        self.scrolls = Scrolls()
        self.threads = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="reader")
        self.local = threading.local()

    @property
    def catalog(self) -> Catalog:
        """What exists, as last committed."""
        return self.writer.catalog

    def connection(self) -> sqlite3.Connection:
        """The reading connection of the calling thread."""
        found: sqlite3.Connection | None = getattr(self.local, "connection", None)
        if found is None:
            found = self.local.connection = self.storage.open_for_reading()
        return found

    async def on_thread(self, work: Callable[[], T]) -> T:
        """Run work that reads or computes off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    async def write(self, work: Callable[[Transaction], T], size_bytes: int = 0) -> T:
        """Run a write; it is durable when this returns."""
        return await asyncio.wrap_future(self.writer.submit(work, size_bytes))

    def close(self, timeout_seconds: float) -> None:
        """Finish waiting writes and release the folder; one that is still writing then keeps it."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        if self.writer.stop(timeout_seconds):
            self.storage.close()


Handler = Callable[[Server, Call], Awaitable[Answer]]
ACKNOWLEDGED = Answer({"acknowledged": True})
