from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.coordination.detection import finding_file
from logging_system.coordination.detection.finding_file import EARLIER_NAME, NAME, FindingFile
from logging_system.coordination.detection.finding_lines import line_of, seconds_of
from logging_system.coordination.finding_content import content_of, finding_of
from logging_system.coordination.findings import CauseClass, Finding, FindingKind

FINDING = Finding(
    "ab" * 8,
    FindingKind.SILENCE,
    CauseClass.APPLICATION,
    "team",
    "shop",
    1_700_000_000.25,
    1_700_000_030.0,
    0.8,
    "shop logs nothing any more.",
    evidence_for=("its writer has not said that it ended",),
    measures={"records": 0.0},
)


def test_a_line_has_the_stable_names_with_times_in_utc() -> None:
    line = line_of(FINDING, "cd" * 8)

    assert {name: line[name] for name in ("finding_id", "kind", "cause", "subject", "confidence")} == {
        "finding_id": "ab" * 8,
        "kind": "silence",
        "cause": "application",
        "subject": "shop",
        "confidence": 0.8,
    }
    assert (line["since"], line["found"]) == ("2023-11-14T22:13:20.250Z", "2023-11-14T22:13:50.000Z")
    assert line["until"] is None
    assert seconds_of(line["since"]) == FINDING.since_seconds


def test_content_gives_the_finding_back() -> None:
    assert finding_of(content_of(FINDING), "state") == FINDING


def test_the_latest_line_of_a_finding_holds(tmp_path: Path) -> None:
    file = FindingFile(tmp_path)
    file.add([{"finding_id": "a", "until": None}, {"finding_id": "b", "until": None}])
    file.add([{"finding_id": "a", "until": "later"}])

    assert [each["until"] for each in file.latest().values()] == ["later", None]


def test_a_line_that_a_crash_cut_off_costs_no_other(tmp_path: Path) -> None:
    FindingFile(tmp_path).add([{"finding_id": "a"}])
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"finding_id": "b", "su')
    again = FindingFile(tmp_path)
    again.add([{"finding_id": "b"}, {"finding_id": "c"}])

    assert list(again.latest()) == ["a", "b", "c"]


def test_two_files_of_bounded_size_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding_file, "FILE_BYTES_MAX", 1_000)
    file = FindingFile(tmp_path)
    for number in range(200):
        file.add([{"finding_id": f"{number:03}"}])

    assert sorted(each.name for each in tmp_path.iterdir()) == [EARLIER_NAME, NAME]
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 2_200
    assert list(file.latest())[-1] == "199"
