"""The page over real HTTP: its files, its state, its wishes, its scorecards; and the guard before them."""

from __future__ import annotations

import socket
from http.client import HTTPConnection

import orjson
import pytest

from harness.live.desk import Answer, LiveState, Verb, Wish
from harness.live.server import PageServer
from harness.model.errors import UnavailableError


class Desk:
    def __init__(self):
        self.wishes = []
        self.gone = False

    def shown(self):
        if self.gone:
            raise ConnectionRefusedError
        return orjson.dumps(LiveState(scenario="s"))

    def ask(self, wish):
        self.wishes.append(wish)
        return Answer(wish.verb is Verb.HEAL, "said")

    def scorecard(self, number):
        return "<p>card</p>" if number == 3 else None


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def server(desk):
    served = PageServer(desk)
    served.start()
    yield served
    served.stop()


def asked(server, method, path, body=None, **headers):
    """Return (status, headers, body) of one request over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    told = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return told


def wished(server, body, **headers):
    own = {"Origin": f"http://127.0.0.1:{server.port}", "X-Logquake-Token": server.token, **headers}
    status, _, told = asked(server, "POST", "/chaos/wish", body, **own)
    return status, told


def test_the_page_brings_all_it_needs_and_a_policy_that_allows_nothing_else(server):
    for path, kind in (
        ("", "html"),
        ("/page.css", "css"),
        ("/page.js", "javascript"),
        ("/tab.js", "javascript"),
    ):
        status, headers, body = asked(server, "GET", f"/chaos{path}")

        assert status == 200
        assert kind in headers["Content-Type"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert b"https://" not in body
        assert (server.token.encode() in body) == (path == "")


def test_the_root_leads_to_the_page(server):
    status, headers, _ = asked(server, "GET", "/")

    assert (status, headers["Location"]) == (302, "/chaos")


def test_the_state_is_json(server):
    status, _, body = asked(server, "GET", "/chaos/state")

    assert (status, orjson.loads(body)["scenario"]) == (200, "s")


def test_a_wish_is_answered_by_the_desk(server, desk):
    assert wished(server, b'{"verb": "heal", "number": 2}') == (202, b'{"taken":true,"words":"said"}')
    assert wished(server, b'{"verb": "end"}') == (409, b'{"taken":false,"words":"said"}')
    assert desk.wishes == [Wish(Verb.HEAL, number=2), Wish(Verb.END)]


def test_what_is_no_wish_is_a_mistake_and_reaches_nobody(server, desk):
    status, told = wished(server, b"end")

    assert (status, orjson.loads(told)["taken"]) == (400, False)
    assert desk.wishes == []


@pytest.mark.parametrize("path", ["3", "4", "03x", "-1", "..", "3/..", "%33"])
def test_only_a_number_names_a_scorecard(server, path):
    status, headers, body = asked(server, "GET", f"/chaos/snapshots/{path}")

    if path in {"3", "%33"}:
        assert (status, body) == (200, b"<p>card</p>")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    else:
        assert status in {403, 404}


def test_a_refusal_comes_through_the_real_server(server, desk):
    status, headers, body = asked(server, "POST", "/chaos/wish", b'{"verb": "end"}')
    assert (status, desk.wishes) == (403, [])
    assert b"X-Logquake-Token" in body
    assert "Access-Control-Allow-Origin" not in headers

    status, _, body = asked(server, "GET", "/chaos", Host="evil.example")
    assert status == 403
    assert b"--web-host NAME" in body


def test_a_run_that_is_gone_is_told(server, desk):
    desk.gone = True

    assert asked(server, "GET", "/chaos/state")[0] == 503


def test_a_head_has_no_body(server):
    status, _, body = asked(server, "HEAD", "/chaos")

    assert (status, body) == (200, b"")


def test_the_page_listens_on_this_machine_alone(server):
    assert server._server.server_address[0] == "127.0.0.1"


def test_an_address_that_is_taken_says_what_to_do(desk):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}: cannot listen: .* --web-port"):
            PageServer(desk, port=port)
