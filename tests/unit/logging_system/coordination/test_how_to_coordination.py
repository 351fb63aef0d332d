"""The how-to pages on workflows do what they say, command by command, in an empty folder."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from logging_system.cli import main
from logging_system.coordination.workflows.loading import load_workflows
from tests.repository import REPOSITORY


def follow(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Follow a page; return each subcommand with what it showed."""
    page = (REPOSITORY / "docs" / "how-to" / name).read_text()
    shown: list[tuple[str, str]] = []
    run_id = ""
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        if language == "yaml":
            path = folder / "workflows.yaml"
            path.write_text((path.read_text() if path.exists() else "") + block)
        elif language == "json":
            (folder / "finding.json").write_text(block)
        for line in block.splitlines() if language == "console" else ():
            words = [run_id if word == "ID" else word for word in shlex.split(line)[4:]]
            assert main(words) == 0, line
            out = capsys.readouterr().out
            shown.append((words[1], out))
            if words[1] == "run" and "--dry-run" not in words:
                run_id = out.split()[0]
    return shown


def test_the_page_on_writing_a_workflow_can_be_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dry, proposed, listed, approved, rejected, history = (
        out for _, out in follow("write-a-workflow.md", tmp_path, capsys)
    )

    assert "1 of 1 workflows fit; nothing was done" in dry
    assert "keep one in 10 records of shop.payment below ERROR" in dry
    assert "  waiting  quiet_flood" in proposed
    assert "waits for a person" in listed
    assert "  holding  quiet_flood" in approved
    assert "undone: keep one in 10 records" in rejected
    assert [line.split()[1] for line in history.splitlines()][:2] == ["proposed", "approve"]
    assert len(list((tmp_path / "spool" / "coordination" / "snapshots").iterdir())) == 1
    assert len(load_workflows(tmp_path / "workflows.yaml").automatic) == 1


def test_the_page_on_teaching_the_engine_can_be_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = follow("teach-the-engine.md", tmp_path, capsys)
    names = [name for name, _ in shown]
    explained = dict(shown)["explain"]

    assert names == ["run", "approve", "judge", "judge", "explain", "export", "forget"]
    assert "store_slow in shop" in explained
    assert "2 yes, 1 not it" in explained
    assert json.loads(dict(shown)["export"])["contexts"]
