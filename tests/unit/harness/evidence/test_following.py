"""What comes into outlets, look by look: new copies only where an archive can be followed."""

from __future__ import annotations

import pytest

from harness.evidence.archives.file import FileArchive
from harness.evidence.following import Following
from harness.evidence.lines import stamp
from harness.model.errors import StackError
from harness.model.protocols import Followable, StoredDocument

RUN = "run-01"


def _document(sequence, run=RUN):
    return StoredDocument(f"i/{sequence}", stamp("line", run, sequence))


class Whole:
    """An archive that can only be read whole; it counts how often."""

    def __init__(self, *documents):
        self.documents = list(documents)
        self.readings = 0
        self.broken = False

    def count(self):
        return len(self.documents)

    def close(self):
        pass

    def refresh(self):
        if self.broken:
            raise StackError("connection refused")

    def read(self, fields=()):
        self.readings += 1
        return iter(list(self.documents))


class Followed(Whole):
    """An archive that shows what is new; it misses what is put into `missed`."""

    def __init__(self, *documents):
        super().__init__(*documents)
        self.missed = []

    def follow(self, *, from_now=False):
        archive = self

        class Reader:
            at = len(archive.documents) if from_now else 0

            def read(self):
                fresh, self.at = archive.documents[self.at :], len(archive.documents)
                return iter(fresh)

        return Reader()

    def read(self, fields=()):
        self.readings += 1
        return iter([*self.documents, *self.missed])


def test_an_archive_that_can_be_followed_is_never_read_whole():
    archive = Followed(_document(1))
    following = Following([archive], RUN)
    first = set(following.look())
    archive.documents.append(_document(2))

    assert first == {1}
    assert following.look() == {1, 2}
    assert archive.readings == 0


def test_one_that_cannot_is_read_whole_at_each_look():
    archive = Whole(_document(1))
    following = Following([archive], RUN)
    following.look()

    assert following.look() == {1}
    assert archive.readings == 2


def test_from_now_on_leaves_out_what_is_there():
    archive = Followed(_document(1))
    following = Following([archive], RUN, from_now=True)
    archive.documents.append(_document(2))

    assert following.look() == {2}


def test_a_whole_look_finds_what_the_others_missed():
    archive = Followed(_document(1))
    archive.missed.append(_document(7))
    following = Following([archive], RUN)
    before = set(following.look())

    assert (before, following.look(whole=True)) == ({1}, {1, 7})


def test_copies_of_other_runs_and_unreadable_ones_are_not_seen():
    torn = StoredDocument("i/3", stamp("line", RUN, 3), "its last line is torn")

    assert Following([Whole(_document(2, "run-02"), torn)], RUN).look() == set()


def test_what_was_seen_before_a_store_broke_stays_seen():
    archive = Followed(_document(1))
    following = Following([archive], RUN)
    following.look()
    archive.broken = True

    with pytest.raises(StackError):
        following.look()
    assert following.seen == {1}


# --- the file archive ------------------------------------------------------------------------------------


def _lines(archive_reader):
    return [document.line for document in archive_reader.read()]


def _ndjson(*lines):
    return "".join(f'{{"message": "{line}"}}\n' for line in lines)


def test_a_file_is_read_from_where_the_last_reading_stopped(tmp_path):
    path = tmp_path / "log.ndjson"
    path.write_text(_ndjson("a", "b"))
    archive = FileArchive(str(path))
    follower, late = archive.follow(), archive.follow(from_now=True)
    first = _lines(follower)
    with path.open("a") as file:
        file.write("\n" + _ndjson("c") + '{"message": "d')
    then = _lines(follower)
    with path.open("a") as file:
        file.write('"}\n')

    assert isinstance(archive, Followable)
    assert (first, then, _lines(follower), _lines(follower)) == (["a", "b"], ["c"], ["d"], [])
    assert _lines(late) == ["c", "d"]


def test_a_file_that_is_moved_away_or_emptied_is_followed(tmp_path):
    path = tmp_path / "log"
    path.write_text("a\nb\n")
    follower = FileArchive(str(tmp_path / "log*"), format="lines").follow()
    first = _lines(follower)
    path.rename(tmp_path / "log.1")
    path.write_text("c\n")
    moved = _lines(follower)
    path.write_text("")
    emptied = _lines(follower)
    path.write_text("e\n")

    assert (first, moved, emptied, _lines(follower)) == (["a", "b"], ["c"], [], ["e"])
