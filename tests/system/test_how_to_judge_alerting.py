"""The how-to about alerting is true: its script tells twice as the page says, and mended it passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.config.stack import load_stack
from tests.pages import blocks_of, run_logquake
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "judge-alerting.md").read_text()


def blocks(language: str) -> list[str]:
    return blocks_of(PAGE, language)


def mended(script: str) -> str:
    changes = re.findall(r"^-(.*\n)\+(.*\n)", "".join(blocks("diff")), re.MULTILINE)
    assert len(changes) == 3
    for removed, added in changes:
        assert script.count(removed) == 1
        script = script.replace(removed, added)
    return script


def run_page(folder: Path, script: str) -> tuple[int, dict[str, str]]:
    """Do what the page says; return the exit code and each check's status."""
    folder.mkdir()
    (folder / "my_alerts.py").write_text(script)
    (folder / "my_logging.py").write_text(blocks("python")[1])
    for text, name in zip(blocks("yaml")[:2], ("alerting_file.yaml", "burst.yaml"), strict=True):
        (folder / name).write_text(text)
    exit_code, verdicts, _ = run_logquake(blocks("console")[0], folder)
    return exit_code, {name: each["status"] for name, each in verdicts.items()}


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_the_script_of_the_page_tells_twice_and_mended_it_does_not(tmp_path):
    claimed = dict(re.findall(r"^\| ([a-z_]+) \| (PASS|FAIL) \|$", PAGE, re.MULTILINE))

    assert run_page(tmp_path / "before", blocks("python")[0]) == (1, claimed)
    code, after = run_page(tmp_path / "after", mended(blocks("python")[0]))
    assert (code, set(after.values())) == (0, {"PASS"})
    assert after.keys() == claimed.keys()


def test_what_the_page_says_of_other_tools_loads_in_a_stack_file(tmp_path):
    whole = blocks("yaml")[0].partition("alerts:")[0]
    whole = whole.replace("needs: [webhook_receiver]", "needs: [webhook_receiver, smtp]")
    whole = whole.replace("{to_webhook: webhook_receiver}", "{to_webhook: webhook_receiver, to_mail: smtp}")
    path = tmp_path / "alerting_file.yaml"
    path.write_text(f"{whole}\n{blocks('yaml')[2]}")

    stack = load_stack(path)

    assert stack.alerts is not None
    assert [channel.name for channel in stack.alerts.channels] == ["webhook", "mail"]
