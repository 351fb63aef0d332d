"""What the documentation says is true: files load, commands exist, links lead somewhere, tables agree."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from harness import errors
from harness.cli.main import EXIT_INTERRUPTED, EXIT_USAGE, cli
from harness.files.stack import load_stack

REPOSITORY = Path(__file__).parent.parent.parent
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_exists_with_its_options(page):
    for block in _blocks(page, "console"):
        for words in re.findall(r"^\S*logquake ([a-z]+)([^#\n]*)", block, re.MULTILINE):
            command = cli.get_command(click.Context(cli), words[0])
            assert command is not None, words
            known = {option for parameter in command.params for option in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", words[1])) <= known, words


def test_the_stack_file_of_the_readme_loads(tmp_path):
    (text,) = _blocks(REPOSITORY / "README.md", "yaml")
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    assert load_stack(path).intake.arguments["handler"] == "mypackage.logs:MyHandler"


def test_the_readmes_exit_codes_are_those_of_the_errors():
    said = {
        int(code) for code in re.findall(r"^\| (\d) \|", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    }
    of_errors = {
        value.exit_code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.HarnessError)
    }

    assert said == of_errors | {0, 1, EXIT_USAGE, EXIT_INTERRUPTED}
