from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.reporting.latest import NAME, point_latest, result_file


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("first", "second"):
        (tmp_path / "reports" / "default" / name).mkdir(parents=True)
    return tmp_path / "reports"


def test_the_link_leads_to_the_run_and_then_to_the_next(out):
    for name in ("first", "second"):
        assert point_latest(out, out / "default" / name) == out / NAME
        assert (out / NAME).resolve() == out / "default" / name
    assert (out / NAME).readlink() == Path("default/second")
    assert sorted(path.name for path in out.iterdir()) == ["default", NAME]


def test_the_link_still_leads_there_when_the_folder_is_moved(out, tmp_path):
    point_latest(out, out / "default" / "first")
    moved = out.rename(tmp_path / "elsewhere")

    assert (moved / NAME).resolve() == moved / "default" / "first"


def test_it_is_replaced_where_its_run_was_deleted(out):
    point_latest(out, out / "default" / "first")
    (out / "default" / "first").rmdir()

    assert point_latest(out, out / "default" / "second") == out / NAME
    assert (out / NAME).resolve() == out / "default" / "second"


def test_where_no_link_is_possible_a_file_names_the_folder(out, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)

    assert point_latest(out, out / "default" / "second") == out / NAME
    assert (out / NAME).read_text() == "default/second\n"
    assert result_file(out / NAME) == out / "default" / "second" / "result.json"
    assert sorted(path.name for path in out.iterdir()) == ["default", NAME]


def test_a_folder_of_that_name_is_left_alone(out):
    (out / NAME / "mine").mkdir(parents=True)

    assert point_latest(out, out / "default" / "first") is None
    assert (out / NAME / "mine").is_dir()


def test_a_leftover_of_a_run_that_was_killed_is_no_obstacle(out):
    (out / f".{NAME}.{os.getpid()}").symlink_to("nowhere")

    assert point_latest(out, out / "default" / "first") == out / NAME
    assert (out / NAME).is_symlink()


def test_a_result_is_named_by_its_file_its_folder_or_the_link(out):
    point_latest(out, out / "default" / "first")

    assert result_file(out / NAME) == out / NAME / "result.json"
    assert result_file(out / "default" / "first") == out / "default" / "first" / "result.json"
    assert result_file(out / "other.json") == out / "other.json"
