from __future__ import annotations

import argparse
import inspect
import os
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.cli import main
from logging_system.cli.flags import add_flags, flag, given_settings
from logging_system.cli.serve import _limits_of
from logging_system.config.loading import Loaded, load_settings
from logging_system.config.reference import settings_page, table
from logging_system.config.settings import (
    PROGRAMS,
    Program,
    Settings,
    changed,
    is_secret,
    settings_of,
    used_by,
)
from logging_system.config.settings_file import SettingsFileError, parse_settings
from logging_system.gateway.limits import Limits as GatewayLimits
from logging_system.gateway.server import Service
from logging_system.handler import SpoolHandler
from logging_system.shipping.sink_factory import limits_of
from logging_system.spool.retention import Retention
from tests.repository import DOCS

REFERENCE = DOCS / "reference" / "settings.md"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("LOGGING_SYSTEM_"):
            monkeypatch.delenv(name)


def load(tmp_path: Path, text: str = "", **keywords: Any) -> Loaded:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return load_settings({"settings": path, **keywords})


def said(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_a_keyword_comes_before_the_environment_before_the_file_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "service: file\nstream: logs-file\nconnections: 3\n"
    monkeypatch.setenv("LOGGING_SYSTEM_SERVICE", "environment")
    monkeypatch.setenv("LOGGING_SYSTEM_STREAM", "logs-environment")
    loaded = load(tmp_path, text, service="keyword")

    assert loaded.problems == ()
    assert loaded.settings.service == "keyword"
    assert loaded.settings.stream == "logs-environment"
    assert loaded.settings.connections == 3
    assert loaded.settings.durability == "fsync"


def test_the_environment_names_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.yaml").write_text("service: shop\n")
    monkeypatch.setenv("LOGGING_SYSTEM_SETTINGS", str(tmp_path / "s.yaml"))

    assert load_settings({}).settings.service == "shop"


def test_several_nodes_are_a_list_or_separated_by_commas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = ["http://a:9200", "http://b:9200"]
    monkeypatch.setenv("LOGGING_SYSTEM_ELASTICSEARCH", "http://a:9200, http://b:9200")

    assert load_settings({}).settings.elasticsearch == nodes
    assert load(tmp_path, elasticsearch=nodes).settings.elasticsearch == nodes
    assert load(tmp_path, elasticsearch="http://a:9200").settings.elasticsearch == nodes[:1]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"connections": 0}, "connections=: must be at least 1"),
        ({"durability": "disk"}, "durability=: must be 'memory', 'write' or 'fsync'"),
        ({"elasticsearch": "localhost"}, "elasticsearch=: a node is written as http://host:9200"),
        ({"servise": "shop"}, 'servise=: no such setting; did you mean "service"?'),
        ({"stream": "Upper Case"}, "stream=: a data stream's name has lower case letters"),
    ],
)
def test_a_bad_value_is_told_with_its_place_and_its_default_is_used(
    keywords: dict[str, Any], message: str
) -> None:
    loaded = load_settings({"service": "shop", **keywords})

    (problem,) = loaded.problems
    assert str(problem).startswith(message)
    assert loaded.settings == Settings(service="shop")


@pytest.mark.parametrize(
    ("level", "used"), [(10, "DEBUG"), ("20", "INFO"), ("warn", "WARNING"), (15, 15), ("NOTSET", 0)]
)
def test_a_level_is_what_logging_takes_for_one(level: object, used: object) -> None:
    loaded = load_settings({"service": "shop", "level": level})

    assert (loaded.problems, loaded.settings.level) == ((), used)


@pytest.mark.parametrize("level", ["loud", -1, True, 1.5])
def test_what_is_no_level_is_told_with_the_choices(level: object) -> None:
    (problem,) = load_settings({"service": "shop", "level": level}).problems

    assert (
        problem.what == "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, or a number as logging has it"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [("sender", "shipper"), ("hosts", "elasticsearch"), ("index", "stream"), ("log_level", "level")],
)
def test_a_setting_by_another_name_is_told_by_ours(name: str, meant: str) -> None:
    (problem,) = load_settings({"service": "shop", name: "x"}).problems

    assert problem.what == f'no such setting; did you mean "{meant}"?'


PATHS = [name for name, field in Settings.model_fields.items() if "Path" in str(field.annotation)]
SOURCES = ["keyword", "environment", "file"]


def load_from(source: str, name: str, value: str, patch: pytest.MonkeyPatch, folder: Path) -> Loaded:
    if source == "keyword":
        return load_settings({"service": "shop", name: value})
    if source == "environment":
        patch.setenv(f"LOGGING_SYSTEM_{name.upper()}", value)
        return load_settings({"service": "shop"})
    return load(folder, f"service: shop\n{name}: {value!r}\n")


def test_there_are_settings_that_are_paths() -> None:
    assert {"spool", "file", "fallback_file", "ca_certs", "status", "token_file"} <= set(PATHS)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", PATHS)
def test_every_path_is_made_absolute_at_once(
    source: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, start, later = (tmp_path / each for each in ("home", "start", "later"))
    start.mkdir()
    later.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(start)
    given = ["a/b", "../a", ".", "~", "~/a", "/a/./b"]
    loaded = [load_from(source, name, each, monkeypatch, tmp_path) for each in given]
    monkeypatch.chdir(later)

    assert [each.problems for each in loaded] == [()] * len(given)
    assert [getattr(each.settings, name) for each in loaded] == [
        start / "a/b",
        start / "../a",
        start,
        home,
        home / "a",
        Path("/a/b"),
    ]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "must not be empty"),
        ("~no-such-user/a", "~no-such-user names no home folder; give an absolute path"),
    ],
)
def test_a_path_that_names_no_place_is_told(name: str, path: str, words: str) -> None:
    (problem,) = load_settings({"service": "shop", name: path}).problems

    assert str(problem) == f"{name}=: {words}"


def test_a_relative_path_without_a_current_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    (problem,) = load_settings({"service": "shop", "spool": "a"}).problems

    assert problem.what == "the current folder does not exist any more; give an absolute path"


def test_the_settings_file_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "s.yaml").write_text("service: shop\n")

    assert load_settings({"settings": "~/s.yaml"}).settings.service == "shop"


@pytest.mark.parametrize("home", ["here", ""])
def test_the_default_spool_is_absolute_whatever_the_home_is(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    assert load_settings({"service": "shop"}).settings.spool_folder.is_absolute()


def test_a_bad_value_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, "service: shop\n\nconnections: many\n")

    assert said(loaded) == [f"{tmp_path}/settings.yaml:3 connections: must be a whole number"]


def test_a_bad_value_in_the_environment_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGGING_SYSTEM_GZIP", "perhaps")

    assert said(load_settings({}))[0].startswith("LOGGING_SYSTEM_GZIP: must be true or false")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "line 1: expected lines of the form `name: value`"),
        ("service: a\nservice: b\n", "line 2: service is set twice; keep one"),
        ("service: [\n", "line 2: no YAML"),
        ("service: !!timestamp x\n", "line 1: the value is no timestamp"),
        ("[a]: b\n", "line 1: a setting's name is a word"),
    ],
)
def test_a_file_that_is_no_settings_file_is_told_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (problem,) = said(load(tmp_path, text))

    assert f"{tmp_path}/settings.yaml: {message}" in problem


def test_a_missing_file_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    loaded = load_settings({"settings": tmp_path / "none.yaml", "service": "shop"})

    assert "No such file or directory; name a file this user may read" in said(loaded)[0]
    assert loaded.settings.service == "shop"


def test_no_secret_is_shown_by_a_problem_or_by_the_settings() -> None:
    loaded = load_settings({"password": ["hunter2"], "api_key": "hunter3"})

    assert len(loaded.problems) == 1
    assert not re.search("hunter", f"{said(loaded)} {loaded.settings!r} {loaded.settings}")


def test_secrets_are_known_by_their_type() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}

    assert {name for name in Settings.model_fields if is_secret(name)} == secret == {"password", "api_key"}


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>\n '\"#%?,0", max_size=200).map(str.encode))
def test_no_bytes_make_the_file_reader_fail_in_another_way(data: bytes) -> None:
    """For all bytes: names and lines, or `SettingsFileError`."""
    try:
        content = parse_settings(data)
    except SettingsFileError:
        return

    assert all(isinstance(name, str) and line >= 1 for name, (_value, line) in content.items())


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b"a: " + b"9" * 10_000, b"a: 2026-99-99", b"a: !!set {1, 2}"]
)
def test_hostile_files_end_in_the_reader_s_own_error_or_a_value(data: bytes) -> None:
    try:
        parse_settings(data)
    except SettingsFileError as error:
        assert re.search("no YAML|is no (int|timestamp|set)", str(error))  # noqa: PT017 - either outcome is lawful


def test_folder_and_stream_are_named_by_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    settings = load_settings({"service": "Check Out/../x"}).settings

    assert settings.spool_folder == Path("/state/logging_system/check_out_.._x")
    assert settings.stream_name == "logs-check_out_.._x-default"


def test_records_give_way_only_where_that_was_asked_for_and_before_new_ones_are_refused() -> None:
    assert load_settings({}).settings.retention is None
    assert load_settings({"retention_seconds": 60}).settings.retention == Retention(60.0, None)
    assert load_settings({"retention_bytes": 9_000}).settings.retention == Retention(None, 9_000)
    bounded = load_settings({"retention_bytes": 9_000, "spool_bytes_max": 5_000}).settings
    assert bounded.retention == Retention(None, 5_000)


@pytest.mark.parametrize(("request_timeout_seconds", "lost_after_seconds"), [(10, 60), (25, 60), (120, 250)])
def test_a_request_that_may_take_long_is_not_taken_for_lost_before(
    request_timeout_seconds: float, lost_after_seconds: float
) -> None:
    settings = Settings(request_timeout_seconds=request_timeout_seconds)

    assert limits_of(settings).request_seconds_max == lost_after_seconds


def test_what_changed_is_named() -> None:
    assert changed(Settings(gzip=True), Settings(service="a")) == ["service", "gzip"]


def test_the_reference_is_what_the_model_makes_of_it() -> None:
    page = REFERENCE.read_text()

    assert settings_page(page) == page, "docs/reference/settings.md is stale; run `make schemas`"
    assert set(re.findall(r"^\| `([a-z_]+)`", table(), re.MULTILINE)) == Settings.model_fields.keys()


def test_a_page_without_a_place_for_the_table_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="put them where the table belongs"):
        settings_page("# Settings\n")


def test_every_setting_says_which_programs_use_it_what_it_means_and_what_its_number_counts() -> None:
    for name, field in Settings.model_fields.items():
        used = used_by(name)
        number = {int, float} & {field.annotation, *get_args(field.annotation)}
        assert used.programs, name
        assert set(used.programs) <= set(PROGRAMS), name
        assert field.description, name
        assert used.unit or not number, name
        if used.unit in ("seconds", "bytes"):
            assert used.unit in name.split("_"), name


@pytest.mark.parametrize("program", ["ship", "serve"])
def test_a_program_has_a_flag_for_each_of_its_settings_and_none_for_a_secret(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([program, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    flags = set(re.findall(r"(?<![\w-])--[a-z-]+", shown)) - {"--help", "--settings", "--lifeline"}
    expected = [name for name in settings_of(program) if not is_secret(name)]

    assert flags >= {flag(name) for name in expected}
    assert not flags & {flag(name) for name in Settings.model_fields if is_secret(name)}
    assert flags - {flag(name) for name in Settings.model_fields} == set()
    for name in expected:
        words = (Settings.model_fields[name].description or "").replace("`", "")
        assert " ".join(words.split()) in shown, name


@pytest.mark.parametrize(
    ("keywords", "environment", "text", "expected"),
    [
        ({"body_bytes_max": "5"}, "6", "body_bytes_max: 7\n", 5),
        ({}, "6", "body_bytes_max: 7\n", 6),
        ({}, "", "body_bytes_max: 7\n", 7),
        ({}, "", "", Settings().body_bytes_max),
    ],
)
def test_a_setting_of_the_gateway_has_the_same_precedence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keywords: dict[str, str],
    environment: str,
    text: str,
    expected: int,
) -> None:
    monkeypatch.setenv("LOGGING_SYSTEM_BODY_BYTES_MAX", environment)

    assert load(tmp_path, text, **keywords).settings.body_bytes_max == expected


def test_parts_that_are_used_alone_have_the_defaults_of_the_settings() -> None:
    of_settings = _limits_of(Settings())
    service = Service(spool=Path("s"))

    assert of_settings == GatewayLimits()
    assert (service.host, service.port) == (Settings().listen_host, Settings().listen_port)
    assert service.spool_bytes_max == Settings().spool_bytes_max
    for name, parameter in inspect.signature(SpoolHandler).parameters.items():
        if name in Settings.model_fields and name not in ("level", "spool", "service"):
            assert parameter.default == Settings.model_fields[name].default, name


def test_settings_of_one_program_are_no_mistake_for_another(tmp_path: Path) -> None:
    text = "service: shop\nlevel: warning\nlisten_port: 0\nstatus_port: 0\n"

    assert load(tmp_path, text).problems == ()


def test_a_switch_of_the_command_line_needs_no_value() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, "serve")

    assert load_settings(given_settings(parser.parse_args(["--open-to-all"]))).settings.open_to_all
    assert not load_settings(
        given_settings(parser.parse_args(["--open-to-all", "false"]))
    ).settings.open_to_all
    assert not load_settings(given_settings(parser.parse_args([]))).settings.open_to_all
