"""The how-to about secrets is true: its handler leaks as the page says, and mended it passes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.config.stack import load_stack
from tests.pages import blocks_of, run_logquake
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "no-secret-leaks.md").read_text()


def blocks(language: str) -> list[str]:
    return blocks_of(PAGE, language)


def mended(handler: str) -> str:
    changes = re.findall(r"^-(.*\n)\+(.*\n)", "".join(blocks("diff")), re.MULTILINE)
    assert len(changes) == 2
    for removed, added in changes:
        assert handler.count(removed) == 1
        handler = handler.replace(removed, added)
    return handler


def run_page(folder: Path, handler: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Do what the page says; return the exit code, each check's verdict, and all that the reports say."""
    (folder / "my_logging.py").write_text(handler)
    for text, name in zip(blocks("yaml")[:2], ("masked_file.yaml", "secrets.yaml"), strict=True):
        (folder / name).write_text(text)
    return run_logquake(blocks("console")[0], folder)


@pytest.mark.timeout(300)
def test_the_handler_of_the_page_leaks_beside_its_messages_and_mended_it_does_not(tmp_path):
    claimed = dict(re.findall(r"^\| ([a-z_]+) \| (PASS|FAIL) \|$", PAGE, re.MULTILINE))
    for folder in ("before", "after"):
        (tmp_path / folder).mkdir()

    code, before, said = run_page(tmp_path / "before", blocks("python")[0])
    assert {name: each["status"] for name, each in before.items()} == claimed
    assert code == 1
    assert "secret leak" in said
    for line in blocks("text")[0].splitlines():
        assert line in before["leaked_secrets"]["counterexample"]

    code, after, said = run_page(tmp_path / "after", mended(blocks("python")[0]))
    assert {each["status"] for each in after.values()} == {"PASS"}
    assert re.search(r"confidentiality +20\.00 +20\.00 +1 pass", said)
    assert code == 0


def test_the_keys_of_the_page_load_in_a_stack_file(tmp_path):
    whole = re.sub(r"(?m)^archive: .*$", "needs: [elasticsearch]", blocks("yaml")[0])
    path = tmp_path / "masked_file.yaml"
    path.write_text(f"{whole}\n{blocks('yaml')[2]}")

    stack = load_stack(path)
    assert stack.keys is not None
    assert stack.keys.targets == ("keys", "key_provider")
    assert stack.keys.version == "active.version"
    assert stack.decode[-1] == "decrypt"
