"""`python -m logging_system templates`: what a file says, without the values."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from logging_system.cli import main


def test_the_most_frequent_come_first_with_share_and_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "app.log"
    path.write_text("took 5 ms\ntook 7 ms\n\ntook 9 ms\nstopped\n")

    assert main(["templates", str(path)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "2 templates in 4 lines",
        "       3   75.0%  took <*>",
        "                  took 5 ms",
        "       1   25.0%  stopped",
        "                  stopped",
    ]


def test_of_records_the_message_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app.ndjson"
    records = [{"message": "took 5 ms", "level": "INFO"}, {"message": "took 6 ms"}, {"other": 1}]
    path.write_text("\n".join(map(json.dumps, records)) + "\n{no json\n")

    assert main(["templates", "--top", "1", str(path)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "3 templates in 4 lines",
        "       2   50.0%  took <*>",
        "                  took 5 ms",
        "2 more templates with 2 lines; --top shows more",
    ]


def test_words_that_became_a_value_show_the_first_line_that_had_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "app.log"
    path.write_text("".join(f"a seat for {name}\n" for name in ("ann", "ben", "cid", "dee", "eli", "fay")))

    assert main(["templates", str(path)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "1 templates in 6 lines",
        "       6  100.0%  a seat for <*>",
        "                  a seat for ann",
    ]


def test_what_a_terminal_would_obey_is_shown_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"\x1b[31mred \xff\n")))

    assert main(["templates", "-"]) == 0

    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\x1b[<*> " in shown


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates", "/nowhere/app.log"]) == 1

    assert capsys.readouterr().err == (
        "python -m logging_system templates: /nowhere/app.log: No such file or directory\n"
    )
