from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.keys.audit_log import NAME, NO_EVENT, OF_RUNS, AuditError, AuditEvent, AuditLog


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path, about=OF_RUNS)


def written(audit: AuditLog) -> AuditEvent:
    first, second, third = ({"number": number} for number in range(3))
    last = audit.append("event", "run", first, 1.0, proven=NO_EVENT)
    last = audit.append("event", "run", second, 1.0, proven=last.position)
    return audit.append("event", "run", third, 1.0, proven=last.position)


def test_events_are_chained(audit: AuditLog) -> None:
    last = written(audit)

    assert [each.sequence for each in audit.events()] == [1, 2, 3]
    assert audit.verify(last.position) == last


def test_what_a_crash_tore_is_cut_off_and_written_anew(audit: AuditLog, tmp_path: Path) -> None:
    last = written(audit)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes() + b'{"sequence":4,"ti')

    assert audit.verify(last.position) == last
    assert audit.append("event", "run", {}, 1.0, proven=last.position).sequence == 4
    assert len(list(audit.events())) == 4


def test_an_event_behind_the_known_one_is_built_upon(audit: AuditLog) -> None:
    first = audit.append("event", "run", {}, 1.0, proven=NO_EVENT)
    audit.append("event", "run", {}, 1.0, proven=first.position)

    assert audit.append("event", "run", {}, 1.0, proven=first.position).sequence == 3


@pytest.mark.parametrize("number", [0, 1])
def test_a_line_that_was_changed_or_taken_out_is_noticed(
    audit: AuditLog, tmp_path: Path, number: int
) -> None:
    last = written(audit)
    path = tmp_path / NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:number], *lines[number + 1 :]]))

    with pytest.raises(AuditError):
        audit.verify(last.position)

    lines[number] = lines[number].replace(b'"number":', b'"numbre":')
    path.write_bytes(b"".join(lines))
    with pytest.raises(AuditError):
        audit.verify(last.position)


def test_an_end_that_was_cut_off_is_noticed(audit: AuditLog, tmp_path: Path) -> None:
    last = written(audit)
    path = tmp_path / NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    with pytest.raises(AuditError, match="not there"):
        audit.verify(last.position)
    with pytest.raises(AuditError, match="not there any more"):
        audit.append("event", "run", {}, 1.0, proven=last.position)


def test_a_long_log_is_not_begun_anew_by_who_knows_of_no_event(audit: AuditLog, tmp_path: Path) -> None:
    for _ in range(3):
        audit.append("event", "run", {"text": "x" * 900_000}, 1.0)
    before = (tmp_path / NAME).read_bytes()

    with pytest.raises(AuditError, match="does not follow"):
        audit.append("event", "run", {}, 1.0, proven=NO_EVENT)

    assert (tmp_path / NAME).read_bytes() == before


def test_an_event_that_no_reader_would_take_is_not_written(audit: AuditLog, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="1048576 are taken"):
        audit.append("event", "run", {"text": "x" * (1 << 20)}, 1.0)

    assert list(audit.events()) == []
