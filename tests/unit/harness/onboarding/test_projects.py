"""Small projects, as strangers have them: what is seen in each, and what is drafted for it."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from harness.cli.selection import Selection, make_request
from harness.config.gate import load_gate
from harness.config.scenario import check_targets, load_scenario
from harness.config.stack import load_stack
from harness.model.declarations import FILL_IN, Level, Stack
from harness.model.errors import ScenarioError
from harness.onboarding.drafts import draft_for
from harness.onboarding.drafts.draft import Draft
from harness.onboarding.scaffold import files, requirement_of
from harness.onboarding.seen import Ci, Survey
from harness.onboarding.survey import look_at
from harness.onboarding.writing import write_files
from harness.runs.request import make_plan

PROJECTS = Path(__file__).parent / "projects"

# What is seen first in each project, and what of it ends up in the intake of its stack file.
SEEN = {
    "cmres": ("elasticsearch", "service.py:5", {"es_index_name": "service-{run.id}"}),
    "dict_config_json": ("file", "app/log.json:4", {"filename": "{run.folder}/app.log", "when": "midnight"}),
    "dict_config_yaml": (
        "file",
        "config/logging.yaml:7",
        {"filename": "{run.folder}/app.log", "maxBytes": 100_000, "backupCount": 9},
    ),
    "django_settings": (
        "file",
        "site_of_mine/settings.py:9",
        {"filename": "{run.folder}/app.log", "maxBytes": 1_000_000, "backupCount": 3},
    ),
    "elsewhere": ("own", "parcels/logs.py:14", {"url": "{to_store.url}/parcels-{run.id}"}),
    "fixed_address": ("own", "orders.py:10", {}),
    "hostile": ("file", "logging.yaml:3", {"filename": "{run.folder}/app.log"}),
    "ini": (
        "file",
        "logging.ini:13",
        {"filename": "{run.folder}/app.log", "mode": "a", "maxBytes": 500_000, "backupCount": 4},
    ),
    "logging_system": (
        "logging_system",
        "app.py:3",
        {
            "elasticsearch": "{to_store.url}",
            "stream": "logs-check-out-{run.id}",
            "spool": "{run.folder}/spool",
            "service": "check_out",
            "durability": "write",
            "level": "DEBUG",
        },
    ),
    "logstash": (
        "logstash",
        "api.py:6",
        {
            "host": "127.0.0.1",
            "port": 5044,
            "database_path": "{run.folder}/logstash.db",
            "ssl_enable": False,
        },
    ),
    "loguru_file": ("loguru", "bot.py:6", {"filename": "{run.folder}/app.log"}),
    "opentelemetry": ("opentelemetry", "telemetry.py:5", {"url": "http://127.0.0.1:14318/v1/logs"}),
    "own_handler": (
        "own",
        "shop/logs.py:25",
        {"url": "{to_store.url}", "index": "shop-logs-{run.id}"},
    ),
    "src_layout": ("file", "src/ledger/logs.py:10", {"filename": "{run.folder}/app.log", "when": "midnight"}),
    "structlog_only": ("stream", "app.py:5", {"path": "{run.folder}/app.log", "format": "json"}),
    "syslog": ("syslog", "mailer.py:4", {"url": "tcp://127.0.0.1:514", "body": "json"}),
    "truncating": ("file", "worker.py:3", {"filename": "{run.folder}/app.log", "mode": "w"}),
    "wrong_index": ("own", "notes/logs.py:19", {"url": "{to_store.url}", "index": "notes-{run.id}"}),
}
SKELETONS = {"cmres", "fixed_address", "logstash", "opentelemetry", "structlog_only", "syslog"}


def drafted(name: str) -> tuple[Survey, Draft]:
    survey = look_at(PROJECTS / name)
    return survey, draft_for(survey.name, survey.outlets[0])


def fill_in(stack: Path) -> None:
    """Remove what a draft says is to be written, as one does who has written it."""
    lines = stack.read_text().splitlines(keepends=True)
    stack.write_text("".join(line for line in lines if not line.startswith(FILL_IN)))


def loaded(name: str, folder: Path) -> Stack:
    """Write what is drafted for a project, and load its stack file."""
    survey, draft = drafted(name)
    write_files(
        folder,
        files(survey.name, draft, Ci.GITHUB, survey.install, requirement_of("1.0", ""), "3.12"),
        force=False,
    )
    stack = folder / "scenarios" / "stacks" / f"{survey.name}.yaml"
    fill_in(stack)
    return load_stack(stack)


def test_every_project_is_in_the_table():
    assert {path.name for path in PROJECTS.iterdir()} - {"nothing"} == set(SEEN)


@pytest.mark.parametrize("name", SEEN)
def test_what_a_project_logs_through_is_seen_where_it_stands(name):
    survey, draft = drafted(name)
    kind, place, _ = SEEN[name]

    assert (survey.outlets[0].kind, str(survey.outlets[0].place)) == (kind, place)
    assert bool(draft.to_fill_in) == (name in SKELETONS)


@pytest.mark.parametrize("name", sorted(SKELETONS))
def test_a_draft_that_nobody_filled_in_is_refused_with_the_line_that_says_what_is_missing(name, tmp_path):
    survey, draft = drafted(name)
    write_files(
        tmp_path,
        files(survey.name, draft, Ci.GITHUB, survey.install, requirement_of("1.0", ""), "3.12"),
        force=False,
    )
    stack = tmp_path / "scenarios" / "stacks" / f"{survey.name}.yaml"

    with pytest.raises(ScenarioError) as raised:
        load_stack(stack)

    assert str(raised.value).startswith(f"{stack}:2 is still to be filled in: {draft.to_fill_in[0]}")


@pytest.mark.parametrize("name", SEEN)
def test_the_stack_file_of_a_project_loads_and_gives_its_handler_addresses_of_the_run(name, tmp_path):
    intake = dict(loaded(name, tmp_path).intake.arguments)
    _, _, wanted = SEEN[name]
    # These name the class, and what an OTLP collector takes; they are looked at where a run uses them.
    left = {key: value for key, value in intake.items() if key not in {"handler", "content_type", "template"}}

    assert left == wanted


@pytest.mark.parametrize("name", SEEN)
def test_the_scenario_of_a_project_has_its_targets_in_the_stack_and_the_gate_loads(name, tmp_path):
    stack = loaded(name, tmp_path)
    scenario = load_scenario(tmp_path / "scenarios" / "first_check.yaml")

    assert check_targets(scenario, stack) == []
    assert load_gate(tmp_path / "gate.yaml").source


def test_a_handler_that_writes_a_file_is_read_back_from_it_and_promises_what_was_written(tmp_path):
    stack = loaded("dict_config_yaml", tmp_path)

    assert stack.intake.arguments["handler"] == "logging.handlers:RotatingFileHandler"
    assert (stack.archive.kind, stack.archive.arguments["path"]) == ("file", "{run.folder}/app.log*")
    assert stack.promises.durability is Level.WRITE
    assert stack.needs == ()


def test_a_handler_that_sends_is_read_back_past_the_link(tmp_path):
    stack = loaded("own_handler", tmp_path)

    assert stack.links == {"to_store": "elasticsearch"}
    assert stack.archive.arguments["url"] == "{elasticsearch.url}"
    assert stack.archive.arguments["index"] == stack.intake.arguments["index"]


def test_store_builds_and_installation_are_seen_beside_it():
    survey = look_at(PROJECTS / "own_handler")

    assert (survey.stores[0].title, str(survey.stores[0].place)) == (
        "Elasticsearch, by the image of a compose file",
        "docker-compose.yml:3",
    )
    assert [(each.ci, str(each.place)) for each in survey.pipelines] == [
        (Ci.GITHUB, ".github/workflows/tests.yml:1")
    ]
    assert survey.install == "pip install -r requirements.txt"
    assert look_at(PROJECTS / "logging_system").pipelines[0].ci is Ci.GITLAB
    assert look_at(PROJECTS / "dict_config_yaml").pipelines[0].ci is Ci.JENKINS
    assert str(look_at(PROJECTS / "structlog_only").structlog) == "app.py:6"


def test_a_handler_that_sends_to_a_collector_is_paired_with_the_one_of_the_project(tmp_path):
    stack = loaded("opentelemetry", tmp_path)

    assert stack.processes[0].command == (
        "otelcol",
        "--config",
        "{stack.folder}/../../otel-collector.yaml",
    )
    assert stack.one_at_a_time


def test_loguru_is_hosted_by_a_module_beside_the_stack_file_that_takes_its_arguments(tmp_path):
    stack = loaded("loguru_file", tmp_path)
    module, _, name = str(stack.intake.arguments["handler"]).partition(":")
    text = (tmp_path / "scenarios" / "stacks" / f"{module}.py").read_text()

    assert f"class {name}(" in text
    assert "rotation='10 MB', enqueue=True" in text
    assert "{time}" not in text


def test_a_project_that_does_not_log_has_no_outlet():
    assert look_at(PROJECTS / "nothing").outlets == ()


def test_nothing_of_a_project_is_imported_and_what_cannot_be_read_is_named(tmp_path):
    copy = tmp_path / "hostile"
    shutil.copytree(PROJECTS / "hostile", copy)
    before = sorted(path.name for path in copy.rglob("*"))
    survey = look_at(copy)

    assert sorted(path.name for path in copy.rglob("*")) == before
    assert survey.unreadable == ("bad.py: no Python: invalid syntax (line 1)",)
    assert "filename" not in survey.outlets[0].arguments
    assert 'filename: "{run.folder}/app.log"\n' in draft_for(survey.name, survey.outlets[0]).stack


# What stands in the way of a plan where a project, or what it needs, is not installed beside logquake.
NOT_INSTALLED = {
    "cmres": 'intake.handler: importing "cmreslogging.handlers" fails|no module "cmreslogging" is installed',
    "src_layout": r'no module "ledger" is installed; it lies in src\. Install the project: pip install -e \.',
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEN)
def test_the_files_of_a_project_are_a_plan_or_an_error_with_a_line_of_the_stack_file(
    name, tmp_path, monkeypatch
):
    folder = Path(shutil.copytree(PROJECTS / name, tmp_path / "projects" / name))
    survey, draft = drafted(name)
    write_files(folder, files(survey.name, draft, None, "", requirement_of("1.0", ""), "3.12"), force=False)
    fill_in(folder / "scenarios" / "stacks" / f"{survey.name}.yaml")
    for program in ("logstash", "otelcol", "rsyslogd", "vector"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    selection = Selection(
        scenarios=("first_check",),
        suite=None,
        stack=survey.name,
        backend="embedded",
        input_path=None,
        seed=1,
        gate_path=Path("gate.yaml"),
    )

    if name in NOT_INSTALLED:
        with pytest.raises(ScenarioError, match=NOT_INSTALLED[name]) as raised:
            make_request(selection, Path("reports"), None)
        assert re.search(rf"{survey.name}\.yaml:[0-9]+ intake\.handler", str(raised.value))
    else:
        plan = make_plan(make_request(selection, Path("reports"), None))
        assert [planned.scenario.name for planned in plan.scenarios] == ["first_check"]
        assert "acknowledged_lost" in plan.planned
