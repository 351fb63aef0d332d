from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.gateway.server import ExposureError, Service, is_loopback, serve
from logging_system.gateway.tokens import TokenFileError, Tokens

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
