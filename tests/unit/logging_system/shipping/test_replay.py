from __future__ import annotations

import contextlib
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.shipping.dead_letters import DeadLetter, DeadLetterError, read_letter, read_lines
from logging_system.shipping.replay import LETTERS_MAX, MARKS_NAME, new_epoch, replay, replayed_ids
from logging_system.spool.writer import SpoolFullError
from tests.unit.logging_system.spooling import read_all, reading


def letter(number: int, message: str = "m") -> DeadLetter:
    return DeadLetter(f"{'e' * 32}-{number}", "2026-01-01T00:00:00Z", 400, "no", {"message": message})


def again(folder: Path, *letters: DeadLetter) -> list[bool]:
    """Replay; tell of each whether it had been replayed earlier."""
    return [done.earlier for done in replay(folder, letters, spool_bytes_max=1 << 20)]


def spooled(folder: Path) -> list[tuple[int, bytes]]:
    with reading(folder) as reader:
        return sorted(read_all(reader))


def test_a_replayed_letter_is_in_the_spool_and_marked(tmp_path: Path) -> None:
    assert again(tmp_path, letter(1), letter(2, "other")) == [False, False]
    assert spooled(tmp_path) == [(1, b'{"message":"m"}'), (1, b'{"message":"other"}')]
    assert replayed_ids(tmp_path) == {letter(1).id, letter(2).id}


def test_a_second_replay_puts_nothing_into_the_spool(tmp_path: Path) -> None:
    again(tmp_path, letter(1))

    assert again(tmp_path, letter(1), letter(1)) == [True, True]
    assert len(spooled(tmp_path)) == 1


def test_a_replay_whose_mark_was_lost_goes_under_the_same_id(tmp_path: Path) -> None:
    again(tmp_path, letter(1))
    (tmp_path / MARKS_NAME).write_bytes(b'{"id":"torn')
    (first,) = tmp_path.glob("*.segment")

    assert again(tmp_path, letter(1)) == [False]
    assert list(tmp_path.glob("*.segment")) == [first]
    assert replayed_ids(tmp_path) == {letter(1).id}


def test_the_new_id_follows_from_the_old_one_and_is_another_s_for_another() -> None:
    assert new_epoch(letter(1).id) == new_epoch(letter(1, "mended").id)
    assert new_epoch(letter(1).id) != new_epoch(letter(2).id)


def test_a_full_spool_refuses_and_the_letter_is_not_marked(tmp_path: Path) -> None:
    with pytest.raises(SpoolFullError):
        list(replay(tmp_path, [letter(1)], spool_bytes_max=10))

    assert replayed_ids(tmp_path) == set()


def test_more_letters_than_the_checkpoint_has_room_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="replay at most 1000 at a time"):
        list(replay(tmp_path, [letter(1)] * (LETTERS_MAX + 1), spool_bytes_max=1 << 20))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"id":"x","document":{}}', "no id"),
        (orjson.dumps({"id": "e" * 32 + "-1", "document": "text"}), "the document is no JSON object"),
    ],
)
def test_a_line_that_is_no_letter_says_why(line: bytes, message: str) -> None:
    with pytest.raises(DeadLetterError, match=message):
        read_letter(line)


@given(st.binary(max_size=100) | st.text(alphabet='{}[]":,id document', max_size=100).map(str.encode))
def test_no_bytes_make_the_reader_of_letters_fail_in_another_way(line: bytes) -> None:
    """For all bytes: a letter, or `DeadLetterError`."""
    with contextlib.suppress(DeadLetterError):
        assert read_letter(line).document is not None


def test_lines_are_told_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_bytes(b"\nnonsense\n" + orjson.dumps({"id": "e" * 32 + "-1", "document": {}}))
    (first, wrong), (second, right) = read_lines(path)

    assert (first, second) == (2, 3)
    assert isinstance(wrong, DeadLetterError)
    assert isinstance(right, DeadLetter)
