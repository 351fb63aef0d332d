"""A folder is gone while the fault is on and whole again afterwards; nothing outside the run is touched."""

import contextlib
from pathlib import PurePath
from random import Random

import pytest

from harness.cleanup.undo_actions import carry_out
from harness.faults.folder_gone import FolderGone
from harness.model.errors import FaultError
from harness.targets.capabilities import Movable
from harness.targets.files import FilesTarget
from harness.targets.folders import folders_of


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "run"
    (folder / "spool").mkdir(parents=True)
    (folder / "spool" / "a.segment").write_bytes(b"kept")
    return folder


@pytest.fixture
def target(root):
    return FilesTarget("spool", root, ["spool/*.open", "spool/*.segment"])


def test_the_folder_is_gone_while_the_fault_is_on_and_whole_after_an_error(root, target):
    assert isinstance(target, FolderGone.needs)
    assert isinstance(target, Movable)

    seen = []
    with contextlib.suppress(RuntimeError), FolderGone().inject(target, Random(1)):
        seen.append(FolderGone().evidence(target))
        raise RuntimeError

    assert seen == [(True, "spool is gone")]
    assert (root / "spool" / "a.segment").read_bytes() == b"kept"
    assert list(root.iterdir()) == [root / "spool"]


def test_nobody_can_open_a_file_in_it_or_make_it_again(root, target):
    with FolderGone().inject(target, Random(1)):
        with pytest.raises(FileNotFoundError):
            (root / "spool" / "b.open").write_bytes(b"")
        with pytest.raises(FileExistsError):
            (root / "spool").mkdir(parents=True, exist_ok=True)


def test_what_is_written_to_an_open_file_meanwhile_is_there_afterwards(root, target):
    file = (root / "spool" / "a.segment").open("ab", buffering=0)
    with file, FolderGone().inject(target, Random(1)):
        file.write(b" too")

    assert (root / "spool" / "a.segment").read_bytes() == b"kept too"


def test_a_folder_that_never_was_is_no_proof(tmp_path):
    target = FilesTarget("spool", tmp_path, ["spool/*"])

    with FolderGone().inject(target, Random(1)):
        landed, proof = FolderGone().evidence(target)

    assert (landed, proof) == (False, "spool is there, or never was")


def test_the_journal_alone_puts_it_back_and_twice_does_no_harm(root, target):
    undo = FolderGone().undo(target)
    target.take_away()

    said = [carry_out(undo), carry_out(undo)]

    assert said == [
        f"spool was put back in {root}",
        f"nothing in {root} is moved aside any more",
    ]
    assert (root / "spool" / "a.segment").read_bytes() == b"kept"


def test_a_run_folder_that_is_gone_has_nothing_to_put_back(tmp_path):
    undo = FolderGone().undo(FilesTarget("spool", tmp_path / "run", ["spool/*"]))

    assert carry_out(undo) == f"{tmp_path / 'run'} is gone, and with it what was moved in it"


def test_what_took_its_name_meanwhile_is_left_alone(root, target):
    target.take_away()
    (root / "spool").unlink()
    (root / "spool").mkdir()

    with pytest.raises(FaultError, match="was made again meanwhile"):
        target.put_back()


def test_links_are_never_followed(root, tmp_path):
    (tmp_path / "elsewhere" / "inner").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "elsewhere")

    for patterns in (["link/*"], ["link/inner/*"]):
        with pytest.raises(FaultError, match="links are not followed"):
            FilesTarget("x", root, patterns).take_away()

    assert (tmp_path / "elsewhere" / "inner").is_dir()


def test_files_directly_in_the_folder_of_the_run_are_refused_before_anything_is_moved(root):
    with pytest.raises(FaultError, match="let the stack keep them in a folder below it"):
        FolderGone().undo(FilesTarget("log", root, ["app.log"]))


def test_the_folders_of_patterns_are_the_outermost_literal_ones():
    assert folders_of(["a/*.x", "a/b/*.y", "c/d/[ef]/g", "h"]) == [PurePath()]
    assert folders_of(["a/*.x", "a/b/*.y", "c/d/[ef]/g"]) == [PurePath("a"), PurePath("c/d")]
