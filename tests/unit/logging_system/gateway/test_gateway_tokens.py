from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.gateway.batch import Batch
from logging_system.gateway.ndjson import read_ndjson
from logging_system.gateway.server import ExposureError, Service, is_loopback, serve
from logging_system.gateway.tokens import Grant, TokenFileError, Tokens
from logging_system.records.processors import Chain
from logging_system.records.route_namespace import RouteNamespace
from logging_system.sinks.namespaced import namespace_in

FIRST, SECOND = "first-token-of-16-or-more", "second-token-of-16-or-more"


def token_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "tokens"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_any_token_of_the_file_is_allowed_and_nothing_else(tmp_path: Path) -> None:
    tokens = Tokens(token_file(tmp_path, f"# who: web\n{FIRST}\n\n{SECOND}\n"))

    assert tokens.allow(f"Bearer {FIRST}")
    assert tokens.allow(f"bearer  {SECOND} ")
    for wrong in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {FIRST}",
        FIRST,
        f"Bearer {FIRST}x",
        f"Bearer {FIRST[:-1]}",
        "Bearer # who: web",
        "Bearer \udcff",
    ):
        assert not tokens.allow(wrong)


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    path = token_file(tmp_path, f"{FIRST}\n")
    tokens = Tokens(path)
    path.unlink()
    assert tokens.allow(f"Bearer {FIRST}")  # a file that is being replaced
    token_file(tmp_path, f"{SECOND}\n")

    assert tokens.allow(f"Bearer {SECOND}")
    assert not tokens.allow(f"Bearer {FIRST}")


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (f"{FIRST}\n", 0o644, "chmod 600"),
        ("# none\n\n", 0o600, "contains no token"),
        ("short\n", 0o600, "fewer than 16 characters"),
    ],
)
def test_a_file_that_cannot_protect_anything_is_refused(
    tmp_path: Path, content: str, mode: int, why: str
) -> None:
    with pytest.raises(TokenFileError, match=why):
        Tokens(token_file(tmp_path, content, mode))


def test_an_error_never_shows_a_token(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError) as caught:
        Tokens(token_file(tmp_path, "hunter2\n"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("127.9.9.9", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("::", False),
        ("10.0.0.1", False),
        ("logs.example", False),
    ],
)
def test_an_address_is_loopback_or_can_be_reached_from_elsewhere(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_open_address_without_tokens_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    spool = tmp_path / "spool"

    with pytest.raises(ExposureError, match="require tokens"):
        serve(Service(spool, host="0.0.0.0"), lambda _url: None)  # noqa: S104
    assert not spool.exists()


def test_a_token_is_bound_to_the_namespace_behind_it(tmp_path: Path) -> None:
    tokens = Tokens(token_file(tmp_path, f"{FIRST} namespace=team_a\n{SECOND}\n"), ["team_a"])

    assert tokens.allow(f"Bearer {FIRST}") == Grant("team_a")
    assert tokens.allow(f"Bearer {SECOND}") == Grant()
    assert tokens.allow(f"Bearer {FIRST} namespace=team_a") is None


def test_a_token_for_a_namespace_that_is_not_declared_stops_the_gateway(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match=r":1: namespace 'team_b' is not declared"):
        Tokens(token_file(tmp_path, f"{FIRST} namespace=team_b\n"), ["team_a"])


def test_a_token_that_has_two_namespaces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match="another namespace above"):
        Tokens(token_file(tmp_path, f"{FIRST} namespace=team_a\n{FIRST}\n"), ["team_a"])


@pytest.mark.parametrize(
    "line",
    [
        b'{"message":"x"}',
        b'{"data_stream":{"namespace":"team_b"}}',
        b'{"data\\u005fstream":{"namespace":"team_b"}}',
        b'{"data_stream.namespace":"team_b","data_stream":{"namespace":"team_b"}}',
        b'{"data_stream":{"namespace":"team_b"},"data_stream":{"namespace":"team_b"}}',
        b'{"labels":{"namespace":"team_b"}}',
        b'{"a":{"data_stream":{"namespace":"team_b"}}}',
        b'{"data_stream":{"namespace":"team_b"}} ',
        b'no object, "data_stream":{"namespace":"team_b"}}',
    ],
)
def test_what_a_bound_token_sends_is_of_its_namespace_whatever_it_says(line: bytes) -> None:
    chain = Chain([RouteNamespace("main", ["team_a", "team_b"])])
    batch = Batch(chain, 10_000, "team_a")

    read_ndjson(line, "2026-01-01T00:00:00Z", batch)

    assert [namespace_in(document) for document in batch.documents] == ["team_a"]
