"""Group commit: one thread executes waiting writes together and answers each after their one commit."""

from __future__ import annotations

import os
import queue
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.storage.catalog import Catalog
from harness.programs.elastic_lite.storage.database import Storage, save_catalog
from harness.programs.elastic_lite.storage.freshness import Visibility

T = TypeVar("T")
WAITING_MAX = 512
WAITING_BYTES_MAX = 256 * 1024 * 1024
GROUP_MAX = 64
PURGE_EVERY_SECONDS = 1.0


@dataclass(slots=True)
class Transaction:
    """What a write works on: the connection, the catalog as it is becoming, and the last position given."""

    connection: sqlite3.Connection
    catalog: Catalog
    position: int
    touched: set[int] = field(default_factory=set)
    superseded: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Job:
    """One waiting write and where its result goes."""

    work: Callable[[Transaction], Any]
    size_bytes: int
    done: Future[Any]


class Writer:
    """Owns the writing connection and the catalog in force.

    Args:
        storage: The opened data folder.
        visibility: Told of every committed write.
    """

    def __init__(self, storage: Storage, visibility: Visibility) -> None:
        self.storage = storage
        self.visibility = visibility
        self.catalog = storage.catalog
        self.position = storage.position
        self.waiting: queue.Queue[Job | None] = queue.Queue(WAITING_MAX)
        self.waiting_bytes = 0
        self.guard = threading.Lock()
        self.superseded: set[int] = set()
        self.purged_seconds = time.monotonic()
        self.thread = threading.Thread(target=self.run, name="writer", daemon=True)
        self.thread.start()

    def submit(self, work: Callable[[Transaction], T], size_bytes: int = 0) -> Future[T]:
        """Queue a write; the future resolves once it is durable.

        Args:
            work: Called on the writer's thread inside a transaction; an ElasticError undoes this write alone.
            size_bytes: What it holds in memory while it waits.

        Raises:
            ElasticError: 429 when too much is waiting.
        """
        done: Future[T] = Future()
        with self.guard:
            if self.waiting_bytes + size_bytes > WAITING_BYTES_MAX and self.waiting_bytes:
                raise rejected(f"{self.waiting_bytes} bytes are waiting to be written")
            self.waiting_bytes += size_bytes
        try:
            self.waiting.put_nowait(Job(work, size_bytes, done))
        except queue.Full as error:
            self.settle(size_bytes)
            raise rejected(f"{WAITING_MAX} requests are waiting to be written") from error
        return done

    def settle(self, size_bytes: int) -> None:
        """Give back the bytes of a write that no longer waits."""
        with self.guard:
            self.waiting_bytes -= size_bytes

    def stop(self, timeout_seconds: float) -> bool:
        """Finish what is waiting, then end the thread; tell whether it ended within the time."""
        try:
            self.waiting.put(None, timeout=timeout_seconds)
        except queue.Full:
            return False
        self.thread.join(timeout_seconds)
        return not self.thread.is_alive()

    def run(self) -> None:
        """The thread: take a group, commit it, answer it, until told to stop."""
        try:
            stopping = False
            while not stopping:
                jobs, stopping = self.take_group()
                self.commit_group([job for job in jobs if self.begin(job)])
                self.purge_when_due()
        except BaseException:
            # Without this thread every write would wait for ever; a dead server is told from a slow one.
            traceback.print_exc()
            os._exit(3)

    def begin(self, job: Job) -> bool:
        """Whether somebody still waits for a write; from here on it cannot be withdrawn."""
        wanted = job.done.set_running_or_notify_cancel()
        if not wanted:
            self.settle(job.size_bytes)
        return wanted

    def take_group(self) -> tuple[list[Job], bool]:
        """Wait for one write and take along those that came meanwhile."""
        jobs: list[Job] = []
        job = self.waiting.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) >= GROUP_MAX:
                return jobs, False
            try:
                job = self.waiting.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def commit_group(self, jobs: list[Job]) -> None:
        """Execute a group in one transaction; nothing is answered or visible before the commit."""
        if not jobs:
            return
        connection = self.storage.connection
        transaction = Transaction(connection, self.catalog, self.position)
        outcomes: list[tuple[Job, Any, Exception | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                outcomes.append((job, *execute(transaction, job)))
            save_catalog(connection, self.catalog, transaction.catalog)
            connection.execute("COMMIT")
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self.fail(jobs, error)
            return
        self.publish(transaction)
        for job, result, failure in outcomes:
            self.settle(job.size_bytes)
            if failure is None:
                job.done.set_result(result)
            else:
                job.done.set_exception(failure)

    def publish(self, transaction: Transaction) -> None:
        """Put what was committed in force."""
        gone = {index.number for index in self.catalog.indices.values()}
        gone -= {index.number for index in transaction.catalog.indices.values()}
        self.catalog, self.position = transaction.catalog, transaction.position
        for number in transaction.touched - gone:
            self.visibility.wrote(number, transaction.position)
        for number in gone:
            self.visibility.forget(number)
        self.superseded = (self.superseded | transaction.superseded) - gone

    def fail(self, jobs: list[Job], error: Exception) -> None:
        """Answer a whole group with what broke it; none of it was written."""
        answer = error
        if isinstance(error, sqlite3.Error):
            answer = ElasticError(
                503, "i_o_exception", f"{self.storage.path}: {error}; nothing was written, try again"
            )
        for job in jobs:
            self.settle(job.size_bytes)
            job.done.set_exception(answer)

    def purge_when_due(self) -> None:
        """Drop rows that were ended before any view that is still in use, at most once a second."""
        now = time.monotonic()
        if not self.superseded or now - self.purged_seconds < PURGE_EVERY_SECONDS:
            return
        self.purged_seconds = now
        connection = self.storage.connection
        try:
            for number in list(self.superseded):
                bound = self.visibility.purgeable(number)
                connection.execute("DELETE FROM documents WHERE number=? AND ended<=?", (number, bound))
                rest = connection.execute(
                    "SELECT 1 FROM documents WHERE number=? AND ended IS NOT NULL LIMIT 1", (number,)
                )
                if rest.fetchone() is None:
                    self.superseded.discard(number)
        except sqlite3.Error as error:
            # The rows stay and cost space only; the next write finds out whether the disk still works.
            print(f"{self.storage.path}: old versions stay for now: {error}", file=sys.stderr)


def execute(transaction: Transaction, job: Job) -> tuple[Any, Exception | None]:
    """Run one write; an error of the request undoes it and leaves the rest of the group alone."""
    before = transaction.catalog
    transaction.connection.execute("SAVEPOINT job")
    try:
        result = job.work(transaction)
    except sqlite3.Error:
        raise  # the file is in trouble, and with it the whole group
    except Exception as error:
        transaction.connection.execute("ROLLBACK TO job")
        transaction.catalog = before
        return None, error
    finally:
        transaction.connection.execute("RELEASE job")
    return result, None


def rejected(why: str) -> ElasticError:
    """A 429: the server has more to write than it may hold."""
    return ElasticError(
        429, "es_rejected_execution_exception", f"rejected execution of coordinating operation: {why}"
    )
