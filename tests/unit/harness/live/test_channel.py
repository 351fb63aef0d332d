"""A desk in another process answers as the desk itself does."""

import re
import stat
from pathlib import Path

import orjson
import pytest

from harness.live.channel import DeskServer, RemoteDesk
from harness.live.desk import Answer, LiveState, Verb, Wish, read_wish
from harness.model.errors import UnavailableError

WISH = Wish(Verb.START, "latency", "to_store", {"latency_ms": 500, "direction": "up"}, 12.0, None)


class Desk:
    def __init__(self):
        self.wishes = []

    def shown(self):
        return orjson.dumps(LiveState(scenario="é\n" * 50_000))

    def ask(self, wish):
        self.wishes.append(wish)
        return Answer(wish.verb is Verb.START, "heard\nit")

    def scorecard(self, number):
        return "<p>é</p>" if number == 1 else None


@pytest.fixture
def asked(tmp_path):
    desk = Desk()
    server = DeskServer(desk, tmp_path / "desk.sock")
    yield desk, RemoteDesk(str(tmp_path / "desk.sock"))
    server.stop()


def test_what_is_shown_asked_and_made_comes_through_whole(asked):
    desk, remote = asked

    assert remote.shown() == desk.shown()
    assert remote.ask(WISH) == Answer(True, "heard\nit")
    assert remote.ask(Wish(Verb.END)) == Answer(False, "heard\nit")
    assert desk.wishes == [WISH, Wish(Verb.END)]
    assert remote.scorecard(1) == "<p>é</p>"
    assert remote.scorecard(2) is None


def test_only_the_owner_may_open_the_socket(asked, tmp_path):
    assert stat.S_IMODE((tmp_path / "desk.sock").stat().st_mode) == 0o600


def test_a_run_that_is_gone_is_an_error(tmp_path):
    server = DeskServer(Desk(), tmp_path / "desk.sock")
    server.stop()

    assert not (tmp_path / "desk.sock").exists()
    with pytest.raises(OSError, match="No such file"):
        RemoteDesk(str(tmp_path / "desk.sock")).shown()


def test_a_path_too_long_for_a_socket_says_what_to_do():
    with pytest.raises(UnavailableError, match="set TMPDIR to a shorter folder"):
        DeskServer(Desk(), Path("/tmp") / ("x" * 200))  # noqa: S108 - nothing is made there


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"verb": "stop"}',
        b'{"verb": ["end"]}',
        b'{"verb": "start", "fault": 3}',
        b'{"verb": "start", "arguments": {"a": []}}',
        b'{"verb": "start", "arguments": [1]}',
        b'{"verb": "start", "seconds": "3"}',
        b'{"verb": "heal", "number": true}',
        b"\xff",
    ],
)
def test_what_is_no_wish_is_refused_with_a_sentence(body):
    with pytest.raises(ValueError, match=r"\.$|no JSON"):
        read_wish(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"verb": "heal", "number": "one"}',
            '`number` in the request must be a whole number, e.g. 0, not "one".',
        ),
        (
            b'{"verb": "heal", "number": true}',
            "`number` in the request must be a whole number, e.g. 0, not true.",
        ),
        (
            b'{"verb": "start", "seconds": []}',
            "`seconds` in the request must be a number of seconds, e.g. 30, not [].",
        ),
        (b'{"verb": "start", "fault": 3}', "`fault` in the request must be a text, not 3."),
        (b'{"verb": "start", "target": null}', "`target` in the request must be a text, not null."),
    ],
)
def test_a_value_of_another_kind_is_refused_in_plain_words(body, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read_wish(body)


def test_a_whole_number_of_seconds_is_a_number_of_seconds():
    assert read_wish(b'{"verb": "start", "seconds": 3}').seconds == 3.0
