"""The files of a key provider are hidden, spoiled or lost; only what was lost does not come back."""

from random import Random

import pytest

from harness.cleanup.undo_actions import carry_out
from harness.model.errors import FaultError
from harness.targets.key_files import KeyFilesTarget

KEY = b'{"versions": [1]}'


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keys" / "keyring.json"
    path.parent.mkdir()
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture
def target(tmp_path, path):
    return KeyFilesTarget("key_provider", tmp_path, ("keys/*.json",))


def test_a_hidden_file_cannot_be_opened_nor_made_again_and_comes_back_as_it_was(target, path):
    target.hide()

    assert target.out_of_reach()
    with pytest.raises(FileNotFoundError):
        path.read_bytes()
    with pytest.raises(FileNotFoundError):
        path.write_bytes(b"a new key")
    assert target.describe_provider() == "keys/keyring.json cannot be opened"
    target.show()
    assert path.read_bytes() == KEY
    assert not target.out_of_reach()


def test_a_spoiled_file_holds_other_bytes_under_the_same_mode_and_comes_back_as_it_was(target, path):
    target.spoil(Random(1))

    assert target.out_of_reach()
    assert KEY not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert target.describe_provider() == "keys/keyring.json holds garbage"
    target.show()
    assert path.read_bytes() == KEY


@pytest.mark.parametrize("hurt", ["hide", "spoil"])
def test_a_later_process_puts_it_back_from_the_journal_alone(target, path, hurt):
    undo = target.undo_hide()
    if hurt == "spoil":
        target.spoil(Random(1))
    else:
        target.hide()

    assert carry_out(undo).startswith("keyring.json was put back")
    assert path.read_bytes() == KEY
    assert "hidden any more" in carry_out(undo)


def test_a_file_that_was_made_again_meanwhile_is_not_overwritten(target, path):
    target.hide()
    path.unlink()
    path.write_bytes(b"a new key")

    with pytest.raises(FaultError, match="was made again meanwhile"):
        target.show()
    assert path.read_bytes() == b"a new key"


def test_what_is_lost_is_gone(target, path):
    target.lose()

    assert target.lost() == ["keys/keyring.json"]
    assert not path.exists()


def test_a_provider_without_files_is_named(tmp_path):
    with pytest.raises(FaultError, match=r"no file matches keys/\*\.json; correct keys\.provider"):
        KeyFilesTarget("key_provider", tmp_path, ("keys/*.json",)).hide()


def test_a_link_to_a_file_elsewhere_is_left_alone(tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_bytes(KEY)
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "key.json").symlink_to(outside)

    with pytest.raises(FaultError):
        KeyFilesTarget("key_provider", folder, ("*.json",)).lose()
    assert outside.read_bytes() == KEY
