"""The GitHub Action in a stranger's repository: each step's own shell is run, as a runner would run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.onboarding.drafts import draft_for
from harness.onboarding.scaffold import files, requirement_of
from harness.onboarding.seen import Ci, Kind, Outlet, Place
from tests.repository import REPOSITORY
from tests.system.machine import temporary_folder
from tests.unit.harness.reporting.test_workflow_commands import obeyed

ACTION: dict[str, Any] = yaml.safe_load((REPOSITORY / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
PAGE = (REPOSITORY / "docs" / "how-to" / "gate-in-ci.md").read_text()
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
STEP_SECONDS_MAX = 100

LOGS = '''
import logging


class Mine(logging.FileHandler):
    """What the stranger wrote: it forgets nothing."""


class Forgetful(logging.FileHandler):
    """The planted bug: it forgets one record in forty, and writes beside the lines what a runner obeys."""

    def emit(self, record):
        if record.sequence % 40 != 7:
            super().emit(record)
        if record.sequence % 40 == 8:
            self.stream.write("::add-mask::canary ##[add-mask]canary ")
'''
STACK = """version: 1
name: mine
intake:
  kind: python_logging
  handler: my_logs:HANDLER
  filename: "{run.folder}/app.log"
  encoding: utf-8
acknowledged_by: return
archive: {kind: file, path: "{run.folder}/app.log", format: multiline}
promises: {response_p99_ms: 3000}
"""
SCENARIO = """version: 1
name: short
title: "A moment of sending\\n::error::canary of the title"
hypothesis: Nothing acknowledged is lost.
schedule: {kind: steady, rate_per_second: 50}
producers: 2
sending_seconds: 3
drain_seconds: 3
liveness_seconds: 3
checks:
  - acknowledged_lost
  - duplicated
  - corrupted
"""
# GitHub's own command line for a repository, as far as the step that comments uses it.
GH = """#!{python}
import json, os, sys
from pathlib import Path
store = Path(os.environ["COMMENTS"])
comments = json.loads(store.read_text()) if store.exists() else []
words = sys.argv[1:]
assert os.environ["GH_TOKEN"] and words[0] == "api", words
if "--jq" in words:
    assert words[words.index("--jq") + 1] == ".[] | select(.body | startswith(env.MARKER)) | .id"
    print("\\n".join(str(n) for n, body in enumerate(comments) if body.startswith(os.environ["MARKER"])))
    sys.exit(0)
if os.environ.get("MAY_NOT_WRITE"):
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
method, address = words[words.index("--method") + 1 :][:2]
key, _, path = words[words.index("--field") + 1].partition("=@")
assert key == "body"
body = Path(path).read_text()
if method == "PATCH":
    comments[int(address.rpartition("/")[2])] = body
else:
    assert address == "repos/stranger/shop/issues/7/comments"
    comments.append(body)
store.write_text(json.dumps(comments))
"""


@dataclass
class Runner:
    """Runs the steps of the action with a shell as GitHub Actions does, in a repository of a stranger's."""

    repository: Path
    temporary: Path
    python: Path
    inputs: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    printed: str = ""

    def step(self, id: str) -> int:
        """Run a step by its id; return its exit code."""
        (step,) = (one for one in STEPS if one.get("id") == id)
        script = self.temporary / f"{id}.sh"
        script.write_text(step["run"])
        files = {name: self.temporary / f"{id}.{name}" for name in ("OUTPUT", "STEP_SUMMARY")}
        ran = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.repository,
            env={
                "PATH": f"{self.python.parent}:{self.temporary}:{os.environ['PATH']}",
                "HOME": str(self.temporary),
                "TMPDIR": str(self.temporary),
                "XDG_STATE_HOME": str(self.temporary / "state"),
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.repository),
                **{f"GITHUB_{name}": str(path) for name, path in files.items()},
                **{name: self._value(value) for name, value in step.get("env", {}).items()},
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS_MAX,
            check=False,
        )
        self.printed = ran.stdout
        self.outputs[id] = _outputs(files["OUTPUT"])
        return ran.returncode

    @property
    def summary(self) -> str:
        return (self.temporary / "run.STEP_SUMMARY").read_text()

    def annotations(self) -> list[str]:
        return [line for line in self.printed.splitlines() if line.startswith("::")]

    def _value(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self._expression(found[1]), text)

    def _expression(self, text: str) -> str:
        known = {
            "github.action_path": str(REPOSITORY),
            "github.repository": "stranger/shop",
            "github.event.pull_request.number": "7",
            "github.token": "a-token",
            "runner.temp": str(self.temporary),
        }
        if text in known:
            return known[text]
        kind, name, *rest = text.split(".")
        if kind == "inputs":
            return self.inputs.get(name, self._value(str(ACTION["inputs"][name]["default"])))
        assert (kind, rest[0]) == ("steps", "outputs"), text
        return self.outputs[name].get(rest[1], "")


def _outputs(path: Path) -> dict[str, str]:
    """Read a step's outputs, `key=value` or `key<<end`, as a runner does."""
    found: dict[str, str] = {}
    lines = path.read_text().splitlines() if path.exists() else []
    while lines:
        line = lines.pop(0)
        key, separator, end = line.partition("<<")
        if separator and "=" not in key:
            last = lines.index(end)
            found[key] = "\n".join(lines[:last])
            del lines[: last + 1]
        else:
            key, _, found[key] = line.partition("=")
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job's Python, into which the action's own step installs logquake; dependencies are borrowed.

    pip gets no network and builds with what is installed here, which only its environment says.
    """
    folder = tmp_path_factory.mktemp("job") / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=100)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    made = Runner(tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("temp"), folder / "bin/python", {})
    made.environment = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    assert made.step("install") == 0, made.printed
    assert "logquake, version" in made.printed
    versions = made.outputs["install"]["servers"]
    assert re.fullmatch(r"elasticsearch-[\d.]+_toxiproxy-[\d.]+_mailpit-[\d.]+", versions)
    assert (folder / "bin" / "logquake").exists()
    assert (packages / "harness" / "scenarios").is_dir()
    return folder / "bin" / "python"


@pytest.fixture
def runner(tmp_path: Path, python: Path):
    with temporary_folder() as temporary:
        repository = temporary / "shop"
        (repository / "scenarios").mkdir(parents=True)
        (repository / "scenarios" / "short.yaml").write_text(SCENARIO)
        (repository / "my_logs.py").write_text(LOGS)
        made = Runner(repository, temporary, python, {"stack": "mine.yaml", "scenarios": "short"})
        made.environment = {"COMMENTS": str(temporary / "comments.json")}
        (temporary / "gh").write_text(GH.replace("{python}", sys.executable))
        (temporary / "gh").chmod(0o755)
        yield made


def with_handler(runner: Runner, handler: str) -> None:
    (runner.repository / "mine.yaml").write_text(STACK.replace("HANDLER", handler))


@pytest.mark.alone
def test_a_planted_bug_turns_the_build_red_and_the_pull_request_says_why(runner):
    with_handler(runner, "Forgetful")
    runner.inputs |= {"require": "score>=50\nduplicated==0\n", "args": "--fail-fast", "comment": "true"}
    code = runner.step("run")
    outputs = runner.outputs["run"]
    gate, lost, *_ = runner.annotations()

    assert code == 1, runner.printed
    assert (outputs["decision"], outputs["score"]) == ("FAIL", "withheld")
    assert Path(outputs["scorecard"]).is_file()
    assert Path(outputs["report"]) == (runner.repository / "reports" / "latest").resolve()
    assert gate.startswith("::error title=logquake%3A FAIL")
    assert lost.startswith(
        "::error file=scenarios/short.yaml,line=11,title=FAIL%3A short%2C acknowledged_lost::"
    )
    assert runner.summary.startswith("# ✕ FAIL")
    assert "canary" in runner.printed
    assert [line for line in obeyed(runner.printed) if line not in runner.annotations()] == []
    ours = re.compile(r"::(error|warning) (file=scenarios/short.yaml,line=[0-9]+,|)title=[^:]+::[^\n]*")
    assert [line for line in runner.annotations() if not ours.fullmatch(line)] == []

    assert runner.step("comment") == runner.step("comment") == 0, runner.printed
    (comment,) = json.loads((runner.temporary / "comments.json").read_text())
    assert comment.startswith("<!-- logquake selected mine embedded -->\n### logquake: ✕ FAIL")
    assert "acknowledged\\_lost" in comment

    runner.environment["MAY_NOT_WRITE"] = "1"
    assert runner.step("comment") == 0
    assert "::warning title=logquake::The comment could not be written" in runner.printed


@pytest.mark.alone
def test_without_the_bug_the_build_is_green(runner):
    with_handler(runner, "Mine")
    code = runner.step("run")
    outputs = runner.outputs["run"]

    assert code == 0, runner.printed
    assert (outputs["decision"], outputs["score"]) == ("PASS", "100.00")
    assert runner.annotations() == []
    assert runner.summary.startswith("# ✓ PASS")


def test_what_stands_in_an_input_is_never_run(runner):
    with_handler(runner, "Mine")
    for name in ("stack", "suite", "scenarios", "gate", "require", "backend", "seed", "args", "out"):
        touch = f"touch {name}"
        evil = f"$({touch}) `{touch}` \"; {touch}; \" '; {touch}; '\n{touch}\n::error::x"
        runner.inputs[name] = evil

    assert runner.step("run") == 4, runner.printed
    assert len(runner.annotations()) == 1
    assert runner.annotations()[0].startswith("::error title=logquake::Invalid value for '--backend'")
    assert {path.name for path in runner.repository.iterdir()} == {"my_logs.py", "mine.yaml", "scenarios"}
    assert obeyed(runner.printed) == runner.annotations()


def test_no_input_stands_in_a_script():
    scripts = [step["run"] for step in STEPS if "run" in step]

    assert len(scripts) == 4
    assert [script for script in scripts if "${{" in script] == []
    assert all(step["shell"] == "bash" for step in STEPS if "run" in step)


def test_every_input_and_output_is_used_and_described():
    text = (REPOSITORY / "action.yml").read_text()

    for name, given in ACTION["inputs"].items():
        assert f"inputs.{name}" in text
        assert given["description"]
        assert "default" in given
    assert set(ACTION["outputs"]) == {"score", "decision", "scorecard", "report"}
    for name, given in ACTION["outputs"].items():
        assert given["value"] == f"${{{{ steps.run.outputs.{name} }}}}"


def test_reports_are_kept_and_histories_are_not():
    (kept,) = [step["with"]["path"] for step in STEPS if "upload-artifact" in step.get("uses", "")]
    names = [line.rpartition("/")[2] for line in kept.split()]

    assert "scorecard.html" in names
    assert not any("history" in name or "*" in name for name in names)


def _workflows() -> dict[str, str]:
    own = (REPOSITORY / ".github" / "workflows" / "logquake.yml").read_text()
    (shown,) = re.findall(r"^```yaml\n(name: .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    release = (REPOSITORY / ".github" / "workflows" / "release.yml").read_text()
    outlet = Outlet(Kind.FILE, "a handler", Place("app.py", 1), "logging:FileHandler")
    drafted = files(
        "shop", draft_for("shop", outlet), Ci.GITHUB, "pip install .", requirement_of("1.0", "/clone"), "3.12"
    )[-1]
    return {"own": own, "docs": shown, "release": release, "init": drafted.text}


@pytest.mark.parametrize("which", ["own", "docs"])
def test_a_workflow_gives_the_action_inputs_that_it_has(which):
    jobs = yaml.safe_load(_workflows()[which])["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    (used,) = [
        step for step in steps if step.get("uses", "").partition("@")[0] in {"./", "your-name/logquake"}
    ]

    assert set(used["with"]) <= set(ACTION["inputs"])


@pytest.mark.parametrize("which", ["own", "docs", "release", "init"])
def test_actionlint_finds_nothing(which, tmp_path):
    program = shutil.which("actionlint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("actionlint is not installed; `make lint-action` installs it")
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    path = tmp_path / ".github" / "workflows" / f"{which}.yml"
    path.write_text(_workflows()[which])
    # Where the workflow uses `./`, its inputs are compared with the action's.
    shutil.copy(REPOSITORY / "action.yml", tmp_path)
    (tmp_path / ".git").mkdir()
    linted = subprocess.run(
        [program, path], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )

    assert linted.returncode == 0, linted.stdout + linted.stderr
