"""A command that is misspelt is told which one was meant."""

from __future__ import annotations

import pytest

from harness.cli.main import EXIT_USAGE, exit_code


@pytest.mark.parametrize(("word", "meant"), [("rnu", "run"), ("RUN", "run"), ("basline", "baseline")])
def test_a_misspelt_command_is_told_which_one_was_meant(word, meant, capsys):
    assert exit_code([word]) == EXIT_USAGE
    assert f'no command "{word}". Did you mean "{meant}"?' in capsys.readouterr().err


def test_a_word_like_no_command_is_told_as_it_is(capsys):
    assert exit_code(["zzz"]) == EXIT_USAGE
    assert "No such command 'zzz'" in capsys.readouterr().err
