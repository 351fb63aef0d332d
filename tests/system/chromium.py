"""Debian's chromium for the tests that need a real browser; they skip where it is not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless chromium; skips the test where there is none, or nothing to drive it with."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the dev extra)")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no chromium here; on Debian: apt-get install chromium")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page of a browser, and what went wrong in it."""

    def __init__(
        self,
        browser: Any,
        url: str,
        *,
        width: int = 1180,
        height: int = 1000,
        seconds_max: float = 20.0,
        **options: Any,
    ) -> None:
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        self.foreign: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": height}, **options)
        self.page.set_default_timeout(1000 * seconds_max)
        self.page.on("console", lambda told: self.errors.append(told.text) if told.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._dialog)
        origin = "/".join(url.split("/")[:3])
        self.page.on(
            "request",
            lambda asked: None if asked.url.startswith((origin, "data:")) else self.foreign.append(asked.url),
        )
        self.page.goto(url)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.accept()
