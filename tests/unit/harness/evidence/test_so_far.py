"""What a person who watches is told of the outlets: records, further copies, texts that nobody sent."""

from __future__ import annotations

import orjson
import pytest

from harness.evidence import so_far
from harness.evidence.archives.file import FileArchive
from harness.evidence.history import HistoryFollower, Recorder
from harness.evidence.lines import stamp
from harness.evidence.so_far import SoFar
from harness.model.errors import InternalError
from harness.model.facts import Due, PhaseChanged, Sent
from harness.model.protocols import StoredDocument

RUN = "run-01"


def document(sequence, copy=None, text="line"):
    return StoredDocument(copy or f"i/{sequence}", stamp(text, RUN, sequence))


class Whole:
    def __init__(self, *documents):
        self.documents = list(documents)

    def refresh(self): ...

    def close(self): ...

    def count(self):
        return len(self.documents)

    def read(self, fields=()):
        return iter(list(self.documents))


def test_records_and_further_copies_are_told_apart():
    seen = SoFar([Whole(document(1), document(2), document(2, "i/again"), document(2, "i/third"))], RUN)
    seen.look()

    assert (seen.stored, seen.duplicates, seen.unknown) == ({1, 2}, 2, 0)


def test_a_copy_that_is_read_again_is_no_second_one():
    seen = SoFar([Whole(document(1), document(2))], RUN)
    for _ in range(3):
        seen.look()

    assert (seen.stored, seen.duplicates) == ({1, 2}, 0)


def test_the_same_name_in_two_outlets_is_two_copies():
    seen = SoFar([Whole(document(1)), Whole(document(1))], RUN)
    seen.look()

    assert seen.duplicates == 1


def test_what_carries_no_identity_of_the_run_is_unknown_and_quoted():
    broken = StoredDocument("i/x", "torn", unreadable="not JSON")
    other = StoredDocument("i/y", stamp("line", "run-02", 1))
    seen = SoFar([Whole(broken, other, *(StoredDocument(f"i/{n}", "x" * 500) for n in range(5)))], RUN)
    seen.look()

    assert (seen.stored, seen.unknown) == (set(), 7)
    assert seen.excerpts()[0] == "not JSON"
    assert len(seen.excerpts()) == 3
    assert len(seen.excerpts()[2]) == 120


def test_a_copy_that_was_mended_is_unknown_no_more():
    archive = Whole(StoredDocument("i/1", "half of it"))
    seen = SoFar([archive], RUN)
    seen.look()
    archive.documents = [document(1)]
    seen.look()

    assert (seen.stored, seen.unknown, seen.duplicates) == ({1}, 0, 0)


def test_an_archive_that_can_be_followed_is_read_on(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_bytes(orjson.dumps({"message": stamp("a", RUN, 1)}) + b"\n")
    seen = SoFar([FileArchive(str(path))], RUN)
    seen.look()
    with path.open("ab") as file:
        file.write(orjson.dumps({"message": stamp("b", RUN, 2)}) + b"\n")
        file.write(orjson.dumps({"message": stamp("b", RUN, 2)}) + b"\n")
    seen.look()
    seen.close()

    assert (seen.stored, seen.duplicates) == ({1, 2}, 1)


def test_so_many_copies_are_held_at_most(monkeypatch):
    monkeypatch.setattr(so_far, "COPIES_MAX", 2)
    seen = SoFar([Whole(*map(document, range(5)))], RUN)
    seen.look()

    assert seen.full
    assert seen.stored == {0, 1}


def test_a_history_is_read_on_where_the_reading_before_stopped(tmp_path):
    recorder, follower = Recorder(tmp_path / "a.jsonl"), HistoryFollower(tmp_path)
    recorder.record(PhaseChanged(5, "steady"))
    assert follower.read() == [PhaseChanged(5, "steady")]
    assert follower.read() == []

    recorder.record(Due(0, 10, 1, "aa"))
    Recorder(tmp_path / "b.jsonl").record(Sent(0, 12))
    assert follower.read() == [Due(0, 10, 1, "aa"), Sent(0, 12)]


def test_half_a_line_is_read_once_it_is_whole(tmp_path):
    path, follower = tmp_path / "a.jsonl", HistoryFollower(tmp_path)
    line = orjson.dumps({"event": "Sent", "rows": [[0, 12, 0]]}) + b"\n"
    path.write_bytes(line[:10])
    assert follower.read() == []

    path.write_bytes(line)
    assert follower.read() == [Sent(0, 12)]


def test_a_reading_is_bounded_and_the_rest_comes_with_the_next(tmp_path):
    recorder, follower = Recorder(tmp_path / "a.jsonl"), HistoryFollower(tmp_path, bytes_max=60)
    for sequence in range(3):
        recorder.record(Sent(sequence, sequence))

    assert [follower.read() for _ in range(3)] == [[Sent(n, n)] for n in range(3)]


def test_a_line_that_is_no_fact_is_an_error_that_names_its_place(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")

    with pytest.raises(InternalError, match="after byte 0: not a line of history"):
        HistoryFollower(tmp_path).read()
