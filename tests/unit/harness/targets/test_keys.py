"""Keys as a target: the stack's own commands work them, and each failure names the key of the stack file."""

import json
import sys

import pytest

from harness.model.errors import FaultError
from harness.targets.capabilities import KeyRevocable, KeyRotatable
from harness.targets.keys import KeyCommands, keys_target

ROTATE = "import json; k = json.load(open('k')); k['active']['version'] += 1; json.dump(k, open('k', 'w'))"


def command(code):
    return (sys.executable, "-c", code)


def keys(tmp_path, rotate=ROTATE, status="print(open('k').read())", **more):
    (tmp_path / "k").write_text(json.dumps({"active": {"version": 3}}))
    commands = KeyCommands(command(rotate), command(status), "active.version", str(tmp_path), **more)
    return keys_target("keys", commands)


def test_a_rotation_is_the_commands_and_shows_in_the_version(tmp_path):
    target = keys(tmp_path)
    target.rotate()

    assert target.key_version().number == 4


def test_a_rotation_that_is_cut_is_killed_and_one_that_was_done_is_told(tmp_path):
    long = keys(tmp_path, "import time; time.sleep(60); open('done', 'w')")

    assert long.begin_rotation(0.1)
    assert not (tmp_path / "done").exists()
    assert not keys(tmp_path).begin_rotation(60)


def test_keys_without_a_command_to_revoke_are_not_revocable(tmp_path):
    revocable = keys(tmp_path, revoke=command("pass"))

    assert isinstance(keys(tmp_path), KeyRotatable)
    assert not isinstance(keys(tmp_path), KeyRevocable)
    assert isinstance(revocable, KeyRevocable)


@pytest.mark.parametrize(
    ("rotate", "said"),
    [
        ("import sys; sys.exit('no provider')", "keys.rotate: ended with 1; it wrote: no provider"),
        ("import time; time.sleep(60)", "keys.rotate: did not end within 1 s"),
    ],
)
def test_a_command_that_fails_or_hangs_is_named(tmp_path, rotate, said):
    with pytest.raises(FaultError) as error:
        keys(tmp_path, rotate, timeout_seconds=1.0).rotate()

    # On a machine with much else to do, the interpreter alone may take longer than a second.
    assert str(error.value) in (said, "keys.rotate: did not end within 1 s")


def test_a_command_that_is_not_there_is_named(tmp_path):
    commands = KeyCommands(("./nothing",), ("./nothing",), "version", str(tmp_path))

    with pytest.raises(FaultError, match=r"keys\.rotate: cannot start './nothing': No such file"):
        keys_target("keys", commands).rotate()


@pytest.mark.parametrize("status", ["print('none')", "print('{\"active\": 3}')", "print('[]')"])
def test_a_status_without_the_version_says_which_key_to_correct(tmp_path, status):
    with pytest.raises(FaultError, match=r"correct keys\.version in the stack file"):
        keys(tmp_path, status=status).key_version()
