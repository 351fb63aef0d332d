from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from logging_system.delivery.machine import BuryDeadLetter, Item
from logging_system.monitoring.counters import LiveCounters, ShipperCounters, write_status
from logging_system.shipping.dead_letters import DeadLetterFile


def letter(sequence: int, document: bytes = b'{"message":"m"}') -> BuryDeadLetter:
    return BuryDeadLetter(Item(b"e" * 16, sequence, document), 400, "document_parsing_exception: no")


def bury(folder: Path, *sequences: int) -> None:
    file = DeadLetterFile(folder)
    file.bury([letter(sequence) for sequence in sequences])
    file.close()


def lines(folder: Path) -> list[bytes]:
    return (folder / "dead-letters.ndjson").read_bytes().splitlines()


def test_a_dead_letter_carries_the_document_and_why(tmp_path: Path) -> None:
    bury(tmp_path, 7)
    (line,) = lines(tmp_path)
    content = orjson.loads(line)

    assert content.pop("time").endswith("Z")
    assert content == {
        "id": "65" * 16 + "-7",
        "status": 400,
        "reason": "document_parsing_exception: no",
        "document": {"message": "m"},
    }


def test_a_letter_buried_again_after_a_crash_is_there_once(tmp_path: Path) -> None:
    bury(tmp_path, 1, 2)
    bury(tmp_path, 2, 3)

    assert [orjson.loads(line)["id"][-1] for line in lines(tmp_path)] == ["1", "2", "3"]


def test_a_torn_line_spoils_no_other_and_its_letter_is_written_again(tmp_path: Path) -> None:
    bury(tmp_path, 1, 2)
    path = tmp_path / "dead-letters.ndjson"
    path.write_bytes(path.read_bytes()[:-20])
    bury(tmp_path, 2)
    first, torn, again = lines(tmp_path)

    assert orjson.loads(first)["id"].endswith("-1")
    assert orjson.loads(again)["id"].endswith("-2")
    assert again.startswith(torn[:40])


def test_letters_are_kept_although_the_folder_was_removed_under_way(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    file = DeadLetterFile(folder)
    file.bury([letter(1)])
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError):
        file.bury([letter(2)])
    folder.mkdir()
    file.bury([letter(2)])
    file.close()

    assert [orjson.loads(line)["id"][-1] for line in lines(folder)] == ["2"]


def test_dead_letters_are_private(tmp_path: Path) -> None:
    bury(tmp_path, 1)

    assert (tmp_path / "dead-letters.ndjson").stat().st_mode & 0o777 == 0o600


def test_the_handlers_equation_holds_through_every_kind_of_step() -> None:
    live_counters = LiveCounters()
    live_counters.drop_offered("queue_full", 2)
    with live_counters.lock:
        live_counters.offered += 5
        live_counters.queued += 5
    live_counters.admit(3)
    live_counters.drop_queued("spool_full", 1)
    counters = live_counters.snapshot()

    assert counters.balanced
    assert (counters.offered, counters.queued, counters.admitted) == (7, 1, 3)
    assert counters.dropped == {"queue_full": 2, "spool_full": 1}


def test_an_equation_that_does_not_hold_is_told() -> None:
    live_counters = LiveCounters()
    live_counters.offered = 1

    assert not live_counters.snapshot().balanced
    assert not ShipperCounters(6, 1, 1, 1, 1, 1, 0, 0).balanced
    assert ShipperCounters(6, 1, 1, 1, 1, 1, 1, 0).balanced


def test_a_status_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_status(path, {"a": 1})
    write_status(path, {"a": 2})

    assert orjson.loads(path.read_bytes()) == {"a": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["status.json"]
    assert path.stat().st_mode & 0o777 == 0o600
