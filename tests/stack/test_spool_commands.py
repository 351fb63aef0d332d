"""`python -m logging_system spool` as the person on call runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import WAIT_SECONDS, Store, eventually
from tests.stack.test_shipping import shipped, shipper


def spool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logging_system", "spool", *words],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def write(folder: Path, *documents: dict[str, Any]) -> None:
    writer = SpoolWriter(folder, spool_bytes_max=1 << 30, sync=True)
    writer.append([orjson.dumps(document) for document in documents])
    writer.seal()


def refused(folder: Path, store: Store) -> str:
    """Have the store refuse one document; return its id."""
    write(folder / "spool", {"@timestamp": "no time at all", "labels": {"sequence": 7}})
    with shipper(folder / "spool", store.url):
        eventually(lambda: shipped(folder).get("dead_lettered") == 1, "the dead letter")
    (line,) = spool("dead-letters", "--spool", str(folder / "spool"), "--json").stdout.splitlines()
    letter_id: str = orjson.loads(line)["id"]
    return letter_id


def test_a_dead_letter_is_listed_shown_mended_and_replayed_once(tmp_path: Path, store: Store) -> None:
    folder = str(tmp_path / "spool")
    letter_id = refused(tmp_path, store)
    listed = spool("dead-letters", "--spool", folder)
    shown = spool("dead-letters", letter_id, "--spool", folder)
    mended = tmp_path / "mended.ndjson"
    mended.write_text(shown.stdout.replace("no time at all", "2026-01-01T00:00:00Z"))
    first = spool("replay", "--from", str(mended), "--spool", folder)
    second = spool("replay", "--from", str(mended), "--spool", folder)
    with shipper(tmp_path / "spool", store.url):
        eventually(lambda: set(store.sequences()) == {7}, "the mended letter arrives")

    assert listed.stdout.startswith(f"{letter_id}  ")
    assert "  400  " in listed.stdout
    assert (first.returncode, second.returncode) == (0, 0)
    assert f"{letter_id} replayed as " in first.stdout
    assert f"{letter_id} already replayed as " in second.stdout
    assert spool("dead-letters", "--spool", folder).stdout == ""
    assert "(replayed)" in spool("dead-letters", "--all", "--spool", folder).stdout


def test_a_replay_repeated_after_its_mark_was_lost_stores_no_second_copy(
    tmp_path: Path, store: Store
) -> None:
    folder = tmp_path / "spool"
    letter_id = refused(tmp_path, store)
    letter = orjson.loads(spool("dead-letters", letter_id, "--spool", str(folder)).stdout)
    letter["document"]["@timestamp"] = "2026-01-01T00:00:00Z"
    mended = tmp_path / "mended.ndjson"
    mended.write_bytes(orjson.dumps(letter))
    for _ in range(2):
        assert spool("replay", "--from", str(mended), "--spool", str(folder)).returncode == 0
        with shipper(folder, store.url):
            eventually(lambda: not list(folder.glob("*.segment")), "it is done with")
        (folder / "dead-letters-replayed.ndjson").unlink()

    assert store.sequences() == {7: 1}


def test_all_replays_what_was_not_replayed_yet(tmp_path: Path, store: Store) -> None:
    letter_id = refused(tmp_path, store)
    folder = str(tmp_path / "spool")
    first = spool("replay", "--all", "--json", "--spool", folder)
    second = spool("replay", "--all", "--json", "--spool", folder)

    assert orjson.loads(first.stdout)["id"] == letter_id
    assert (second.returncode, second.stdout) == (0, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["replay", "0" * 32 + "-1"], "No dead letter with id 0000"),
        (["replay"], "name dead letters by id, or give --all or --from FILE"),
        (["replay", "--from", "{file}"], "mended:1: no JSON"),
        (["replay", "--from", "{missing}"], "missing: No such file"),
        (["dead-letters", "0" * 32 + "-1"], "No dead letter with id 0000"),
        (["dead-letters", "--spool", "{missing}"], "missing"),
    ],
)
def test_what_cannot_be_done_ends_with_1_and_says_why(tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "mended").write_text("nonsense\n")
    places = {"file": str(tmp_path / "mended"), "missing": str(tmp_path / "missing")}
    done = spool(words[0], "--spool", str(tmp_path / "spool"), *(word.format(**places) for word in words[1:]))

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [[], ["inspect"], ["replay", "--nonsense"], ["mend"]])
def test_a_mistake_in_the_arguments_ends_with_4(words: list[str]) -> None:
    done = spool(*words)

    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_inspect_tells_what_waits(tmp_path: Path) -> None:
    write(tmp_path, {"message": "a"}, {"message": "b"})
    shown = spool("inspect", "--spool", str(tmp_path))
    as_json = spool("inspect", "--json", "--spool", str(tmp_path))

    assert shown.returncode == as_json.returncode == 0
    assert "waiting     2 records" in shown.stdout
    assert len(orjson.loads(as_json.stdout)["epochs"]) == 1


def test_verify_ends_with_1_for_damage_and_names_it(tmp_path: Path) -> None:
    for _ in range(2):
        write(tmp_path, {"message": "a" * 100})
    healthy = spool("verify", "--spool", str(tmp_path))
    path = sorted(tmp_path.glob("*.segment"))[0]
    data = bytearray(path.read_bytes())
    data[100] ^= 0xFF
    path.write_bytes(bytes(data))
    broken = spool("verify", "--spool", str(tmp_path))

    assert (healthy.returncode, healthy.stdout) == (0, f"{tmp_path}: no problems found\n")
    assert broken.returncode == 1
    assert str(path) in broken.stdout
