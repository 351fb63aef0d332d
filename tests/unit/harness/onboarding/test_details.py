"""Forms that configurations come in, one at a time, and the bounds of a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.library import shipped_folder
from harness.model.errors import UsageError
from harness.onboarding.drafts import draft_for
from harness.onboarding.project_files import BYTES_MAX, FILES_MAX
from harness.onboarding.scaffold import GATE, files, requirement_of
from harness.onboarding.seen import Ci, Kind, Outlet, Survey
from harness.onboarding.survey import look_at
from harness.onboarding.writing import write_files


def look(folder: Path, **texts: str) -> Survey:
    """Write files (`__` stands for `/`, a last `_` for the dot) and look at them."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/")
        path = path.with_name(".".join(path.name.rsplit("_", 1)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return look_at(folder)


def only(survey: Survey) -> Outlet:
    (outlet,) = survey.outlets
    return outlet


COLLECTORS = {
    "rsyslog_conf": ('module(load="imtcp")\ninput(type="imtcp" port="10514")\n', "rsyslogd", "tcp", "10514"),
    "syslog-ng_conf": (
        '@version: 3.38\nsource s { network(ip("0.0.0.0") port(6514)); };\n',
        "syslog-ng",
        "tcp",
        "6514",
    ),
    "vector_toml": (
        '[sources.in]\ntype = "http_server"\naddress = "0.0.0.0:8686"\n',
        "vector",
        "http",
        "8686",
    ),
    "otelcol_yaml": (
        "receivers:\n  otlp:\n    protocols:\n      http: {endpoint: 'localhost:4319'}\n",
        "otelcol",
        "otlp",
        "4319",
    ),
    "fluent-bit_conf": ("[INPUT]\n    Name http\n    Port 8888\n", "fluent-bit", "http", "8888"),
    "logstash_conf": ("input {\n  tcp { port => 5959 }\n}\n", "logstash", "tcp", "5959"),
}


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_collector_is_known_by_its_file_with_the_port_where_it_listens(name, tmp_path):
    text, program, transport, port = COLLECTORS[name]
    survey = look(tmp_path, **{name: text})
    stack = draft_for(survey.name, only(survey)).stack

    assert only(survey).settings["program"] == program
    assert (only(survey).settings["transport"], only(survey).settings["port"]) == (transport, port)
    assert f"127.0.0.1:{port}" in stack


def test_a_collector_that_follows_a_file_is_given_one_of_the_run(tmp_path):
    survey = look(tmp_path, filebeat_yml="filebeat.inputs:\n- type: log\n  paths: [/var/log/app.log]\n")
    draft = draft_for(survey.name, only(survey))

    assert "kind: log_file" in draft.stack
    assert any("app.log" in sentence for sentence in draft.to_fill_in)


def test_a_file_of_another_name_is_no_collector(tmp_path):
    assert look(tmp_path, notes_yaml="receivers:\n  - aunt\n").outlets == ()


@pytest.mark.parametrize(
    ("code", "class_path", "arguments"),
    [
        ("import logging\nlogging.FileHandler('a.log', 'w')\n", "logging:FileHandler", {"mode": "w"}),
        ("import logging.handlers\nlogging.handlers.WatchedFileHandler(filename='x')\n", None, {}),
        (
            "from logging import handlers as h\nh.RotatingFileHandler('a', maxBytes=9)\n",
            None,
            {"maxBytes": 9},
        ),
        ("from logging import FileHandler\nMODE = 'w'\nFileHandler('a', mode=MODE)\n", None, {"mode": "w"}),
    ],
)
def test_a_handler_is_known_however_it_is_imported(code, class_path, arguments, tmp_path):
    outlet = only(look(tmp_path, app_py=code))

    assert outlet.kind is Kind.FILE
    assert class_path is None or outlet.class_path == class_path
    assert {key: value for key, value in outlet.arguments.items() if key != "filename"} == arguments


def test_a_class_of_the_project_is_found_through_a_relative_import(tmp_path):
    survey = look(
        tmp_path,
        shop__handlers_py="import logging\nclass Mine(logging.Handler):\n    def __init__(self, url): ...\n",
        shop__start_py="from .handlers import Mine\nMine('http://store:9200/lines/_doc')\n",
    )
    stack = draft_for(survey.name, only(survey)).stack

    assert only(survey).class_path == "shop.handlers:Mine"
    assert 'url: "{to_store.url}/lines-{run.id}/_doc"  # in place of http://store:9200/lines/_doc' in stack
    assert 'index: "lines-{run.id}"' in stack


def test_a_handler_that_tells_what_is_durable_acknowledges_by_callback(tmp_path):
    survey = look(
        tmp_path,
        logs_py="import logging\nclass H(logging.Handler):\n    on_durable = None\n"
        "    def __init__(self, url): ...\nH('http://a:9200')\n",
    )

    assert "acknowledged_by: callback" in draft_for(survey.name, only(survey)).stack


def test_no_secret_is_copied_into_a_stack_file(tmp_path):
    survey = look(
        tmp_path,
        logs_py="import logging\nclass H(logging.Handler):\n    def __init__(self, url, **more): 0\n"
        "H('https://me:hunter2@store:9200', api_key='k-123', password='hunter3')\n",
    )
    stack = draft_for(survey.name, only(survey)).stack

    assert not any(secret in stack for secret in ("hunter2", "k-123", "hunter3"))
    assert "api_key: left out, it looks like a secret" in stack


def test_braces_of_a_value_are_no_placeholders(tmp_path):
    survey = look(tmp_path, a_py="import logging\nlogging.FileHandler('a', errors='{x}', mode='a')\n")

    assert 'errors: "{{x}}"' in draft_for(survey.name, only(survey)).stack


def test_environments_tests_and_links_are_not_looked_at(tmp_path):
    handler = "import logging\nlogging.FileHandler('a')\n"
    look(
        tmp_path, env__pyvenv_cfg="", env__lib__x_py=handler, tests__y_py=handler, node_modules__z_py=handler
    )
    (tmp_path / "outside").symlink_to(tmp_path / "tests")
    (tmp_path / "link.py").symlink_to(tmp_path / "tests" / "y.py")

    assert look_at(tmp_path).files == 0


def test_a_look_is_bounded_and_says_so(tmp_path):
    (tmp_path / "large.py").write_text("#" * (BYTES_MAX + 1))
    (tmp_path / "no_text.py").write_bytes(b"\xff\xfe")
    for number in range(FILES_MAX + 1):
        (tmp_path / f"z{number}.py").touch()
    survey = look_at(tmp_path)

    assert (survey.files, survey.cut) == (FILES_MAX, True)
    assert survey.unreadable == ("large.py: larger than 512 KiB", "no_text.py: no UTF-8")


def test_a_deeply_nested_file_is_not_read_to_its_end_and_breaks_nothing(tmp_path):
    deep = "version: 1\nhandlers: " + "{a: " * 5_000 + "1" + "}" * 5_000
    nested = "x = " + "(" * 5_000 + ")" * 5_000

    assert look(tmp_path, logging_yaml=deep, a_py=nested).outlets == ()


def test_the_name_of_a_project_fits_a_stack(tmp_path):
    folder = tmp_path / "2024 My Shop!"
    folder.mkdir()

    assert look_at(folder).name == "project_2024_my_shop"
    assert look(folder, pyproject_toml='[project]\nversion = "1"\nname = "Check.Out"\n').name == "check_out"


def test_no_file_is_replaced_unless_its_owner_says_so(tmp_path):
    survey = look(tmp_path, a_py="import logging\nlogging.FileHandler('a')\n")
    new = files(
        survey.name, draft_for(survey.name, only(survey)), Ci.GITLAB, "", requirement_of("1.0", ""), "3.12"
    )
    (tmp_path / GATE).write_text("mine")
    with pytest.raises(UsageError, match=r"gate\.yaml: already there, so nothing was written"):
        write_files(tmp_path, new, force=False)

    assert (tmp_path / GATE).read_text() == "mine"
    assert not (tmp_path / "scenarios").exists()

    write_files(tmp_path, new, force=True)
    assert (tmp_path / GATE).read_text().startswith("# Written by `logquake init`")
    assert (tmp_path / ".gitlab" / "logquake.yml").exists()


def test_a_link_that_leads_nowhere_is_in_the_way_too(tmp_path):
    survey = look(tmp_path, a_py="import logging\nlogging.FileHandler('a')\n")
    new = files(
        survey.name, draft_for(survey.name, only(survey)), None, "", requirement_of("1.0", ""), "3.12"
    )
    (tmp_path / GATE).symlink_to(tmp_path / "nowhere")

    with pytest.raises(UsageError, match="is no file, so nothing was written"):
        write_files(tmp_path, new, force=False)
    assert not (tmp_path / "nowhere").exists()


HOSTED = "import logging\nclass H(logging.Handler):\n    def __init__(self, hosts, index='pay'): ...\n"


@pytest.mark.parametrize(
    ("call", "address"),
    [
        ("H(hosts=['http://a:9200', 'http://b:9200'])", "{to_store.url}"),
        ("URL = 'http://a:9200'\nH([URL])", "{to_store.url}"),
        ("H(hosts=('a:9200',))", "{to_store.host}:{to_store.port}"),
        ("H(hosts=settings.HOSTS)", "{to_store.url}"),
    ],
)
def test_a_list_of_addresses_is_made_of_the_runs_own_by_a_function_beside_the_stack_file(
    call, address, tmp_path
):
    survey = look(tmp_path, pay_py=f"{HOSTED}{call}\n")
    draft = draft_for("pay", only(survey))
    (name, text), *_ = draft.beside.items()

    assert not draft.to_fill_in
    assert 'handler: "pay_handler:make"' in draft.stack
    assert f'hosts: "{address}"' in draft.stack
    assert 'index: "pay-{run.id}"' in draft.stack
    assert "left out" not in draft.stack
    assert (name, "from pay import H\n" in text) == ("pay_handler.py", True)
    assert "return H(hosts=[hosts], **others)" in text


def test_what_is_written_and_no_plain_value_is_not_called_unwritten(tmp_path):
    survey = look(
        tmp_path,
        a_py="import logging\nclass H(logging.Handler):\n    def __init__(self, url, **more): ...\n"
        "H('http://a:9200', tags=['a'], proxy=None, size=SIZE)\n",
    )
    stack = draft_for(survey.name, only(survey)).stack

    assert "# tags: left out; a stack file holds no lists or mappings" in stack
    assert "# size: left out, its value is not written in a.py:4" in stack
    assert "proxy" not in stack


@pytest.mark.parametrize("base", ["HTTPHandler", "SocketHandler", "BufferingHandler", "MemoryHandler"])
def test_a_class_that_builds_on_a_handler_of_the_standard_library_is_seen(base, tmp_path):
    survey = look(
        tmp_path,
        a_py=f"from logging.handlers import {base}\nclass Mine({base}):\n"
        "    def __init__(self, url): ...\n    def flush(self): ...\nMine('http://a:9200')\n",
    )

    assert only(survey).class_path == "a:Mine"
    assert only(survey).kind is Kind.OWN


@pytest.mark.parametrize("base", ["QueueHandler", "MemoryHandler"])
def test_a_class_that_only_passes_on_is_not_taken_for_what_it_passes_to(base, tmp_path):
    text = f"from logging.handlers import {base}\nclass Mine({base}):\n    size = 3\nMine(1)\n"

    assert look(tmp_path, a_py=text).outlets == ()


def test_a_handler_that_is_given_a_host_with_its_port_and_a_path_gets_both_of_the_run(tmp_path):
    survey = look(
        tmp_path,
        a_py="from logging.handlers import HTTPHandler\nclass Mine(HTTPHandler):\n"
        "    def emit(self, record): ...\nMine('store:9200', '/pay/_doc', method='POST')\n",
    )
    stack = draft_for(survey.name, only(survey)).stack

    assert 'host: "{to_store.host}:{to_store.port}"  # in place of store:9200' in stack
    assert 'url: "/pay-{run.id}/_doc"  # in place of /pay/_doc' in stack
    assert 'index: "pay-{run.id}"' in stack


def test_files_that_were_written_for_logquake_are_not_looked_at(tmp_path):
    handler = "import logging\nlogging.FileHandler('a')\n"
    survey = look(tmp_path, app_py=handler, scenarios__stacks__mine_handler_py=handler)

    assert [str(each.place) for each in survey.outlets] == ["app.py:2"]


@pytest.mark.parametrize("ci", Ci)
def test_what_init_wrote_is_no_part_of_what_it_sees_the_next_time(ci, tmp_path):
    seen = look(tmp_path, app_py="import logging\nlogging.FileHandler('a')\n")
    write_files(
        tmp_path,
        files("mine", draft_for("mine", only(seen)), ci, "", requirement_of("1.0", ""), "3.12"),
        force=False,
    )

    assert look_at(tmp_path) == seen


@pytest.mark.parametrize(
    ("name", "text", "stack"),
    [
        ("rsyslog_conf", 'module(load="imtcp")\n', "rsyslog"),
        ("syslog-ng_conf", "@version: 3.38\n", "syslog_ng"),
        ("a_py", "import logging.handlers as h\nh.SysLogHandler()\n", "rsyslog"),
    ],
)
def test_a_skeleton_names_the_stack_files_that_ship_for_its_program(name, text, stack, tmp_path):
    survey = look(tmp_path, **{name: text})
    first, *_ = draft_for(survey.name, only(survey)).to_fill_in

    assert f"`logquake run --stack {stack}` tests it" in first
    assert (shipped_folder() / "stacks" / f"{stack}.yaml").is_file()


def test_what_takes_lines_from_a_stream_is_not_said_to_be_a_program_of_the_project(tmp_path):
    survey = look(tmp_path, a_py="import logging\nlogging.basicConfig()\n")
    first, *_ = draft_for(survey.name, only(survey)).to_fill_in

    assert "the application writes to a stream, and what takes its lines from there is not in this" in first
    assert "give the application a handler first: `logquake help install-logging`" in first


def test_what_basic_config_is_given_is_seen_where_it_is_made_and_not_as_a_stream(tmp_path):
    survey = look(tmp_path, a_py="import logging\nlogging.basicConfig(handlers=[logging.FileHandler('a')])\n")

    assert only(survey).kind is Kind.FILE


def test_a_prefix_of_an_index_is_the_runs_own_and_what_follows_it_is_left_open(tmp_path):
    """Often it is followed by the day."""
    survey = look(
        tmp_path,
        a_py="import logging\nclass H(logging.Handler):\n    def __init__(self, url, index_prefix): ...\n"
        "H('http://a:9200', 'Pay')\n",
    )
    stack = draft_for(survey.name, only(survey)).stack

    assert 'index_prefix: "pay-{run.id}"  # in place of Pay' in stack
    assert 'index: "pay-{run.id}*"' in stack
