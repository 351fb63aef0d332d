"""A settings file and the environment: any bytes in them become settings and problems; nothing is raised."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from logging_system.config.loading import Loaded, load_settings
from logging_system.config.settings import ENVIRONMENT_PREFIX, Settings
from logging_system.config.settings_file import FILE_BYTES_MAX, SettingsFileError, parse_settings
from tests.fuzz.target import Target

_LARGE_BYTES = 16 * 1024
_PROBLEM_CHARACTERS_MAX = 4_096
_WORDS = (
    b"urls: ",
    b"service: ",
    b"spool_bytes_max: ",
    b"retention: ",
    b"linger: ",
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!!python/object/apply:os.system ",
    b"!!binary ",
    b"!!timestamp ",
    b"2001-99-99",
    b"0b1_",
    b"190:20:30",
    b".inf",
    b".nan",
    b"---\n",
    b"%YAML 1.1\n",
    b"? ",
    b"- [",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"1e400",
    b"9" * 5_000,
)


def _file_seeds() -> Sequence[bytes]:
    return (
        b"urls: http://localhost:9200\nservice: shop\n",
        b"urls: [http://one:9200, 'https://two:9200']\nstream: logs-shop\nconnections: 3\n",
        b"durability: fsync\nlevel: info\nfull: drop_newest\nspool_bytes_max: 1048576\n",
        b"a: &a [x, y]\nb: [*a, *a]\nc: {d: *a}\n",
        b"# nothing but a comment\n",
        b'text: "\\u00e9 \\x41"\nfolded: >\n  one\n  two\nwhen: 2026-10-21 07:28:00Z\n',
    )


def _environment_seeds() -> Sequence[bytes]:
    names = [ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields]
    return (
        f"{ENVIRONMENT_PREFIX}URLS=http://a:1,http://b:2\n{ENVIRONMENT_PREFIX}SERVICE=shop\n".encode(),
        "".join(f"{name}=1\n" for name in names).encode(),
        "".join(f"{name}=x\n" for name in names).encode(),
        f"{ENVIRONMENT_PREFIX}NO_SUCH=1\n{ENVIRONMENT_PREFIX}DURABILITY=fsync\n".encode(),
    )


def _check_file(body: bytes) -> bool:
    try:
        content = parse_settings(body)
    except SettingsFileError as error:
        assert 0 < len(str(error)) <= _PROBLEM_CHARACTERS_MAX
        content = None
    with tempfile.TemporaryDirectory(dir=_quick_folder()) as folder, _environment({}):
        path = Path(folder) / "settings.yaml"
        path.write_bytes(body)
        loaded = load_settings({"settings": path})
    _judge(loaded)
    if content is None or len(body) > FILE_BYTES_MAX:
        assert loaded.problems
        return False
    assert all(1 <= line <= len(body) + 1 for _, line in content.values())
    return not loaded.problems


def _check_environment(body: bytes) -> bool:
    variables = dict[str, str]()
    for line in body.split(b"\n"):
        name, _, value = line.partition(b"=")
        if name and b"\0" not in line:
            variables[os.fsdecode(name)] = os.fsdecode(value)
    variables.pop(f"{ENVIRONMENT_PREFIX}SETTINGS", None)  # another target
    with _environment(variables):
        loaded = load_settings({})
    _judge(loaded)
    return not loaded.problems


def _judge(loaded: Loaded) -> None:
    assert isinstance(loaded.settings, Settings)
    for problem in (*loaded.problems, *loaded.warnings):
        assert 0 < len(str(problem)) <= _PROBLEM_CHARACTERS_MAX + len(problem.where)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.upper().startswith(ENVIRONMENT_PREFIX):
            del os.environ[name]
    try:
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _quick_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - only where it lies in memory


SETTINGS_FILE = Target(
    "settings_file", _file_seeds, _check_file, words=_WORDS, large_bytes=_LARGE_BYTES, share=0.05
)
SETTINGS_ENVIRONMENT = Target(
    "settings_environment",
    _environment_seeds,
    _check_environment,
    words=(
        ENVIRONMENT_PREFIX.encode(),
        *(f"{ENVIRONMENT_PREFIX}{name.upper()}=".encode() for name in sorted(Settings.model_fields)),
        b"http://",
        b"nan",
        b"1e999",
        b"9" * 5_000,
        b"[]",
        b"{}",
        b"\xff",
    ),
    large_bytes=_LARGE_BYTES,
    share=0.05,
)
