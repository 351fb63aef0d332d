"""`logquake init` in a stranger's project: what it says, writes, refuses and runs."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.declarations import FILL_IN
from tests.repository import REPOSITORY
from tests.system.machine import temporary_folder

LOGQUAKE = Path(sys.executable).with_name("logquake")
PROJECTS = REPOSITORY / "tests" / "unit" / "harness" / "onboarding" / "projects"
RUN_SECONDS_MAX = 240


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder outside pytest's own, which is closed to the users that servers run as under root."""
    with temporary_folder() as made:
        yield made


def project(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(PROJECTS / name, folder / name))


def logquake(where: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LOGQUAKE, *arguments],
        cwd=where,
        env={**os.environ, "XDG_STATE_HOME": str(where / ".state"), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )


def names(where: Path) -> set[str]:
    return {path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file()}


def test_a_dry_run_says_what_it_saw_and_would_write_and_writes_nothing(folder):
    shop = project("own_handler", folder)
    before = names(shop)
    done = logquake(shop, "init", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "1  shop.logs.ElasticHandler  shop/logs.py:25" in done.stdout
    assert "GitHub Actions  .github/workflows/tests.yml:1" in done.stdout
    assert "--- scenarios/stacks/own_handler.yaml: the stack under test" in done.stdout
    assert names(shop) == before


def test_without_a_terminal_it_asks_nothing_and_keeps_what_is_there(folder):
    shop = project("own_handler", folder)
    (shop / "gate.yaml").write_text("version: 1\nscore: {min: 50}\n")
    written = logquake(shop, "init", "--no-run")

    assert written.returncode == 0, written.stderr
    assert "Kept, since it was there already (--force writes it anew)\n  gate.yaml  " in written.stdout
    assert "Next: logquake run first_check --stack own_handler --gate gate.yaml" in written.stdout
    assert (shop / "gate.yaml").read_text() == "version: 1\nscore: {min: 50}\n"
    assert (shop / ".github" / "workflows" / "logquake.yml").is_file()


def test_a_number_is_refused_where_the_stack_file_would_be_kept_and_taken_where_it_is_written_anew(folder):
    billing = project("dict_config_yaml", folder)
    stack = billing / "scenarios" / "stacks" / "dict_config_yaml.yaml"
    logquake(billing, "init", "--no-run")
    stack.write_text(stack.read_text() + "# mine\n")
    refused = logquake(billing, "init", "--no-run", "--take", "1")
    kept = stack.read_text()
    anew = logquake(billing, "init", "--no-run", "--take", "1", "--force")

    assert refused.returncode == 4
    assert f"--take 1: {stack.relative_to(billing)} is there already and would be kept" in refused.stderr
    assert kept.endswith("# mine\n")
    assert anew.returncode == 0, anew.stderr
    assert "# mine" not in stack.read_text()


def test_the_written_files_are_a_plan_and_nothing_of_the_project_was_imported_before(folder):
    shop = project("own_handler", folder)
    logquake(shop, "init", "--no-run")
    imported = [path for path in names(shop) if path.endswith(".pyc")]
    planned = logquake(shop, "plan", "first_check", "--stack", "own_handler", "--gate", "gate.yaml")

    assert imported == []
    assert planned.returncode == 0, planned.stderr
    assert "at 3 s for 3 s: connection_reset on to_store" in planned.stdout


def test_a_skeleton_is_not_run_and_is_a_plan_once_it_is_filled_in_and_its_program_is_there(folder):
    name = program = "logstash"
    mine = project(name, folder)
    done = logquake(mine, "init")
    command = ("plan", "first_check", "--stack", name)
    lacking = logquake(mine, *command, PATH="/nowhere")
    shim = folder / "bin" / program
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\n")
    shim.chmod(0o755)
    path = f"{shim.parent}:/usr/bin:/bin"
    refused = logquake(mine, *command, PATH=path)
    again = logquake(mine, "init")
    stack = mine / "scenarios" / "stacks" / f"{name}.yaml"
    lines = stack.read_text().splitlines(keepends=True)
    stack.write_text("".join(line for line in lines if not line.startswith(FILL_IN)))
    filled_in = stack.read_text()
    planned = logquake(mine, *command, PATH=path)
    kept = logquake(mine, "init", "--no-run")

    assert done.returncode == 4, done.stderr
    assert f"scenarios/stacks/{name}.yaml is a skeleton, and nothing was run" in done.stdout
    assert f"logquake neither brings nor builds {program}" in done.stdout
    assert refused.returncode == 4
    assert f"scenarios/stacks/{name}.yaml:2 is still to be filled in: " in refused.stderr
    assert lacking.returncode == 4
    assert f'processes.collector.command[0]: no program "{program}" is in PATH' in lacking.stderr
    assert again.returncode == 4
    assert again.stdout.partition("is a skeleton")[2] == done.stdout.partition("is a skeleton")[2]
    assert planned.returncode == 0, planned.stderr
    assert (kept.returncode, stack.read_text()) == (0, filled_in)


def test_a_project_that_does_not_log_ends_with_what_was_looked_for(folder):
    done = logquake(project("nothing", folder), "init")

    assert done.returncode == 5
    assert "no way was seen by which this project logs" in done.stderr


def test_the_number_of_a_way_that_was_not_seen_is_refused(folder):
    done = logquake(project("truncating", folder), "init", "--take", "2")

    assert done.returncode == 4
    assert "--take 2: 1 were seen" in done.stderr


def test_on_a_terminal_a_person_chooses_and_may_say_no(folder):
    billing = project("dict_config_yaml", folder)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"1\nn\n")
        done = subprocess.run(
            [LOGQUAKE, "init"],
            cwd=billing,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)

    assert "Which one is to be tested?" in done.stdout + done.stderr
    assert "Write scenarios/stacks/dict_config_yaml.yaml" in done.stdout + done.stderr
    assert done.returncode == 2
    assert not (billing / "scenarios").exists()


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_a_handler_that_sends_nothing_ends_in_an_error_with_lines_of_the_stack_file(folder):
    parcels = project("elsewhere", folder)
    done = logquake(parcels, "init", "--ci", "none")

    assert done.returncode == 4, done.stdout + done.stderr
    assert "scenarios/stacks/elsewhere.yaml:14 archive:" in done.stderr
    assert "scenarios/stacks/elsewhere.yaml:8 intake" in done.stderr
    assert "say `logquake init` again: it keeps your files" in done.stderr
    assert "FAIL" not in done.stdout


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_the_reference_system_is_green_by_a_stack_file_that_its_owner_changed(folder):
    checkout = project("logging_system", folder)
    logquake(checkout, "init", "--ci", "none", "--no-run")
    stack = checkout / "scenarios" / "stacks" / "check_out.yaml"
    mine = stack.read_text().replace("response_p99_ms: 100", "response_p99_ms: 200")
    stack.write_text(mine)
    done = logquake(checkout, "init", "--ci", "none")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Kept, since it was there already" in done.stdout
    assert "GREEN" in done.stdout
    assert "Only this was tried: connection_reset on to_store (3 s)." in done.stdout
    assert ":   logquake run answer_cut --stack check_out --gate gate.yaml" in done.stdout
    assert stack.read_text() == mine
    assert (checkout / "reports" / "latest" / "scorecard.html").is_file()
