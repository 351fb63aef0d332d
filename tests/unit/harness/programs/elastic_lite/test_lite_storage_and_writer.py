"""Group commit on a real file: order, isolation of failures, versions, and what is on disk afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.programs.elastic_lite.language.bulk_body import Action
from harness.programs.elastic_lite.language.errors import DataFolderError, ElasticError
from harness.programs.elastic_lite.storage.database import Storage
from harness.programs.elastic_lite.storage.documents import Outcome, write_all
from harness.programs.elastic_lite.storage.freshness import Visibility
from harness.programs.elastic_lite.storage.writer import WAITING_BYTES_MAX, Transaction, Writer

WAIT_SECONDS_MAX = 20


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = Storage(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def writer(storage: Storage) -> Iterator[Writer]:
    started = Writer(storage, Visibility(storage.position, lambda: 0.0))
    yield started
    started.stop(WAIT_SECONDS_MAX)


def write(writer: Writer, *actions: Action) -> list[Outcome]:
    done: Future[list[Outcome]] = writer.submit(lambda transaction: write_all(transaction, list(actions)))
    return done.result(WAIT_SECONDS_MAX)


def rows(storage: Storage) -> list[Any]:
    connection = storage.open_for_reading()
    found = list(
        connection.execute(
            "SELECT id, version, seq_no, deleted, ended, source FROM documents ORDER BY position"
        )
    )
    connection.close()
    return found


def test_answered_write_is_in_the_file(storage: Storage, writer: Writer) -> None:
    write(writer, Action("create", "docs", "a", b'{"n":1}'))

    assert rows(storage) == [("a", 1, 0, 0, None, b'{"n":1}')]


def test_version_that_was_overwritten_ends_where_the_next_begins(storage: Storage, writer: Writer) -> None:
    write(writer, Action("index", "docs", "a", b'{"n":1}'), Action("index", "docs", "a", b'{"n":2}'))

    assert rows(storage) == [("a", 1, 0, 0, 2, b'{"n":1}'), ("a", 2, 1, 0, None, b'{"n":2}')]


def test_failed_write_leaves_no_trace_and_its_neighbours_alone(storage: Storage, writer: Writer) -> None:
    def fail_late(transaction: Transaction) -> None:
        write_all(transaction, [Action("create", "lost", "x", b"{}")])
        raise ElasticError(400, "illegal_argument_exception", "late")

    first = writer.submit(lambda transaction: write_all(transaction, [Action("create", "docs", "a", b"{}")]))
    failed = writer.submit(fail_late)
    last = writer.submit(lambda transaction: write_all(transaction, [Action("create", "docs", "b", b"{}")]))

    with pytest.raises(ElasticError, match="late"):
        failed.result(WAIT_SECONDS_MAX)
    assert [it.result(WAIT_SECONDS_MAX)[0].status for it in (first, last)] == [201, 201]
    assert [row[0] for row in rows(storage)] == ["a", "b"]
    assert list(writer.catalog.indices) == ["docs"]


def test_defect_in_one_write_reaches_its_caller_only(writer: Writer) -> None:
    failed: Future[Any] = writer.submit(lambda transaction: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        failed.result(WAIT_SECONDS_MAX)
    assert write(writer, Action("create", "docs", "a", b"{}"))[0].status == 201


def test_file_error_is_a_503_that_may_be_tried_again(storage: Storage, writer: Writer) -> None:
    def break_file(transaction: Transaction) -> None:
        transaction.connection.execute("INSERT INTO nowhere VALUES (1)")

    failed = writer.submit(break_file)

    with pytest.raises(ElasticError) as raised:
        failed.result(WAIT_SECONDS_MAX)
    assert raised.value.status == 503
    assert str(storage.path) in raised.value.reason
    assert write(writer, Action("create", "docs", "a", b"{}"))[0].status == 201


def test_more_waiting_bytes_than_allowed_are_a_429(writer: Writer) -> None:
    writer.waiting_bytes = WAITING_BYTES_MAX

    with pytest.raises(ElasticError) as raised:
        writer.submit(lambda transaction: None, 1)
    assert (raised.value.status, raised.value.kind) == (429, "es_rejected_execution_exception")


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["create", "index", "delete"]), st.sampled_from("abc"), st.integers(0, 9)),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_outcomes_follow_a_dictionary_of_versions(
    tmp_path_factory: pytest.TempPathFactory, operations: Any
) -> None:
    """Versions count the writes of an id; create fails on what exists; the file holds the last state."""
    folder = tmp_path_factory.mktemp("lite")
    storage = Storage(folder)
    writer = Writer(storage, Visibility(0, lambda: 0.0))
    write(writer, Action("create", "docs", "first", b"{}"))
    versions: dict[str, int] = {}
    live: dict[str, bytes] = {"first": b"{}"}
    for op, key, number in operations:
        source = b"" if op == "delete" else b'{"n":%d}' % number
        outcome = write(writer, Action(op, "docs", key, source))[0]
        if op == "create" and key in live:
            assert outcome.error is not None
            assert outcome.error.status == 409
            continue
        versions[key] = versions.get(key, 0) + 1
        assert outcome.version == versions[key]
        if op == "delete":
            live.pop(key, None)
        else:
            live[key] = source
    writer.stop(WAIT_SECONDS_MAX)
    storage.close()
    again = Storage(folder)
    found = {row[0]: row[5] for row in rows(again) if not row[3]}
    kept = again.catalog.indices["docs"].seq_no_next
    again.close()

    assert found == live
    assert kept == 1 + sum(versions.values())


def test_file_of_another_program_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "elastic_lite.sqlite3")
    connection.execute("CREATE TABLE something (else_entirely INTEGER)")
    connection.commit()
    connection.close()

    with pytest.raises(DataFolderError, match="not a usable elastic_lite data file"):
        Storage(tmp_path)


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DataFolderError, match="cannot be used as a data folder"):
        Storage(tmp_path / "file" / "below")
