"""The HTTP API that the TCP proxy and the real Toxiproxy share: any client works on either."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
import toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, ProxyExists

from harness.targets.toxiproxy_client import Proxy, ProxyAnswerError, Toxic, ToxiproxyClient
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import client, proxy_url

__all__ = ["client", "proxy_url"]

FREE = "127.0.0.1:0"
UPSTREAM = "127.0.0.1:1"
LATENCY_FOREVER = Toxic("hold", "latency", attributes={"latency": 3_600_000})


def raw(method: str, url: str, body: str | None = None, agent: str = "curl/8") -> requests.Response:
    return requests.request(method, url, data=body, headers={"User-Agent": agent}, timeout=10)


def test_version_is_json_on_a_line(client: ToxiproxyClient) -> None:
    answer = raw("GET", f"{client.url}/version")

    assert answer.status_code == 200
    assert answer.text.endswith("\n")
    assert answer.json() == {"version": client.version()}


def test_created_proxy_tells_its_port_and_is_listed_until_deleted(client: ToxiproxyClient) -> None:
    created = client.create("a", FREE, UPSTREAM)
    seen = client.get("a"), client.list()
    client.delete("a")

    assert created.listen.startswith("127.0.0.1:")
    assert created.listen != FREE
    assert seen == (created, {"a": created})
    assert client.list() == {}


def test_proxy_created_disabled_keeps_the_address_as_written(client: ToxiproxyClient) -> None:
    assert client.create("a", FREE, UPSTREAM, enabled=False) == Proxy("a", FREE, UPSTREAM, enabled=False)


def test_second_proxy_of_a_name_is_a_conflict(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    with pytest.raises(ProxyAnswerError, match="proxy already exists") as refused:
        client.create("a", FREE, UPSTREAM)

    assert refused.value.status == 409


def test_second_toxic_of_a_name_is_a_conflict(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    client.add_toxic("a", LATENCY_FOREVER)
    with pytest.raises(ProxyAnswerError, match="toxic already exists") as refused:
        client.add_toxic("a", LATENCY_FOREVER)

    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/proxies/none", None, 404, "proxy not found"),
        ("PATCH", "/proxies/none", "{}", 404, "proxy not found"),
        ("DELETE", "/proxies/none", None, 404, "proxy not found"),
        ("POST", "/proxies/none/toxics", "{}", 404, "proxy not found"),
        ("GET", "/proxies/a/toxics/none", None, 404, "toxic not found"),
        ("PATCH", "/proxies/a/toxics/none", "{}", 404, "toxic not found"),
        ("DELETE", "/proxies/a/toxics/none", None, 404, "toxic not found"),
        ("POST", "/proxies", "{bad", 400, "bad request body: "),
        ("POST", "/proxies", "[]", 400, "bad request body: "),
        ("POST", "/proxies", '{"name": 1}', 400, "bad request body: "),
        ("POST", "/proxies", '{"upstream": "x"}', 400, "missing required field: name"),
        ("POST", "/proxies", '{"name": "b"}', 400, "missing required field: upstream"),
        ("POST", "/proxies", '{"name": "b", "upstream": "x", "listen": "y"}', 500, "listen tcp: address y: "),
        ("PATCH", "/proxies/a", '{"enabled": "no"}', 400, "bad request body: "),
        ("PATCH", "/proxies/a", '{"listen": "y"}', 500, "address y: missing port in address"),
        ("POST", "/proxies/a/toxics", "{bad", 400, "bad request body: "),
        ("POST", "/proxies/a/toxics", '{"type": "none"}', 400, "invalid toxic type"),
        ("POST", "/proxies/a/toxics", '{"type": "latency", "stream": "side"}', 400, "stream was invalid"),
        ("POST", "/proxies/a/toxics", '{"type": "latency", "stream": ""}', 400, "stream was invalid"),
        ("POST", "/proxies/a/toxics", '{"type": "latency", "toxicity": "x"}', 400, "bad request body: "),
        (
            "POST",
            "/proxies/a/toxics",
            '{"type": "latency", "attributes": {"latency": 1.5}}',
            400,
            "bad request body: ",
        ),
    ],
)
def test_refusal_is_json_sent_as_plain_text(
    client: ToxiproxyClient, method: str, path: str, body: str | None, status: int, error: str
) -> None:
    client.create("a", FREE, UPSTREAM)
    answer = raw(method, client.url + path, body)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.json()["status"] == status
    assert answer.json()["error"].startswith(error)


def test_unknown_path_and_unknown_method_are_refused(client: ToxiproxyClient) -> None:
    assert raw("GET", f"{client.url}/none").status_code == 404
    assert raw("PUT", f"{client.url}/proxies").status_code == 405
    assert raw("HEAD", f"{client.url}/version").status_code == 405


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/proxies/", "/proxies/a/", "/proxies/a/toxics/", "/version/", "/reset/"])
def test_path_with_a_slash_at_its_end_is_not_found(client: ToxiproxyClient, method: str, path: str) -> None:
    client.create("a", FREE, UPSTREAM)
    answer = requests.request(method, client.url + path, timeout=10, allow_redirects=False)

    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("method", "path", "agent"),
    [
        ("GET", "/version", "curl/8"),
        ("GET", "/proxies", "curl/8"),
        ("POST", "/reset", "curl/8"),
        ("POST", "/proxies", "curl/8"),
        ("GET", "/proxies/none", "curl/8"),
        ("GET", "/version", "Mozilla/5.0"),
    ],
)
def test_each_answer_of_a_route_has_a_request_id_of_its_own(
    client: ToxiproxyClient, method: str, path: str, agent: str
) -> None:
    ids = [raw(method, client.url + path, agent=agent).headers["X-Toxiproxy-Request-Id"] for _ in range(2)]

    assert [len(each) for each in ids] == [20, 20]
    assert ids[0] != ids[1]


@pytest.mark.parametrize(("method", "path"), [("GET", "/none"), ("PUT", "/proxies"), ("GET", "/proxies/")])
def test_answer_of_no_route_has_no_request_id(client: ToxiproxyClient, method: str, path: str) -> None:
    assert "X-Toxiproxy-Request-Id" not in raw(method, client.url + path).headers


def test_browsers_are_turned_away(client: ToxiproxyClient) -> None:
    assert raw("GET", f"{client.url}/version", agent="Mozilla/5.0 (X11)").status_code == 403
    assert raw("GET", f"{client.url}/version", agent="not Mozilla/5.0").status_code == 200


def test_success_has_the_status_codes_that_clients_know(client: ToxiproxyClient) -> None:
    url = client.url
    latency = '{"type": "latency"}'

    assert (
        raw("POST", f"{url}/proxies", f'{{"name": "a", "upstream": "x:1", "listen": "{FREE}"}}').status_code
        == 201
    )
    assert raw("POST", f"{url}/proxies/a/toxics", latency).status_code == 200
    assert raw("POST", f"{url}/proxies/a/toxics/latency_downstream", "{}").status_code == 200
    assert raw("DELETE", f"{url}/proxies/a/toxics/latency_downstream").status_code == 204
    assert raw("POST", f"{url}/proxies/a", "{}").status_code == 200
    assert raw("POST", f"{url}/reset").status_code == 204
    assert raw("POST", f"{url}/populate", "[]").status_code == 201
    assert raw("DELETE", f"{url}/proxies/a").status_code == 204


def test_address_in_use_is_a_server_error(client: ToxiproxyClient) -> None:
    taken = client.create("a", FREE, UPSTREAM).listen
    with pytest.raises(ProxyAnswerError, match="address already in use") as refused:
        client.create("b", taken, UPSTREAM)

    assert refused.value.status == 500
    assert list(client.list()) == ["a"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_address_in_use_is_worded_as_the_system_call_that_failed(client: ToxiproxyClient, host: str) -> None:
    taken = client.create("a", FREE, UPSTREAM).listen
    body = {"name": "b", "upstream": UPSTREAM, "listen": f"{host}:{taken.rsplit(':', 1)[1]}"}
    answer = requests.post(f"{client.url}/proxies", json=body, timeout=10)

    assert answer.json() == {"error": f"listen tcp {taken}: bind: address already in use", "status": 500}


def test_address_in_use_on_update_leaves_the_proxy_disabled_there(client: ToxiproxyClient) -> None:
    taken = client.create("a", FREE, UPSTREAM).listen
    client.create("b", FREE, UPSTREAM)

    assert raw("PATCH", f"{client.url}/proxies/b", f'{{"listen": "{taken}"}}').status_code == 500
    assert client.get("b") == Proxy("b", taken, UPSTREAM, enabled=False)


@pytest.mark.parametrize("name", ["two words", "Überlänge", "a?b#c%2Fd", "a.b:c@d", "+&="])
def test_name_is_quoted_and_found_again(client: ToxiproxyClient, name: str) -> None:
    client.create(name, FREE, UPSTREAM)
    added = client.add_toxic(name, Toxic(name, "latency", attributes={"latency": 1, "jitter": 0}))
    seen = client.get(name)
    client.remove_toxic(name, name)
    client.delete(name)

    assert seen.toxics == (added,)
    assert client.list() == {}


def test_toxic_defaults_to_downstream_fully_toxic_and_named_after_both(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    raw("POST", f"{client.url}/proxies/a/toxics", '{"type": "latency", "attributes": {"latency": 5}}')

    assert client.get("a").toxics == (
        Toxic("latency_downstream", "latency", "downstream", 1.0, {"latency": 5, "jitter": 0}),
    )


def test_toxic_is_taken_loosely(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    body = '{"type": "latency", "stream": "UPSTREAM", "toxicity": 7, "attributes": {"unknown": 1}}'
    raw("POST", f"{client.url}/proxies/a/toxics", body)

    assert client.get("a").toxics == (
        Toxic("latency_UPSTREAM", "latency", "UPSTREAM", 7.0, {"latency": 0, "jitter": 0}),
    )


def test_updated_toxic_keeps_what_is_not_named(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    client.add_toxic("a", Toxic("t", "latency", attributes={"latency": 5, "jitter": 1}))
    updated = client.update_toxic("a", Toxic("t", "latency", toxicity=0.5, attributes={"jitter": 2}))

    assert updated == Toxic("t", "latency", "downstream", 0.5, {"latency": 5, "jitter": 2})
    assert client.get("a").toxics == (updated,)


def test_upstream_toxics_are_listed_first(client: ToxiproxyClient) -> None:
    client.create("a", FREE, UPSTREAM)
    for name, stream in (("d", "downstream"), ("u2", "upstream"), ("u1", "upstream")):
        client.add_toxic("a", Toxic(name, "latency", stream))

    assert [toxic.name for toxic in client.get("a").toxics] == ["u2", "u1", "d"]


def test_reset_enables_proxies_and_removes_toxics(client: ToxiproxyClient) -> None:
    created = client.create("a", FREE, UPSTREAM)
    client.add_toxic("a", LATENCY_FOREVER)
    client.set_enabled("a", False)
    client.reset()

    assert client.get("a") == created


def test_populate_keeps_unchanged_proxies_and_replaces_changed_ones(client: ToxiproxyClient) -> None:
    kept = client.create("kept", FREE, UPSTREAM)
    changed = client.create("changed", FREE, UPSTREAM)
    toxic = client.add_toxic("kept", Toxic("t", "latency", attributes={"latency": 1, "jitter": 0}))
    client.add_toxic("changed", LATENCY_FOREVER)
    done = client.populate(
        [
            Proxy("kept", kept.listen, UPSTREAM, enabled=False),
            Proxy("changed", changed.listen, "127.0.0.1:2"),
            Proxy("new", FREE, UPSTREAM, enabled=False),
        ]
    )

    assert done[0] == Proxy("kept", kept.listen, UPSTREAM, enabled=True, toxics=(toxic,))
    assert done[1] == Proxy("changed", changed.listen, "127.0.0.1:2")
    assert done[2] == Proxy("new", FREE, UPSTREAM, enabled=False)
    assert client.list() == {proxy.name: proxy for proxy in done}


def test_populate_with_nothing_answers_no_proxies(client: ToxiproxyClient) -> None:
    assert client.populate([]) == ()
    assert raw("POST", f"{client.url}/populate", "[]").json() == {"proxies": None}


@pytest.mark.parametrize("body", ["{bad", "{}", '[{"name": "p", "upstream": "x:1"}, {"name": "q"}]'])
def test_populate_checks_every_entry_before_it_touches_one(client: ToxiproxyClient, body: str) -> None:
    answer = raw("POST", f"{client.url}/populate", body)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["proxies"] is None
    assert client.list() == {}


def test_populate_stops_at_an_address_in_use_and_tells_what_is_there(client: ToxiproxyClient) -> None:
    taken = client.create("a", FREE, UPSTREAM).listen
    entries = [
        {"name": n, "upstream": UPSTREAM, "listen": at} for n, at in (("p", FREE), ("q", taken), ("r", FREE))
    ]
    answer = requests.post(f"{client.url}/populate", json=entries, timeout=10)

    assert answer.status_code == 500
    assert "address already in use" in answer.json()["error"]
    assert [proxy["name"] for proxy in answer.json()["proxies"]] == ["p"]
    assert list(client.list()) == ["a", "p"]


def test_long_list_arrives_whole(client: ToxiproxyClient) -> None:
    for number in range(60):
        client.create(f"proxy-{number:04}", FREE, UPSTREAM, enabled=False)

    assert len(client.list()) == 60


@pytest.fixture
def foreign(client: ToxiproxyClient) -> Iterator[toxiproxy.Toxiproxy]:
    """toxiproxy-python, which keeps the server's address for the whole process."""
    before = APIConsumer.host, APIConsumer.port
    foreign = toxiproxy.Toxiproxy()
    foreign.update_api_consumer(*client.url.removeprefix("http://").split(":"))
    APIConsumer.port = int(APIConsumer.port)
    yield foreign
    APIConsumer.host, APIConsumer.port = before


def test_foreign_client_works(client: ToxiproxyClient, foreign: toxiproxy.Toxiproxy) -> None:
    proxy = foreign.create(upstream=UPSTREAM, name="f")
    proxy.add_toxic(type="latency", attributes={"latency": 7})
    toxic = proxy.get_toxic("latency_downstream")
    with proxy.down():
        was_enabled = foreign.get_proxy("f").enabled
    proxy.destroy_toxic("latency_downstream")
    left = client.get("f")
    foreign.destroy_all()

    assert foreign.running()
    assert toxic.attributes == {"latency": 7, "jitter": 0}
    assert was_enabled is False
    assert left == Proxy("f", proxy.listen, UPSTREAM)
    assert foreign.reset()
    assert foreign.proxies() == {}


def test_foreign_client_recognises_a_name_that_is_taken(foreign: toxiproxy.Toxiproxy) -> None:
    foreign.populate([{"name": "g", "upstream": UPSTREAM, "listen": FREE}])
    with pytest.raises(ProxyExists):
        foreign.create(UPSTREAM, "g")
    with pytest.raises(InvalidToxic):
        foreign.get_proxy("g").add_toxic(type="none")
