from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from logging_system.cli import main
from logging_system.coordination.finding_content import content_of
from logging_system.spool.control import NAME, decoded
from tests.unit.logging_system.coordination.engines import finding

WORKFLOWS = """\
workflows:
  - name: quiet
    when: {kinds: [spike]}
    until_over: true
    steps:
      - {kind: set_level, logger: "{subject}", level: ERROR}
"""
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "w.yaml").write_text(WORKFLOWS)
    (tmp_path / "f.json").write_text(json.dumps(content_of(finding())))

    def run(verb: str, *words: str) -> tuple[int, str]:
        given = ["--spool", str(tmp_path / "spool"), "--workflows", str(tmp_path / "w.yaml")]
        try:
            code = main(["coordination", verb, *given, *words])
        except SystemExit as end:
            code = int(str(end.code))
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return run


def proposed(run: Run, tmp_path: Path) -> str:
    code, shown = run("run", "--finding", str(tmp_path / "f.json"))
    assert code == 0, shown
    return shown.split()[0]


def test_a_proposal_is_approved_runs_and_is_in_the_history(run: Run, tmp_path: Path) -> None:
    run_id = proposed(run, tmp_path)
    code, shown = run("list")
    assert code == 0
    assert f"{run_id}  waiting  quiet" in shown
    assert "waits for a person" in shown

    code, shown = run("approve", run_id)
    assert code == 0
    assert "holding" in shown
    assert len(decoded((tmp_path / "spool" / NAME).read_bytes())) == 1

    code, shown = run("reject", run_id)
    assert code == 0
    assert "undone: set the level of shop.payment to ERROR" in shown
    code, shown = run("history")
    assert [line.split()[1] for line in shown.splitlines()][:3] == ["proposed", "approve", "started"]
    assert run("history", "--verify")[0] == 0


def test_a_dry_run_does_nothing(run: Run, tmp_path: Path) -> None:
    code, shown = run("run", "--dry-run", "--finding", str(tmp_path / "f.json"))

    assert code == 0
    assert "1 of 1 workflows fit; nothing was done" in shown
    assert "set the level of shop.payment to ERROR for 3600 s (local, undone on the way back)" in shown
    assert run("list")[1] == "0 runs that are not over\n"


def test_a_run_that_is_not_there_is_told_with_the_one_that_may_be_meant(run: Run, tmp_path: Path) -> None:
    run_id = proposed(run, tmp_path)
    code, shown = run("approve", run_id[:-1] + "z")

    assert code == 4
    assert f'did you mean "{run_id}"?' in shown


def test_what_was_learned_is_explained_exported_and_forgotten(run: Run, tmp_path: Path) -> None:
    run_id = proposed(run, tmp_path)
    run("approve", run_id)
    assert run("judge", run_id, "yes")[0] == 0

    code, shown = run("explain", run_id)
    assert code == 0
    assert "chosen: the only one that fits" in shown
    assert "2 yes" in shown
    code, shown = run("export")
    assert json.loads(shown)["contexts"][0]["namespace"] == "shop"
    assert run("forget", "--namespace", "shop")[0] == 0
    assert run("explain")[1] == "nothing was learned yet\n"


def test_a_mistake_in_the_file_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKFLOWS.replace("set_level", "set_levle"))
    code, shown = run("list")

    assert code == 4
    assert 'did you mean "set_level"?' in shown


def test_a_finding_that_is_none_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"kind": "spike"}')
    code, shown = run("run", "--finding", str(tmp_path / "f.json"))

    assert code == 4
    assert "is missing" in shown


def test_where_the_spool_is_sealed_no_file_of_the_engine_holds_a_line_of_a_record(
    run: Run, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    steps = [{"kind": "snapshot_diagnostics"}]
    declared = {"workflows": [{"name": "keep", "steps": steps}], "automatic": [{"workflow": "keep"}]}
    (tmp_path / "w.yaml").write_text(json.dumps(declared))
    (tmp_path / "f.json").write_text(json.dumps(content_of(finding(examples=("card 4111111111111111",)))))
    words = ("run", "--finding", str(tmp_path / "f.json"))
    sealing = f"provider=file,path={tmp_path / 'keys.json'}"
    given = ["--spool", str(spool), "--encryption", sealing]
    assert main(["keys", "create", *given]) == 0

    code, shown = run(*words, "--encryption", sealing)

    assert code == 0, shown
    assert "keep" in shown
    kept = [path for path in (spool / "coordination").rglob("*") if path.is_file()]
    assert len([path for path in kept if path.parent.name == "snapshots"]) == 1
    assert [path for path in kept if b"4111111111111111" in path.read_bytes()] == []
