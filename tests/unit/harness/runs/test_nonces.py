"""What the command `keys.nonces` prints is counted; a command that fails is told."""

import sys

from harness.model.declarations import Keys, Part, Promises, Stack
from harness.model.facts import NoncesListed
from harness.model.protocols import RawDocument
from harness.processes import procfs
from harness.runs.nonces import NonceCommand, counted, nonce_command, nonces_listed


def archive(*bodies):
    return [("the archive", [RawDocument(str(place), body) for place, body in enumerate(bodies)])]


def command(code, **kept):
    return NonceCommand([sys.executable, "-c", code], ".", **kept)


def stack(*nonces):
    return Stack(
        name="mine",
        needs=(),
        links={},
        processes=(),
        intake=Part("http", {}),
        acknowledged_by="http_2xx",
        archive=Part("file", {}),
        promises=Promises(),
        keys=Keys(("r",), ("s",), nonces=nonces),
        environment={"CARD_READER": "{run.folder}/reader"},
    )


ECHO = command("import sys; sys.stdout.write(sys.stdin.read())")


def test_one_nonce_under_two_keys_and_a_copy_of_the_same_bytes_are_no_reuse():
    assert counted([b"k1 n1 a\n", b"k2 n1 b\n", b"k1 n1 a\n"], 7) == NoncesListed(7, 3, 2, 0)


def test_a_nonce_that_seals_two_things_is_counted_once_and_named():
    listed = counted([b"k1 n1 a\n", b"k1 n1 b\n", b"k1 n1 c\n", b"k1 n2 d\n"], 7)

    assert (listed.things, listed.keys, listed.reused) == (4, 1, 1)
    assert listed.example == "Key k1 seals two different things with the nonce n1."


def test_a_line_that_is_none_ends_the_list():
    listed = counted([b"k1 n1 a\n", b"k1 n1\n"], 7)

    assert listed.unread == 'keys.nonces: line 2 of what it prints is no "key nonce digest"'


def test_the_command_gets_every_stored_document():
    assert nonces_listed(ECHO, archive(b"k n 1", b"k n 2"), 7).reused == 1


def test_a_command_that_fails_or_hangs_or_is_not_there_is_told():
    failing = command("import sys; sys.exit('no keyring')")
    hanging = command("import time; time.sleep(60)", timeout_seconds=0.2)
    absent = NonceCommand(["/nowhere"], ".")
    told = [nonces_listed(each, archive(), 7).unread for each in (failing, hanging, absent)]

    assert told == [
        "keys.nonces: ended with 1; it wrote: no keyring",
        "keys.nonces: did not end within 0.2 s",
        "keys.nonces: cannot start '/nowhere': No such file or directory",
    ]


def test_an_archive_that_shows_no_documents_leaves_it_open():
    assert nonces_listed(ECHO, [("the archive", None)], 7).unread == (
        "the archive shows no documents as they are stored"
    )


def test_a_stack_without_the_command_lists_nothing():
    values = {"run.folder": "/run"}

    assert nonce_command(stack(), values, "id") is None
    made = nonce_command(stack("n", "{run.folder}/x"), values, "id")
    assert made is not None
    assert made.command == ["n", "/run/x"]


def test_the_command_gets_the_variables_of_the_stack_and_the_marks_of_the_run():
    made = nonce_command(stack("n"), {"run.folder": "/run"}, "id")

    assert made is not None
    assert made.environment["CARD_READER"] == "/run/reader"
    assert made.environment[procfs.RUN_ID_VARIABLE] == "id"
