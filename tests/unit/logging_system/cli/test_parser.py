"""What the command line says of a word that it does not know, and of what a program cannot do without."""

from __future__ import annotations

import pytest

from logging_system.cli import main
from logging_system.cli.parser import EXIT_FAILED, EXIT_USAGE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["consol"], 'no "consol"; did you mean "console"?'),
        (["keys", "rotat"], 'no "rotat"; did you mean "rotate"?'),
        (["zzz"], "invalid choice: 'zzz' (choose from"),
    ],
)
def test_a_misspelt_subcommand_is_told_which_one_was_meant(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == EXIT_USAGE
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("program", ["ship", "serve", "watch", "console"])
def test_the_help_of_a_program_says_that_it_needs_a_service_or_a_spool_folder(program, capsys):
    with pytest.raises(SystemExit):
        main([program, "--help"])
    told = " ".join(capsys.readouterr().out.split())

    assert "Required without --spool; with it, the default is" in told
    assert "Required without --service." in told
    assert "Default: unknown_service" not in told


def test_a_flag_whose_description_names_no_default_is_told_with_it(capsys):
    with pytest.raises(SystemExit):
        main(["watch", "--help"])

    assert "Default: logging-system-coordination." in " ".join(capsys.readouterr().out.split())


def test_a_console_of_a_service_that_has_not_logged_yet_says_where_it_looks(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    # It ends before it serves: it would be open to everybody.
    arguments = ["console", "--service", "Pay/b c", "--console-host", "192.0.2.1"]
    folder = tmp_path / "logging_system" / "pay_b_c"

    assert main(arguments) == EXIT_FAILED
    assert f'there is no spool folder {folder} yet, that of service "Pay/b c".' in capsys.readouterr().err

    folder.mkdir(parents=True)
    assert main(arguments) == EXIT_FAILED
    assert "no spool folder" not in capsys.readouterr().err
