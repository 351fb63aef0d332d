from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.alerting.history import History
from logging_system.alerting.operator_file import OperatorFile
from logging_system.alerting.state_file import prepare_alerts_folder
from logging_system.config.encryption import UNPROTECTED, Protection, encryption_of, encryption_settings
from logging_system.console.beside_spool import Alerts, DeadLetters, Findings, WhenChanged, read_keys
from logging_system.console.board import PanelError
from logging_system.console.shown_text import ShownText, cut
from logging_system.coordination.detection.finding_file import FindingFile
from logging_system.coordination.detection.finding_lines import line_of
from logging_system.monitoring.status_files import WATCH_NAME
from tests.unit.logging_system.coordination.engines import finding

NOW = 1_800_000_000.0
SHOWN = ShownText(None)
SECRET = "password=hunter2"  # noqa: S105 - what must not be shown
ID = "0" * 32


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "fingerprint": "f00",
        "rule": "errors",
        "labels": {"log.logger": "shop.payment"},
        "since_seconds": NOW - 100,
        "summary": f"12 errors, such as {SECRET}",
        **changes,
    }


def test_what_fires_is_held_back_and_waits_is_told_without_secrets(tmp_path: Path) -> None:
    folder = prepare_alerts_folder(tmp_path)
    channels = {"mail": {"waiting": 3, "trouble": "refused"}, "chat": {"waiting": 0, "trouble": ""}}
    status = {"time": NOW - 2, "firing": [alert()], "firing_total": 1, "channels": channels}
    (tmp_path / WATCH_NAME).write_bytes(orjson.dumps(status))
    wishes = OperatorFile(folder)
    wishes.acknowledge("f00", NOW - 50)
    wishes.silence({"rule": "x"}, now_seconds=NOW, seconds=60, author="ada", comment="deploy")
    wishes.silence({"rule": "y"}, now_seconds=NOW - 100, seconds=60, author="ada", comment="over")
    for number in range(30):
        History(folder).add("told", NOW + number, fingerprints=["f00"])
    found = Alerts(tmp_path, SHOWN, lambda: NOW).read()

    assert found["is_watched"]
    (firing,) = found["firing"]
    assert firing["is_acknowledged"]
    assert "hunter2" not in str(found)
    assert 'logger:"shop.payment"' in firing["look"]["query"]
    assert firing["look"]["since_ms"] == (NOW - 160) * 1000
    assert [each["comment"] for each in found["silences"]] == ["deploy"]
    assert found["waiting"] == [{"name": "mail", "count": 3, "trouble": "refused"}]
    assert [each["at_ms"] for each in found["history"]][:2] == [(NOW + 29) * 1000, (NOW + 28) * 1000]
    assert len(found["history"]) == 20


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"time":"x","firing":[1,{}],"channels":{"a":1},"firing_total":"many"}',
        b'{"firing":[{"labels":[],"since_seconds":"x","rule":null}]}',
    ],
)
def test_a_damaged_status_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / WATCH_NAME).write_bytes(content)
    found = Alerts(tmp_path, SHOWN, lambda: NOW).read()

    assert not found["is_watched"]
    assert found["firing_total"] == 0


def test_findings_that_last_come_first_with_the_way_to_their_lines(tmp_path: Path) -> None:
    file = FindingFile(prepare_alerts_folder(tmp_path))
    lasting = finding(since_seconds=NOW - 600, examples=(f"order 17 timed out, {SECRET}",))
    over = [
        finding(finding_id=f"g{number}", since_seconds=NOW, until_seconds=NOW + 5) for number in range(40)
    ]
    file.add([line_of(lasting, "i1"), *(line_of(each, "") for each in over)])
    found = Findings(tmp_path, SHOWN).read()
    first, second = found["findings"][:2]

    assert (found["open"], found["count"], len(found["findings"])) == (1, 41, 30)
    assert (first["id"], second["id"]) == ("f1", "g39")
    assert "hunter2" not in str(first["examples"])
    assert 'message:"timed out,' in first["look"]["query"]
    assert first["look"] | {"query": ""} == {"query": "", "since_ms": (NOW - 660) * 1000, "until_ms": None}
    assert second["look"]["until_ms"] == (NOW + 65) * 1000
    assert second["look"]["query"].startswith("level>=error")


def test_dead_letters_are_counted_and_the_latest_shown_without_secrets(tmp_path: Path) -> None:
    letters = [
        {
            **{"id": f"{ID}-{number}", "time": "2026-11-30T14:00:00Z", "status": 400},
            **{"reason": f"mapping {number}", "document": {"message": SECRET, "api_token": "abcdef123456"}},
        }
        for number in range(50)
    ]
    path = tmp_path / "dead-letters.ndjson"
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in letters) + b"torn")
    found = DeadLetters(tmp_path, UNPROTECTED, SHOWN).read()

    assert (found["count"], found["bytes"], found["is_whole"]) == (50, path.stat().st_size, True)
    assert found["latest"][0]["reason"].startswith("no JSON")
    assert found["latest"][1]["reason"] == "mapping 49"
    assert len(found["latest"]) == 20
    assert "hunter2" not in str(found)
    assert "abcdef123456" not in str(found)


def test_a_large_file_of_dead_letters_is_read_at_its_end_alone(tmp_path: Path) -> None:
    line = orjson.dumps({"id": f"{ID}-1", "reason": "r", "document": {"message": "x" * 1000}}) + b"\n"
    (tmp_path / "dead-letters.ndjson").write_bytes(line * 1_000)
    found = DeadLetters(tmp_path, UNPROTECTED, SHOWN).read()

    assert found["count"] == 1_000
    assert {each["reason"] for each in found["latest"]} == {"r"}


def test_a_folder_without_anything_has_nothing_to_tell(tmp_path: Path) -> None:
    assert DeadLetters(tmp_path, UNPROTECTED, SHOWN).read()["count"] == 0
    assert Findings(tmp_path, SHOWN).read()["findings"] == []
    assert not Alerts(tmp_path, SHOWN).read()["is_watched"]
    assert not read_keys(UNPROTECTED, SHOWN, NOW)["is_sealed"]


def test_keys_are_told_with_their_versions_and_a_keyring_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    settings = encryption_settings({"provider": "file", "path": str(key_file)})
    assert settings is not None
    encryption = encryption_of(settings, tmp_path)
    protection = Protection(encryption.codecs(), encryption.lines(), encryption, "")
    encryption.provider.create(encryption.key_id)
    encryption.key_use.active_version()
    found = read_keys(protection, SHOWN, NOW)
    (key,) = found["keys"]

    assert (key["id"], key["active"], key["rotation"]) == (encryption.key_id, 1, "")
    assert [(each["number"], each["state"]) for each in key["versions"]] == [(1, "active")]
    (encryption.keyring.folder / "keyring.json").write_bytes(b"damaged")
    with pytest.raises(PanelError, match="The keyring cannot be read"):
        read_keys(protection, SHOWN, NOW)
    encryption.close()


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    reads: list[str] = []

    def read() -> int:
        reads.append(path.read_text())
        return len(reads)

    file = WhenChanged(path, read)

    assert file.content() is None
    path.write_text("a")
    assert (file.content(), file.content()) == (1, 1)
    path.write_text("ab")
    assert (file.content(), file.content()) == (2, 2)


def test_a_long_text_says_how_much_was_cut_off() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd" * 1_000, 4) == "abcd… (3,996 more characters)"
    assert len(SHOWN.text("x" * 10**6)) < 2_100


@pytest.mark.parametrize(
    ("status", "is_watched", "is_detected"),
    [
        (None, False, False),
        ({"time": NOW - 2, "findings": {"open": []}}, True, True),
        ({"time": NOW - 2}, True, False),
        ({"time": NOW - 40, "findings": {"open": []}}, False, True),
        ({"time": NOW + 3_600, "findings": {"open": []}}, False, True),  # the clock was set back since
    ],
)
def test_whether_anybody_looks_for_findings_is_told(
    tmp_path: Path, status: dict[str, Any] | None, is_watched: bool, is_detected: bool
) -> None:
    if status is not None:
        (tmp_path / WATCH_NAME).write_bytes(orjson.dumps(status))
    found = Findings(tmp_path, SHOWN, lambda: NOW).read()

    assert (found["is_watched"], found["is_detected"]) == (is_watched, is_detected)
