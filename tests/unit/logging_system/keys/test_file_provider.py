"""A key file is read by nobody else, replaced as a whole, and refused where that is not so."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from logging_system.keys.provider import (
    KeyMissingError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from logging_system.keys.providers import open_provider
from logging_system.keys.providers.file import FileProvider
from logging_system.keys.secret import Secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "keys.json"


def test_the_file_and_what_is_beside_it_belong_to_this_user_alone(path: Path) -> None:
    previous = os.umask(0)
    try:
        FileProvider(path).create("logs")
    finally:
        os.umask(previous)

    assert {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {
        "keys.json": 0o600,
        "keys.json.lock": 0o600,
    }
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_lets_others_in_is_refused_with_the_remedy_even_where_it_was_read_before(
    path: Path, mode: int
) -> None:
    provider = FileProvider(path)
    provider.create("logs")
    provider.wrap("logs", 1, Secret(bytes(32)), b"")
    path.chmod(mode)

    with pytest.raises(ProviderRefusedError, match="chmod 600"):
        provider.wrap("logs", 1, Secret(bytes(32)), b"")
    with pytest.raises(ProviderRefusedError, match="chmod 600"):
        provider.rotate("logs", newest=1)
    path.chmod(0o600)
    assert provider.versions("logs").newest == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"format":1,"keys":[]}',
        b'{"format":2,"keys":{}}',
        b'{"format":1,"keys":{"A":{}}}',
        b'{"format":1,"keys":{"a":{"minimum":1,"newest":1,"secrets":{}}}}',
        b'{"format":1,"keys":{"a":{"minimum":1,"newest":1,"secrets":{"1":"c2VjcmV0"}}}}',
        b'{"format":1,"keys":{"a":{"minimum":2,"newest":1,"secrets":{"1":"' + b"A" * 43 + b'="}}}}',
        b'{"format":1,"keys":{"a":{"minimum":1,"newest":true,"secrets":{}}}}',
    ],
)
def test_a_file_that_is_no_key_file_is_refused_and_nothing_of_it_is_shown(path: Path, content: bytes) -> None:
    FileProvider(path).create("a")
    path.write_bytes(content)

    with pytest.raises(ProviderRefusedError) as refused:
        FileProvider(path).versions("a")
    assert str(path) in str(refused.value)
    assert "c2VjcmV0" not in str(refused.value)


def test_a_change_of_another_process_is_seen_at_once_and_one_under_way_is_waited_for(path: Path) -> None:
    provider = FileProvider(path, lock_seconds_max=0.05)
    provider.create("logs")
    FileProvider(path).rotate("logs", newest=1)
    assert provider.versions("logs").newest == 2
    with (path.parent / "keys.json.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ProviderUnavailableError, match="another process"):
            provider.rotate("logs", newest=2)
        assert provider.versions("logs").newest == 2

    assert provider.rotate("logs", newest=2) == 3


def test_what_was_destroyed_is_not_left_in_the_file_that_was_replaced(path: Path) -> None:
    provider = FileProvider(path)
    provider.create("logs")
    with path.open("rb") as before:
        provider.destroy("logs")
        assert before.read().strip(bytes(1)) == b""
    assert b'"secrets":{}' in path.read_bytes()


def test_a_file_that_is_not_there_is_told_with_the_remedy_and_not_made_by_chance(path: Path) -> None:
    provider = FileProvider(path)
    with pytest.raises(KeyMissingError, match="keys create"):
        provider.versions("logs")
    assert not path.exists()


@pytest.mark.parametrize(
    ("word", "arguments", "wrong"),
    [
        ("fil", {}, 'did you mean "file"'),
        ("nothing", {}, "choose file"),
        ("file", {}, "path: not given"),
        ("file", {"path": "x", "pth": 1}, "pth: no such key"),
        ("no_such_module_here:Provider", {}, "is not installed"),
        ("logging_system.keys.provider:None_", {}, "has no None_"),
    ],
)
def test_a_mistake_in_the_setting_is_told_with_its_remedy(
    word: str, arguments: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        open_provider(word, arguments)
