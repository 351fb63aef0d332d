import pytest

from harness.cleanup.undo_journal import UndoJournal, journal_folder, open_undos
from harness.model.errors import FaultError
from harness.model.protocols import Undo

UNDO = Undo("remove_toxic", {"proxy": "p", "toxic": "t"})


def test_what_was_begun_and_not_taken_back_is_open(tmp_path):
    UndoJournal(tmp_path, "run-1", "7:70").before("a.0", UNDO)

    (entry,) = open_undos(tmp_path)

    assert (entry.run_id, entry.step, entry.harness, entry.undo) == ("run-1", "a.0", "7:70", UNDO)


def test_the_journal_goes_when_everything_was_taken_back(tmp_path):
    journal = UndoJournal(tmp_path, "run-1", "7:70")
    journal.before("a.0", UNDO)
    journal.before("a.1", UNDO)
    journal.done("a.0")

    assert [entry.step for entry in open_undos(tmp_path)] == ["a.1"]

    journal.done("a.1")

    assert list(tmp_path.iterdir()) == []


def test_a_line_cut_by_the_writers_death_counts_for_nothing(tmp_path):
    journal = UndoJournal(tmp_path, "run-1", "7:70")
    journal.before("a.0", UNDO)
    path = tmp_path / "run-1.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step": "a.1", "act')

    assert [entry.step for entry in open_undos(tmp_path)] == ["a.0"]


def test_a_journal_that_cannot_be_written_forbids_the_fault(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(FaultError, match="no fault is injected"):
        UndoJournal(tmp_path / "file" / "undo", "run-1", "7:70").before("a.0", UNDO)


def test_journals_lie_in_the_users_state_folder(tmp_path):
    assert journal_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "logquake" / "undo"
