"""What the parser of all subcommands says of a word that it does not know."""

from __future__ import annotations

import pytest

from logging_system.cli import main
from logging_system.cli.parser import EXIT_USAGE


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
