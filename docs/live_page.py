"""Takes the picture of the live page in docs/how-to/watch-a-load-test.md again: `make picture`.

A real run under load by Locust; the picture is taken while a fault is on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURE = Path(__file__).parent / "images" / "chaos.png"
BYTES_MAX = 200_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STEADY_SECONDS = 12.0
FAULT_SECONDS = 9.0
RUN_SECONDS = 120


def main() -> None:
    """Run a load, start faults by the page's buttons, photograph it, end the run."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no chromium here to take the picture with; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="logquake-picture-") as folder:
        command = [str(Path(sys.executable).parent / "logquake"), "load", "--ui", "--web-port", "0"]
        run = subprocess.Popen([*command, "--out", folder], stdout=subprocess.PIPE, text=True)
        try:
            assert run.stdout is not None  # noqa: S101 - asked for above
            url = run.stdout.readline().split()[-1]
            with sync_playwright() as playwright:
                page = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
                    viewport={"width": 1120, "height": 1080}
                )
                page.goto(url)
                _shake(page)
            run.communicate(timeout=RUN_SECONDS)
        finally:
            run.kill()
    if PICTURE.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{PICTURE} is larger than {BYTES_MAX:,} bytes")


def _shake(page: Page) -> None:
    page.wait_for_selector("#start-button:enabled")
    time.sleep(STEADY_SECONDS)
    _start(page, "to_store", "black_hole")
    time.sleep(FAULT_SECONDS)
    page.click("#standing li button")
    page.wait_for_selector("#standing li", state="detached")
    time.sleep(STEADY_SECONDS)
    _start(page, "gateway", "frozen")
    time.sleep(FAULT_SECONDS / 2)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=PICTURE)
    page.click("#standing li button")
    page.wait_for_selector("#standing li", state="detached")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#end:enabled")
    time.sleep(1.0)


def _start(page: Page, target: str, fault: str) -> None:
    page.select_option("#target", target)
    page.select_option("#fault", fault)
    page.click("#start-button")
    page.wait_for_selector("#standing li button")


if __name__ == "__main__":
    main()
