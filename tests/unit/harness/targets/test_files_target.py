"""Real files: which byte is changed, what is read again, and what is never touched."""

import os
from random import Random

import pytest

from harness.cleanup.undo_actions import carry_out
from harness.targets.capabilities import Corruptible, Flip
from harness.targets.files import FilesTarget


@pytest.fixture
def spool(tmp_path):
    """Two files of 1,000 zero bytes, the one last in the alphabet changed first."""
    folder = tmp_path / "run" / "spool"
    folder.mkdir(parents=True)
    for name, changed_seconds in (("b.segment", 1_000), ("a.open", 2_000)):
        (folder / name).write_bytes(bytes(1_000))
        os.utime(folder / name, (changed_seconds, changed_seconds))
    (folder / "status.json").write_bytes(bytes(1_000))
    return folder


@pytest.fixture
def target(spool):
    return FilesTarget("spool", spool.parent, ["spool/*.open", "spool/*.segment"])


def changed(path):
    return [offset for offset, byte in enumerate(path.read_bytes()) if byte]


def test_exactly_one_bit_is_flipped_and_named(target, spool):
    target.flip_bits(1, 0.0, 1.0, Random(1))

    (flip,) = target.flipped()
    data = (spool.parent / flip.file).read_bytes()
    assert isinstance(target, Corruptible)
    assert changed(spool / "a.open") + changed(spool / "b.segment") == [flip.offset_bytes]
    assert data[flip.offset_bytes] == flip.after
    assert (flip.before ^ flip.after).bit_count() == 1


def test_the_same_seed_flips_the_same_bits(target):
    target.flip_bits(3, 0.0, 1.0, Random(7))
    first = target.flipped()

    target.flip_bits(3, 0.0, 1.0, Random(7))

    assert target.flipped() == [Flip(each.file, each.offset_bytes, each.after, 0) for each in first]


def test_the_files_count_as_one_the_oldest_change_first(target, spool):
    target.flip_bits(5, 0.5, 0.75, Random(1))

    assert changed(spool / "b.segment") == []
    assert len(changed(spool / "a.open")) == 5
    assert all(offset < 500 for offset in changed(spool / "a.open"))


def test_the_times_of_a_file_do_not_tell(target, spool):
    target.flip_bits(1, 0.0, 0.5, Random(1))

    assert (spool / "b.segment").stat().st_mtime == 1_000


def test_a_byte_that_was_written_over_is_no_longer_destroyed(target, spool):
    target.flip_bits(2, 0.0, 0.5, Random(1))
    first, second = target.flipped()

    with (spool / "b.segment").open("r+b") as file:
        file.seek(first.offset_bytes)
        file.write(bytes([first.before]))

    assert target.flipped() == [second]


def test_a_file_that_was_renamed_is_found_again_and_another_under_its_name_is_not_taken_for_it(target, spool):
    target.flip_bits(1, 0.5, 1.0, Random(1))
    (flip,) = target.flipped()
    data = (spool / "a.open").read_bytes()

    (spool / "a.open").rename(spool / "a.segment")
    (spool / "a.open").write_bytes(bytes(1_000))
    assert target.flipped() == [flip]

    (spool / "a.segment").unlink()
    (spool / "a.open").write_bytes(data)
    assert target.flipped() == []


def test_fewer_bytes_than_asked_for_are_flipped_where_there_are_no_more(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    target = FilesTarget("spool", tmp_path, ["x"])

    target.flip_bits(5, 0.0, 1.0, Random(1))

    assert len(target.flipped()) == 3


def test_where_nothing_matches_nothing_is_flipped_and_it_says_so(spool):
    target = FilesTarget("spool", spool.parent, ["spool/*.none"])

    target.flip_bits(1, 0.0, 1.0, Random(1))

    assert target.flipped() == []
    assert target.describe_files() == "no file matches spool/*.none"


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path, spool):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.open").write_bytes(bytes(100))
    (spool / "link.open").symlink_to(outside / "precious.open")
    (spool / "folder").symlink_to(outside)
    target = FilesTarget("spool", spool.parent, ["spool/link.open", "spool/folder/*.open"])

    target.flip_bits(1, 0.0, 1.0, Random(1))

    assert target.flipped() == []
    assert (outside / "precious.open").read_bytes() == bytes(100)


def test_there_is_nothing_to_take_back_and_the_journal_says_why(target):
    assert "cannot be restored" in carry_out(target.undo_flip())
