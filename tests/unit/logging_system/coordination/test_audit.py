from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.coordination.workflows.audit import NAME, Audit, AuditError, Position


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit(tmp_path)


def written(audit: Audit, count: int = 3) -> Position:
    last = Position()
    for number in range(count):
        last = audit.append("event", "run", {"number": number}, 1.0, last)
    return last


def test_events_are_chained(audit: Audit) -> None:
    last = written(audit)

    assert [each.sequence for each in audit.events()] == [1, 2, 3]
    assert audit.verify(last) == last


def test_what_a_crash_tore_is_cut_off_and_written_anew(audit: Audit, tmp_path: Path) -> None:
    last = written(audit)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes() + b'{"sequence":4,"ti')

    assert audit.verify(last) == last
    assert audit.append("event", "run", {}, 1.0, last).sequence == 4
    assert len(list(audit.events())) == 4


def test_an_event_behind_the_known_one_is_built_upon(audit: Audit) -> None:
    first = audit.append("event", "run", {}, 1.0, Position())
    audit.append("event", "run", {}, 1.0, first)

    assert audit.append("event", "run", {}, 1.0, first).sequence == 3


@pytest.mark.parametrize("number", [0, 1])
def test_a_line_that_was_changed_or_taken_out_is_noticed(audit: Audit, tmp_path: Path, number: int) -> None:
    last = written(audit)
    path = tmp_path / NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:number], *lines[number + 1 :]]))

    with pytest.raises(AuditError):
        audit.verify(last)

    lines[number] = lines[number].replace(b'"number":', b'"numbre":')
    path.write_bytes(b"".join(lines))
    with pytest.raises(AuditError):
        audit.verify(last)


def test_an_end_that_was_cut_off_is_noticed(audit: Audit, tmp_path: Path) -> None:
    last = written(audit)
    path = tmp_path / NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    with pytest.raises(AuditError, match="not there"):
        audit.verify(last)
    with pytest.raises(AuditError, match="not there any more"):
        audit.append("event", "run", {}, 1.0, last)
