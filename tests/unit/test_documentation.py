"""What the documentation says is true: files load, commands exist, links lead somewhere, tables agree."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
import pytest

from harness.cli.main import EXIT_INTERRUPTED, EXIT_USAGE, cli
from harness.config import parts
from harness.config.gate import load_gate
from harness.config.scenario import load_scenario
from harness.config.schemas import FILES, schemas
from harness.config.stack import load_stack
from harness.evidence.archives.file import FileArchive
from harness.judging.checkers import CHECKERS
from harness.load.intakes.http import Http
from harness.load.intakes.log_file import LogFile
from harness.load.intakes.syslog import Syslog
from harness.model import errors
from harness.reporting import REPORTS
from tests.repository import REPOSITORY

PARTS = REPOSITORY / "docs" / "reference" / "parts.md"
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
            context = click.Context(cli)
            command = cli.get_command(context, words[0])
            assert command is not None, words
            commands = [command]
            if isinstance(command, click.Group):
                inner = [command.get_command(context, name) for name in command.list_commands(context)]
                commands += [each for each in inner if each is not None]
            known = {option for each in commands for parameter in each.params for option in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", words[1])) <= known, words


FILE_LOADERS = {"intake": load_stack, "hypothesis": load_scenario, "objectives": load_gate}
FILES_IN_PAGES = [
    (page, text, loader)
    for page in PAGES
    # The scenario of own-check.md names a check that only its own test puts beside it.
    for text in (_blocks(page, "yaml") if page.name != "own-check.md" else ())
    for key, loader in FILE_LOADERS.items()
    if re.search(rf"^{key}:", text, re.MULTILINE)
]


@pytest.mark.parametrize(
    ("page", "text", "loader"), FILES_IN_PAGES, ids=[page.name for page, _, _ in FILES_IN_PAGES]
)
def test_every_file_shown_loads_with_the_real_loader(page, text, loader, tmp_path):
    name = re.search(r"^name: (\S+)$", text, re.MULTILINE)
    path = tmp_path / f"{name[1] if name else 'gate'}.yaml"
    path.write_text(text)

    loader(path)


def test_pages_that_show_files_are_looked_at():
    assert {"README.md", "own-stack.md", "own-scenario.md", "gate-in-ci.md"} <= {
        page.name for page, _, _ in FILES_IN_PAGES
    }


def test_arguments_that_the_own_stack_page_lists_are_those_of_the_parts():
    page = (REPOSITORY / "docs" / "how-to" / "own-stack.md").read_text()
    # A row may list several: | `cert_file`, `key_file` | …
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", page, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"[a-z_]+", row)}
    taken = {
        name
        for part in (Http, LogFile, Syslog, FileArchive)
        for name, parameter in inspect.signature(part).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }

    assert listed == taken


def test_the_stack_file_of_the_readme_loads(tmp_path):
    (text,) = _blocks(REPOSITORY / "README.md", "yaml")
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    assert load_stack(path).intake.arguments["handler"] == "mypackage.logs:MyHandler"


def test_the_exit_codes_documented_are_those_of_the_errors():
    page = (REPOSITORY / "docs/reference/exit-codes.md").read_text()
    said = {int(code) for code in re.findall(r"^\| (\d) \|", page, re.MULTILINE)}
    of_errors = {
        value.exit_code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.HarnessError)
    }

    assert said == of_errors | {0, 1, EXIT_USAGE, EXIT_INTERRUPTED}


def _keys(schema):
    """Return every key that a file may have, wherever in it."""
    inside = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return set(own).union(*map(_keys, inside))


@pytest.mark.parametrize("word", FILES)
def test_every_key_of_a_file_is_documented(word):
    page = (REPOSITORY / "docs" / "reference" / "files.md").read_text()
    section = page.split(f"## {word.capitalize()}\n")[1].split("\n## ")[0]
    documented = {
        part for cell in re.findall(r"^\| `([^`]+)`", section, re.MULTILINE) for part in cell.split(".")
    }

    of_parts = set(re.findall(r"^\| `([a-z0-9_]+)` \|", PARTS.read_text(), re.MULTILINE))
    assert _keys(schemas()[word]) - {part.removesuffix("[]") for part in documented} - of_parts == set()


def test_the_page_of_parts_is_current():
    assert PARTS.read_text(encoding="utf-8") == parts.page(), "run `make schemas` and commit what it writes"


def test_every_argument_of_a_check_is_documented():
    page = (REPOSITORY / "docs" / "reference" / "files.md").read_text()
    rows = re.findall(r"^\| (`[a-z0-9_`, ]+`) \| `(limit_[a-z]+)` \|", page, re.MULTILINE)
    said = {(word, argument) for words, argument in rows for word in re.findall(r"`([^`]+)`", words)}
    taken = {
        (word, name)
        for word in CHECKERS.kinds
        for name in list(inspect.signature(CHECKERS.resolve(word)).parameters)[1:]
    }

    assert said == taken


def test_every_report_is_documented():
    page = (REPOSITORY / "docs" / "reference" / "reports.md").read_text()

    for word in REPORTS.kinds:
        assert f"| `{REPORTS.resolve(word).file_name}` | `{word}` |" in page


def test_the_gate_file_of_the_reference_loads(tmp_path):
    (text,) = [
        block for block in _blocks(REPOSITORY / "docs/reference/files.md", "yaml") if "waivers" in block
    ]
    (tmp_path / "gate.yaml").write_text(text)

    assert load_gate(tmp_path / "gate.yaml").waivers[0].reason == "the disks are being replaced"
