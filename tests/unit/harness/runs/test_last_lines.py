"""Where nothing arrived, the handler has often said why."""

from __future__ import annotations

from pathlib import Path

from harness.runs.last_lines import BEGINNING, last_lines


def kept(folder: Path, text: str | bytes) -> Path:
    (folder / "application").mkdir()
    (folder / "application" / "application.log").write_bytes(
        text if isinstance(text, bytes) else text.encode()
    )
    return folder


def test_the_last_five_lines_are_quoted_and_not_what_the_host_says_itself(tmp_path):
    said = [f"line {number}" for number in range(9)]
    text = '{"ready": true}\n' + "\n\n".join(said) + '\n{"ready": true}\n'

    assert last_lines(kept(tmp_path, text)) == "\n".join((BEGINNING, *said[-5:]))


def test_of_what_a_handler_raised_the_error_is_quoted_and_not_the_call(tmp_path):
    """As `logging.Handler.handleError` writes it."""
    error = "--- Logging error ---\nTraceback (most recent call last):\n  in emit\nOSError: refused\n"
    text = f"{error}Call stack:\n  in run\nMessage: 'a line'\nArguments: ()\n" * 2

    assert last_lines(kept(tmp_path, text)).splitlines()[-1] == "OSError: refused"


def test_an_application_that_said_nothing_is_not_quoted(tmp_path):
    assert last_lines(kept(tmp_path, '{"ready": true}\n')) == ""
    assert last_lines(tmp_path / "nowhere") == ""


def test_long_lines_are_cut_and_odd_bytes_are_shown_harmlessly(tmp_path):
    told = last_lines(kept(tmp_path, b"x" * 20_000 + b"\n\x1b[31mred \xff\n")).splitlines()

    assert len(told) == 3
    assert len(told[1]) == 200
    assert "\x1b" not in told[2]
    assert "red" in told[2]
