"""What is seen of a canary is told by its kind, path, place and field, and never quoted."""

import os
from email.message import EmailMessage
from random import Random

import orjson
import pytest

from harness.evidence.alerts.inboxes import mail
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.secrets.needles import Needles
from harness.evidence.secrets.sweep import Place, Sweep
from harness.evidence.secrets.watch import SecretWatch
from harness.model.facts import SecretSeen, SecretsSought
from harness.model.protocols import RawDocument

CANARIES = {(kind, "extra"): KINDS[kind](Random(kind)) for kind in KINDS}
NEEDLES = Needles(CANARIES)
TOKEN = CANARIES["authorization", "extra"].secrets[0]
CARD = CANARIES["card", "extra"].secrets[-1]
SECOND = 1_000_000_000


@pytest.fixture
def watch(tmp_path):
    return SecretWatch(NEEDLES, Sweep(NEEDLES, (Place("stack", tmp_path),)))


def seen(watch):
    *finds, sought = watch.facts(0)
    assert isinstance(sought, SecretsSought)
    return finds


def test_a_file_is_told_with_the_place_and_the_field_and_the_value_is_not(watch, tmp_path):
    (tmp_path / "spool").mkdir()
    line = orjson.dumps({"message": "x", "http": {"headers": [{"Authorization": TOKEN}]}})
    (tmp_path / "spool" / "1.segment").write_bytes(b"{}\n" + line + b"\n")

    (find,) = seen(watch)
    assert (find.kind, find.path, find.encoding) == ("authorization", "extra", "in clear")
    assert (find.place, find.field) == ("stack/spool/1.segment", "http.headers[0].Authorization")
    assert find.at_byte == 3 + line.index(TOKEN.encode())
    assert find.is_whole
    assert TOKEN[:8] not in repr(find)


def test_what_is_removed_before_the_end_was_seen_while_it_was_there(watch, tmp_path):
    (tmp_path / "block").write_text(TOKEN)
    watch.look(1)
    (tmp_path / "block").unlink()

    (find,) = seen(watch)
    assert find.place == "stack/block"


def test_what_is_appended_is_found_at_the_next_look(watch, tmp_path):
    path = tmp_path / "log"
    path.write_text("begin " + TOKEN[:20])
    watch.look(1)
    with path.open("a") as file:
        file.write(TOKEN[20:])
    watch.look(1 + 2 * SECOND)
    path.unlink()

    (find,) = seen(watch)
    assert find.is_whole


def test_a_file_that_is_written_in_its_middle_is_read_again(watch, tmp_path):
    path = tmp_path / "ring"
    path.write_bytes(b"\0" * 1_000)
    watch.look(1)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(TOKEN.encode())
    os.utime(path, ns=(5, 5))
    watch.look(1 + 2 * SECOND)
    path.unlink()

    (find,) = seen(watch)
    assert find.at_byte == 100


def test_stored_documents_are_searched(watch):
    watch.documents("the archive", [RawDocument("logs-1/id-1", orjson.dumps({TOKEN: 1}))])

    (find,) = seen(watch)
    assert (find.place, find.field) == ("the archive: logs-1/id-1", "the document (a key)")


def test_half_of_a_card_is_nothing_and_both_halves_are_a_find(watch, tmp_path):
    (tmp_path / "one").write_text(f"{CARD[:8]} 1234\n")
    (tmp_path / "both").write_text(f"{CARD[:8]}\n{CARD[8:]}\n")

    (find,) = seen(watch)
    assert (find.kind, find.place) == ("card", "stack/both")


def test_a_link_to_a_file_elsewhere_is_not_followed(watch, tmp_path):
    outside = tmp_path.parent / "outside"
    outside.write_text(TOKEN)
    (tmp_path / "link").symlink_to(outside)

    assert seen(watch) == []


def test_what_cannot_be_read_is_told(watch):
    watch.unread("the archive: gone")

    assert list(watch.facts(0))[-1].unread == "the archive: gone"


def test_each_find_is_told_once_with_how_often(watch, tmp_path):
    (tmp_path / "log").write_text(f"{TOKEN}\n" * 50)

    (find,) = seen(watch)
    assert isinstance(find, SecretSeen)
    assert find.times == 100


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_a_mail_is_searched_whatever_its_parts_are_packed_in(watch, encoding, subtype):
    told = EmailMessage()
    told["Subject"] = "Errors"
    told.set_content("ten errors")
    text = "\n".join(["the line is", f"Authorization: {TOKEN}", "", "x" * 60])
    told.add_alternative(text, subtype=subtype, cte=encoding)
    watch.message("mail", mail(told.as_bytes(), 7, "oncall@example").pieces)

    finds = seen(watch)
    assert {(find.kind, find.path) for find in finds} == {("authorization", "extra")}
    assert [find.is_whole for find in finds if find.encoding == "in clear"] == [True]
    assert {find.place for find in finds} == {"messages by mail: number 1"}
    assert TOKEN[:8] not in repr(finds)


def test_a_header_of_a_message_is_searched_too(watch):
    told = EmailMessage()
    told["Subject"] = f"Füll: {TOKEN}"
    told.set_content("nothing")
    watch.message("mail", mail(told.as_bytes(), 7, "oncall@example").pieces)

    (find, *_) = seen(watch)
    assert find.place == "messages by mail: number 1"


def test_messages_without_a_secret_are_counted(watch):
    for _ in range(3):
        watch.message("hook", (b"{}",))
    *_, sought = watch.facts(0)

    assert sought.messages == 3
