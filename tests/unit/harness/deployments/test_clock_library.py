"""The library that moves wall clocks is compiled once, and where it cannot be, that is said."""

import os
import stat

import pytest

from harness.deployments.clock_library import clock_library
from harness.model.errors import UnavailableError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("LOGQUAKE_CACHE", str(folder))
    return folder


def program(folder, text):
    folder.mkdir()
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_a_compiler_it_says_what_to_install(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UnavailableError, match=r"no C compiler .* apt-get install gcc"):
        clock_library()


def test_what_a_compiler_says_is_told_and_leaves_nothing_behind(cache, tmp_path, monkeypatch):
    program(tmp_path / "bin", 'echo "fatal error: dlfcn.h: No such file" >&2; exit 1')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    with pytest.raises(UnavailableError, match=r"cannot compile wall_clock\.c: fatal error: dlfcn\.h"):
        clock_library()
    assert list(cache.iterdir()) == []


def test_it_is_compiled_once_for_all_runs_and_any_user_can_read_it(cache, tmp_path, monkeypatch):
    writes = 'for word; do case "$word" in */.wall-clock*) echo lib > "$word";; esac; done'
    program(tmp_path / "bin", f"echo x >> {tmp_path}/times; {writes}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    first, second = clock_library(), clock_library()

    assert first == second
    assert first.parent == cache
    assert first.read_text() == "lib\n"
    assert (tmp_path / "times").read_text() == "x\n"
    assert stat.S_IMODE(first.stat().st_mode) == 0o755


def test_a_cache_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOGQUAKE_CACHE", str(tmp_path / "file"))

    with pytest.raises(UnavailableError, match=r"file: cannot be written"):
        clock_library()
