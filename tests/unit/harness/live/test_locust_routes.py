"""Every route that Locust's own application has stands behind the guard."""

import os
import sys

import pytest

# Threads of the tests stay threads.
os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")
locust_env = pytest.importorskip("locust.env", reason="Locust is not installed (the load extra)")

from werkzeug.test import Client  # noqa: E402 - comes with Locust

from harness.live.desk import Answer  # noqa: E402
from harness.live.guard import READABLE, Guard, allowed_hosts  # noqa: E402
from harness.live.page import ChaosPage, beside  # noqa: E402

HOST = "127.0.0.1:8089"
HOSTS = allowed_hosts("127.0.0.1", 8089)
STACK = "http://127.0.0.1:9200"
FORM = {"user_count": "3", "spawn_rate": "1", "host": "http://evil.example"}


class NoDesk:
    def shown(self):
        return b"{}"

    def ask(self, wish):
        return Answer(False, "nobody is there")

    def scorecard(self, number):
        return None


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["locust"])  # Locust reads its own options there
    made = locust_env.Environment(user_classes=[], host=STACK)
    made.create_local_runner()
    made.create_web_ui("127.0.0.1", 8089, delayed_start=True)
    yield made
    made.runner.quit()


@pytest.fixture
def app(environment):
    return environment.web_ui.app


@pytest.fixture
def client(app):
    page = ChaosPage(NoDesk(), "token", beside_locust=True)
    return Client(Guard(beside(app.wsgi_app, page, "token"), HOSTS, "token"))


def routes(app):
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:path>", "x").replace("<path:filename>", "x")
        assert "<" not in path, f"{rule} has a part that this test does not fill in"
        for method in sorted({*rule.methods, "POST"}):
            yield path, method


def own(**more):
    return {"Host": HOST, "Origin": f"http://{HOST}", "X-Logquake-Token": "token", **more}


def test_no_route_answers_a_foreign_name(app, client):
    for path, method in routes(app):
        assert client.open(path, method=method, headers=own(Host="evil.example:8089")).status_code == 403


def test_no_route_answers_another_page(app, client):
    for path, method in routes(app):
        for foreign in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert client.open(path, method=method, headers=own(**foreign)).status_code == 403


def test_only_routes_known_to_be_harmless_answer_without_the_token(app, client):
    for path, method in routes(app):
        answer = client.open(path, method=method, headers={"Host": HOST, "Origin": f"http://{HOST}"})
        harmless = method in {"GET", "HEAD"} and (path in READABLE or path.startswith("/assets/"))

        assert (answer.status_code != 403) == harmless, (path, method)


def test_no_answer_of_any_route_carries_a_cors_header(app, client):
    for path, method in routes(app):
        answer = client.open(path, method=method, headers=own())

        assert not [name for name in dict(answer.headers) if name.lower().startswith("access-control")]


def test_a_swarm_form_does_not_change_where_the_load_goes(environment, client):
    answer = client.post("/swarm", data=FORM, headers=own())

    assert answer.status_code == 200
    assert environment.host == STACK


def test_locust_would_have_taken_the_host(environment, app):
    """What the guard keeps out is real: without it the same form sends the load elsewhere."""
    Client(app.wsgi_app).post("/swarm", data=FORM)

    assert environment.host == FORM["host"]


def test_locusts_page_gets_the_way_to_the_chaos_page(client):
    html = client.get("/", headers={"Host": HOST}).text

    assert '<script src="/chaos/tab.js"></script>' in html
    assert 'name="logquake-token" content="token"' in html
