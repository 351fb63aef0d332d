"""`python -m logging_system mask`: what the rules do to a file, for a person to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.cli import main

LINES = """nothing here
login password=hunter2 for alice@example.com
{"message":"paid 4111111111111111","labels":{"api_key":"abc","n":1.10}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(LINES)
    return path


def test_the_masked_lines_are_printed(file: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["mask", str(file)]) == 0

    assert capfdbinary.readouterr().out.decode() == (
        "nothing here\n"
        "login password=[masked:password] for [masked:email]\n"
        '{"message":"paid [masked:card]","labels":{"api_key":"[masked:named_field]","n":1.10}}\n'
    )


def test_what_changes_is_shown_field_by_field_with_its_rules_and_counted(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "--explain", str(file)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        f"{file}:2  password, email",
        "  - login password=hunter2 for alice@example.com",
        "  + login password=[masked:password] for [masked:email]",
        f"{file}:3  card, named_field",
        "  - message: paid 4111111111111111",
        "  + message: paid [masked:card]",
        "  - labels.api_key: abc",
        "  + labels.api_key: [masked:named_field]",
        "2 of 3 lines changed",
        "        1  password",
        "        1  email",
        "        1  card",
        "        1  named_field",
    ]


def test_long_and_hostile_lines_are_shown_around_what_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 200 + b" \x1b[31m password=hunter2 " + b"\xff" + b"y" * 200)
    assert main(["mask", "--explain", str(path)]) == 0

    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 160
    assert "password=hunter2" in shown


def test_dropped_records_and_lines_that_are_not_shown_are_counted(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "--explain", "--rules", "card=drop_record", "--changes-max", "0", str(file)]) == 0

    assert capsys.readouterr().out.splitlines()[:2] == [
        "2 more changed lines are not shown; --changes-max shows more",
        "2 of 3 lines changed, 1 of them dropped",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rules", "emial=off"], '--rules: rules.emial: no such name; did you mean "email"?'),
        (["--rules", "email"], "--rules: write them as rule=action,rule=action"),
        (["--mask", "{"], "--mask: must be an object, as JSON"),
        (["--rules", "email=token"], "email: tokens need a key; give mask_token_key_file"),
        (["--settings", "no-such-file"], "No such file"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_remedy(
    file: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["mask", *arguments, str(file)])

    assert ended.value.code == 4
    assert message in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mask", str(tmp_path / "none")]) == 1

    assert capsys.readouterr().err.endswith(f"{tmp_path / 'none'}: No such file or directory\n")
