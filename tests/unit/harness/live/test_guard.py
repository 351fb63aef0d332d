"""Only the page itself may ask, whatever route is asked for."""

from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.util import setup_testing_defaults

import pytest

from harness.live.guard import BODY_BYTES_MAX, TOKEN_HEADER, Guard, allowed_hosts

HOST = "127.0.0.1:8089"
OWN = {"HTTP_HOST": HOST, "HTTP_ORIGIN": f"http://{HOST}", "HTTP_X_LOGQUAKE_TOKEN": "token"}


class Served:
    """What lies behind the guard: notes what was let through, and answers with a foreign header."""

    def __init__(self):
        self.bodies = []
        self.paths = []

    def __call__(self, environ, start_response):
        self.paths.append(environ["PATH_INFO"])
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode())
        start_response("200 OK", [("Access-Control-Allow-Origin", "http://evil.example"), ("X-Own", "1")])
        return [b"served"]


def asked(path="/", method="GET", body=b"", guard_hosts=None, **headers):
    """Ask the guard once; return (status, headers, what was served)."""
    served = Served()
    answer: dict[str, Any] = {}
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": BytesIO(body), **headers}
    if body:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    setup_testing_defaults(environ)
    if "HTTP_HOST" not in headers:
        del environ["HTTP_HOST"]

    def start_response(status, told, *_):
        answer.update(status=int(status.split()[0]), headers=dict(told))

    hosts = allowed_hosts("127.0.0.1", 8089) if guard_hosts is None else guard_hosts
    list(Guard(served, hosts, "token")(environ, start_response))
    return answer["status"], answer["headers"], served


@pytest.mark.parametrize("host", [HOST, "localhost:8089", "LOCALHOST:8089", "[::1]:8089"])
def test_the_page_answers_under_the_names_of_this_machine(host):
    assert asked("/chaos", HTTP_HOST=host)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8089", "127.0.0.1", "127.0.0.1:80", ""])
@pytest.mark.parametrize("path", ["/", "/chaos/state", "/assets/a.js", "/stop"])
def test_no_other_name_leads_to_any_route(host, path):
    status, _, served = asked(path, **{**OWN, "HTTP_HOST": host})

    assert status == 403
    assert served.paths == []


def test_a_request_without_a_host_is_refused():
    assert asked("/")[0] == 403


def test_a_name_that_was_asked_for_is_let_in_and_an_address_that_stands_for_all_is_none():
    hosts = allowed_hosts("0.0.0.0", 8089, ["bench.example"])  # noqa: S104 - nothing is bound

    assert asked("/", guard_hosts=hosts, HTTP_HOST="bench.example:8089")[0] == 200
    assert asked("/", guard_hosts=hosts, HTTP_HOST="0.0.0.0:8089")[0] == 403
    assert asked("/", guard_hosts=allowed_hosts("192.0.2.7", 80), HTTP_HOST="192.0.2.7:80")[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:8089"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_page_may_ask_nothing(origin, method):
    assert asked("/chaos/state", method, **{**OWN, "HTTP_ORIGIN": origin})[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_a_browser_says_comes_from_another_site_is_refused(site):
    headers = {**OWN, "HTTP_SEC_FETCH_SITE": site}
    del headers["HTTP_ORIGIN"]

    assert asked("/chaos/state", **headers)[0] == 403
    assert asked("/stop", "POST", **headers)[0] == 403


def test_a_link_on_another_site_leads_to_the_page_and_to_nothing_else():
    visit = {
        "HTTP_HOST": HOST,
        "HTTP_SEC_FETCH_SITE": "cross-site",
        "HTTP_SEC_FETCH_MODE": "navigate",
        "HTTP_SEC_FETCH_DEST": "document",
    }

    assert asked("/chaos", **visit)[0] == 200
    assert asked("/stats/report", **visit)[0] == 403
    assert asked("/chaos", **{**visit, "HTTP_SEC_FETCH_DEST": "iframe"})[0] == 403
    assert asked("/", "POST", **visit)[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
@pytest.mark.parametrize("path", ["/", "/chaos/wish", "/swarm", "/assets/a.js", "/not/known"])
def test_what_may_change_something_needs_the_token_and_the_own_origin(path, method):
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
    for lacking in ("HTTP_ORIGIN", "HTTP_X_LOGQUAKE_TOKEN"):
        headers = {name: value for name, value in OWN.items() if name != lacking}
        assert asked(path, method, **form, **headers)[0] == 403
    assert asked(path, method, **form, **{**OWN, "HTTP_X_LOGQUAKE_TOKEN": "other"})[0] == 403
    assert asked(path, method, **form, **{**OWN, "HTTP_X_LOGQUAKE_TOKEN": "t\u00f6ken"})[0] == 403

    assert asked(path, method, **form, **OWN)[0] == 200


def test_sec_fetch_site_stands_for_the_origin_that_a_browser_leaves_out():
    headers = {"HTTP_HOST": HOST, "HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_X_LOGQUAKE_TOKEN": "token"}

    assert asked("/stop", "POST", **headers)[0] == 200
    assert asked("/stop", "POST", **{**headers, "HTTP_SEC_FETCH_SITE": "none"})[0] == 403


@pytest.mark.parametrize(
    "path", ["/stop", "/stats/reset", "//stop", "/STOP", "/stats/requests/", "/a/../stop", "/user"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_that_is_not_known_to_be_harmless_needs_the_token_too(path, method):
    assert asked(path, method, HTTP_HOST=HOST)[0] == 403


def test_below_the_assets_nothing_climbs_out():
    assert asked("/assets/x.js", HTTP_HOST=HOST)[0] == 200
    assert asked("/assets/../stop", HTTP_HOST=HOST)[0] == 403


def test_a_preflight_of_the_page_itself_is_answered_without_letting_anybody_in():
    status, headers, served = asked("/swarm", "OPTIONS", **OWN)

    assert status == 405
    assert served.paths == []
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_no_answer_carries_a_cors_header():
    _, headers, _ = asked("/", HTTP_HOST=HOST)

    assert "Access-Control-Allow-Origin" not in headers
    assert headers["X-Own"] == "1"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_the_host_of_a_swarm_form_never_gets_through():
    body = b"user_count=3&host=http%3A%2F%2Fevil.example&spawn_rate=1&web_host=0.0.0.0&profile=x"
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"}

    _, _, served = asked("/swarm", "POST", body, **form, **OWN)

    assert parse_qsl(served.bodies[0]) == [("user_count", "3"), ("spawn_rate", "1")]


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/json", ""])
def test_a_swarm_form_of_another_kind_is_refused(content_type):
    assert asked("/swarm", "POST", b"host=x", CONTENT_TYPE=content_type, **OWN)[0] == 415


def test_the_users_cannot_be_changed():
    assert asked("/user", "POST", b"{}", CONTENT_TYPE="application/json", **OWN)[0] == 403


@pytest.mark.parametrize("length", [str(BODY_BYTES_MAX + 1), "-1", "1e3", "9" * 30, "\u0661"])
def test_a_body_that_is_too_long_or_does_not_tell_is_refused(length):
    assert asked("/chaos/wish", "POST", b"x", **{**OWN, "CONTENT_LENGTH": length})[0] == 413


def test_a_body_in_chunks_is_refused():
    assert asked("/chaos/wish", "POST", HTTP_TRANSFER_ENCODING="chunked", **OWN)[0] == 413


def test_a_refusal_says_what_to_do():
    assert TOKEN_HEADER == "X-Logquake-Token"  # noqa: S105 - the name that tab.js and chaos.js write
