"""The self-test's toy of a keyring does what an honest one must, and its careless twin forgets."""

import io
import json
import sys

import pytest

from harness.selftest.keyring import Keyring, main, make_keyring, read_keyring


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keys" / "keyring.json"
    make_keyring(path)
    return path


def decoded(path, documents, monkeypatch, capsys):
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    main(["decode", str(path)])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_was_sealed_before_a_rotation_is_opened_after_it(path, monkeypatch, capsys):
    before = read_keyring(path).seal("größe ☃")
    main(["rotate", str(path)])
    after = read_keyring(path).seal("after")

    answers = decoded(path, [{"sealed": before}, {"sealed": after}, {"message": "m"}], monkeypatch, capsys)
    assert [answer["message"] for answer in answers] == ["größe ☃", "after", "m"]
    assert before.startswith("1:")
    assert after.startswith("2:")


def test_a_careless_rotation_leaves_what_was_sealed_unreadable(path, monkeypatch, capsys):
    before = read_keyring(path).seal("before")
    main(["rotate_and_forget", str(path)])

    (answer,) = decoded(path, [{"sealed": before}], monkeypatch, capsys)
    assert answer == {"undecodable": "no key of version 1 opens it"}


def test_damage_is_noticed():
    keyring = Keyring({1: b"k" * 32})
    sealed = keyring.seal("message")
    damaged = sealed[:-3] + ("AA=" if sealed[-3:] != "AA=" else "BB=")

    with pytest.raises(ValueError, match=r"tag|padding|base64"):
        keyring.open(damaged)


def test_a_keyring_whose_name_is_taken_is_not_made_again(path):
    path.unlink()
    path.symlink_to("/proc/logquake-key-hidden")
    make_keyring(path)

    assert path.is_symlink()
