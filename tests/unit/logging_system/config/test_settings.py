from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.config.settings import SECRETS, Loaded, Settings, changed, load_settings
from logging_system.config.settings_file import SettingsFileError, parse_settings
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
        ({"connections": 0}, "connections=: Input should be greater than or equal to 1"),
        ({"durability": "disk"}, "durability=: Input should be 'memory', 'write' or 'fsync'"),
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


def test_a_bad_value_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, "service: shop\n\nconnections: many\n")

    assert said(loaded) == [
        f"{tmp_path}/settings.yaml:3 connections: Input should be a valid integer, "
        "unable to parse string as an integer"
    ]


def test_a_bad_value_in_the_environment_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGGING_SYSTEM_GZIP", "perhaps")

    assert said(load_settings({}))[0].startswith("LOGGING_SYSTEM_GZIP: Input should be a valid boolean")


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

    assert secret == SECRETS


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


def test_the_reference_lists_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*?) \|", REFERENCE.read_text(), re.MULTILINE))

    assert rows == {name: shown(name) for name in Settings.model_fields}


def test_the_reference_says_of_every_setting_what_the_model_says() -> None:
    page = REFERENCE.read_text()

    told = {name: field.description for name, field in Settings.model_fields.items()}
    assert [name for name, words in told.items() if words is None or words not in page] == []


def shown(name: str) -> str:
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    return (
        "" if default in (None, []) else f"`{str(default).lower() if default in (True, False) else default}`"
    )
