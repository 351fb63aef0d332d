"""The site in a real browser: it searches, and asks nobody but its own server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.system.chromium import Watched, chromium


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def ask(page: Any, words: str) -> None:
    page.fill("input.md-search__input", words)
    page.press("input.md-search__input", "End")  # the search listens to keys


AMONG_THE_FIRST_THREE = """page => [...document.querySelectorAll('.md-search-result__item')]
    .slice(0, 3).some(item => item.querySelector('a').href.includes(page))"""


@pytest.fixture(scope="module")
def searched(browser: Any, address: str) -> Any:
    """A page whose search was asked once, so that its index is there."""
    watched = Watched(browser, f"{address}/index.html")
    ask(watched.page, "namespaces")
    watched.page.wait_for_selector(".md-search-result__item a", timeout=60_000)
    return watched.page


def test_the_search_finds_a_page_and_a_name_of_the_api(browser: Any, address: str) -> None:
    watched = Watched(browser, f"{address}/index.html")
    ask(watched.page, "dead letters")
    watched.page.wait_for_selector(".md-search-result__item a[href*='how-to/dead-letters']", timeout=60_000)
    ask(watched.page, "installed_handler")
    watched.page.wait_for_function(
        AMONG_THE_FIRST_THREE, arg="api/logging_system/", polling=200, timeout=60_000
    )

    assert watched.foreign == []
    assert watched.errors == []


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("lost logs", "explanation/delivery.html"),
        ("p99", "explanation/verdicts.html"),
        ("rotate keys", "how-to/encryption.html"),
        ("toxiproxy", "how-to/install.html"),
        ("exit code 4", "reference/exit-codes.html"),
        ("docker compose", "how-to/containers.html"),
        ("vector stack file", "how-to/own-stack.html"),
        ("webhook cooldown", "reference/alerts.html"),
        ("GitHub Actions", "how-to/gate-in-ci.html"),
        ("dead letter", "how-to/dead-letters.html"),
    ],
)
def test_what_a_newcomer_asks_is_answered_by_one_of_the_first_three_pages(
    searched: Any, question: str, page: str
) -> None:
    ask(searched, question)

    searched.wait_for_function(AMONG_THE_FIRST_THREE, arg=page, polling=200, timeout=60_000)


@pytest.mark.parametrize("page", ["index.html", "how-to/index.html", "api/harness/model/index.html"])
@pytest.mark.parametrize("width", [390, 1360])
def test_no_page_is_wider_than_the_screen(browser: Any, address: str, page: str, width: int) -> None:
    watched = Watched(browser, f"{address}/{page}")
    watched.page.set_viewport_size({"width": width, "height": 900})

    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.foreign == []
    assert watched.errors == []
