"""The how-to about findings is true: its script misses what the page says, and mended it passes."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.config.stack import load_stack
from tests.pages import RUN_SECONDS_MAX, blocks_of, run_logquake
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "judge-findings.md").read_text()


def blocks(language: str) -> list[str]:
    return blocks_of(PAGE, language)


def run_page(folder: Path, script: str) -> tuple[int, dict[str, str]]:
    """Do what the page says; return the exit code and each check's status."""
    folder.mkdir()
    (folder / "my_health.py").write_text(script)
    for text, name in zip(blocks("yaml")[:2], ("health.yaml", "unreachable.yaml"), strict=True):
        (folder / name).write_text(text)
    exit_code, verdicts, _ = run_logquake(blocks("console")[0], folder)
    return exit_code, {name: each["status"] for name, each in verdicts.items()}


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_the_script_of_the_page_finds_nothing_and_mended_it_does(tmp_path):
    claimed = dict(re.findall(r"^\| ([a-z_]+) \| (PASS|FAIL) \|$", PAGE, re.MULTILINE))
    ((removed, added),) = re.findall(r"^-(.*\n)\+(.*\n)", blocks("diff")[0], re.MULTILINE)
    (script,) = blocks("python")
    assert script.count(removed) == 1
    scripts = (script, script.replace(removed, added))

    with ThreadPoolExecutor() as pool:
        before, after = pool.map(run_page, (tmp_path / "before", tmp_path / "after"), scripts)

    assert before == (1, claimed)
    assert after == (0, dict.fromkeys(claimed, "PASS"))


def test_what_the_page_says_of_answers_and_actions_loads_in_a_stack_file(tmp_path):
    whole = blocks("yaml")[0].partition("findings:")[0]
    whole = whole.replace("needs: [elasticsearch]", "needs: [elasticsearch, webhook_receiver]")
    whole = whole.replace(
        "{to_store: elasticsearch}", "{to_store: elasticsearch, to_webhook: webhook_receiver}"
    )
    path = tmp_path / "health.yaml"
    path.write_text(f"{whole}\n{blocks('yaml')[2]}")

    stack = load_stack(path)

    assert stack.answers is not None
    assert stack.actions is not None
    assert (stack.answers.own_namespace, stack.actions.causes) == ("shop", ("store_down", "network"))
