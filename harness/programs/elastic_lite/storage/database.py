"""The data folder: one SQLite file of documents and catalog, held by one process, readable by many threads.

A write ends the row of the version before it and adds a new one at the next position. A reader names
a position and sees exactly the rows added and not yet ended there; that gives near-real-time
search and points in time.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import orjson

from harness.programs.elastic_lite.language.errors import DataFolderError, ElasticError
from harness.programs.elastic_lite.storage.catalog import Catalog, Index, index_of, stream_of

APPLICATION_ID = 0x6C71656C  # "lqel": whose file this is, in SQLite's own header
FORMAT_VERSION = 2
FULL_CHECK_BYTES_MAX = 64 * 1024 * 1024
SCHEMA = """
CREATE TABLE catalog (
  kind TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE documents (
  position INTEGER PRIMARY KEY, number INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
  seq_no INTEGER NOT NULL, deleted INTEGER NOT NULL, ended INTEGER, source BLOB NOT NULL,
  ignored TEXT);
CREATE UNIQUE INDEX live ON documents (number, id) WHERE ended IS NULL;
CREATE INDEX placed ON documents (number, position, deleted, ended);
CREATE INDEX finished ON documents (number, ended) WHERE ended IS NOT NULL;
"""


class Storage:
    """An opened data folder.

    Args:
        folder: Made when missing.

    Raises:
        DataFolderError: It is in use, unreadable, or holds something else or something damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "elastic_lite.sqlite3"
        self.lock = lock_folder(folder)
        self.connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            self.prepare()
            self.catalog = self.load_catalog()
            found = self.connection.execute("SELECT MAX(position) FROM documents").fetchone()[0]
            self.position = int(found or 0)
            self.connection.execute("DELETE FROM documents WHERE ended IS NOT NULL")
        except (sqlite3.Error, ValueError, KeyError, TypeError, ElasticError) as error:
            self.close()
            raise self.damaged(str(error)) from error
        except DataFolderError:
            self.close()
            raise

    def damaged(self, what: str) -> DataFolderError:
        """The error for a file that cannot be served."""
        return DataFolderError(
            f"{self.path}: not a usable elastic_lite data file ({what}). "
            "Restore it from a copy, or remove the folder (its documents are lost) and start again."
        )

    def prepare(self) -> None:
        """Make every commit of the writing connection durable, and the file one of this program's.

        Raises:
            DataFolderError: It is another program's, another format's, or damaged.
        """
        connection = self.connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-65536")
        application, version = (
            connection.execute(f"PRAGMA {it}").fetchone()[0] for it in ("application_id", "user_version")
        )
        if (application, version) == (0, 0) and not list(
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
        ):
            connection.executescript(
                f"BEGIN;{SCHEMA}PRAGMA application_id={APPLICATION_ID};PRAGMA "
                f"user_version={FORMAT_VERSION};COMMIT;"
            )
        elif (application, version) != (APPLICATION_ID, FORMAT_VERSION):
            raise self.damaged(
                f"application id {application}, format {version}; expected format {FORMAT_VERSION}"
            )
        if self.path.stat().st_size <= FULL_CHECK_BYTES_MAX:
            state = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if state != "ok":
                raise self.damaged(str(state))

    def open_for_reading(self) -> sqlite3.Connection:
        """A connection for one reading thread."""
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    def load_catalog(self) -> Catalog:
        """The catalog as last committed."""
        rows: dict[str, dict[str, Any]] = {}
        for kind, name, body in self.connection.execute("SELECT kind, name, body FROM catalog"):
            rows.setdefault(kind, {})[name] = orjson.loads(body)
        indices = {
            name: index_of(body, self.seq_no_next(body["number"]))
            for name, body in rows.get("index", {}).items()
        }
        return Catalog(
            indices=indices,
            streams={name: stream_of(body) for name, body in rows.get("stream", {}).items()},
            index_templates=rows.get("index_template", {}),
            component_templates=rows.get("component_template", {}),
            cluster_settings=rows.get("cluster_settings", {}),
        )

    def seq_no_next(self, number: int) -> int:
        """The sequence number after the last write of an index."""
        row = self.connection.execute(
            "SELECT seq_no FROM documents WHERE number=? ORDER BY position DESC LIMIT 1", (number,)
        ).fetchone()
        return 0 if row is None else int(row[0]) + 1

    def close(self) -> None:
        """Release the file and the folder."""
        self.connection.close()
        self.lock.close()


def lock_folder(folder: Path) -> TextIO:
    """Hold a folder for this process alone, until the file returned is closed.

    Raises:
        DataFolderError: The folder cannot be made or written, or another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise DataFolderError(
            f"{folder}: cannot be used as a data folder ({error}). Choose another one."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise DataFolderError(
            f"{folder}: another elastic_lite is serving this data folder. Stop it, or choose another folder."
        ) from error
    return lock


def save_catalog(connection: sqlite3.Connection, before: Catalog, after: Catalog) -> None:
    """Write what differs between two catalogs, inside the caller's transaction."""
    for kind, old, new in (
        ("index", before.indices, after.indices),
        ("stream", before.streams, after.streams),
        ("index_template", before.index_templates, after.index_templates),
        ("component_template", before.component_templates, after.component_templates),
        ("cluster_settings", before.cluster_settings, after.cluster_settings),
    ):
        if old is new:
            continue
        for name in old.keys() - new.keys():
            connection.execute("DELETE FROM catalog WHERE kind=? AND name=?", (kind, name))
        for name, value in new.items():
            if old.get(name) is value or same_declaration(old.get(name), value):
                continue
            body = value if isinstance(value, dict) else value.as_json()
            connection.execute("REPLACE INTO catalog VALUES (?, ?, ?)", (kind, name, orjson.dumps(body)))


def same_declaration(old: Any, new: Any) -> bool:
    """Whether two versions of an index differ in their sequence number only, which is not kept here."""
    return (
        isinstance(old, Index)
        and isinstance(new, Index)
        and old.settings is new.settings
        and old.mapping is new.mapping
    )


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One consistent view of the file for several statements."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT 1 FROM catalog LIMIT 1").fetchone()  # BEGIN alone takes no snapshot yet
        yield connection
    finally:
        connection.execute("ROLLBACK")
