"""Takes the picture of a trace in docs/how-to/trace-a-log-line.md again: `make picture`.

The page's own program runs against an embedded store; the picture shows what the page's command prints, and
the document that the store holds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from html import escape
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
PAGE = DOCS / "how-to" / "trace-a-log-line.md"
PICTURE = DOCS / "images" / "trace.png"
BYTES_MAX = 200_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WAIT_SECONDS = 30.0
INDEX = "logs-checkout-default"
STYLE = """
body { margin: 0; background: #14171c; color: #dde2ea; }
pre { margin: 0; padding: 24px 28px; font: 15px/1.5 "DejaVu Sans Mono", monospace; width: max-content; }
b { color: #7fd1a0; font-weight: normal; }
"""


def main() -> None:
    """Run the page's program and photograph what its command prints and what the store holds."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no chromium here to take the picture with; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="logquake-picture-") as folder:
        shown = _shown(Path(folder))
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
        page.set_content(f"<style>{STYLE}</style><pre>{shown}</pre>")
        page.locator("pre").screenshot(path=PICTURE)
    if PICTURE.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{PICTURE} is larger than {BYTES_MAX:,} bytes")


def _shown(folder: Path) -> str:
    """Return what a terminal would show, as HTML."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    store = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "harness.programs.elastic_lite",
            "--port",
            str(port),
            "--data",
            folder / "store",
        ]
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url)
        (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
        run = [sys.executable, "-c", program.replace("http://localhost:9200", url)]
        subprocess.run(run, check=True, cwd=folder, env=environment, timeout=WAIT_SECONDS)
        command = [sys.executable, "-m", "logging_system", "trace", "spans.jsonl"]
        tree = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout
        return "\n".join(
            [
                "<b>$ python -m logging_system trace spans.jsonl</b>",
                escape(tree.rstrip()),
                "",
                f"<b>$ curl 'localhost:9200/{INDEX}/_search?filter_path=hits.hits._source&amp;pretty'</b>",
                escape(json.dumps(_document(url), indent=2)),
            ]
        )
    finally:
        store.terminate()
        store.wait(WAIT_SECONDS)


def _document(url: str) -> dict[str, object]:
    """Return what of the stored document says where it came from."""
    refresh = urllib.request.Request(f"{url}/{INDEX}/_refresh", method="POST")  # noqa: S310 - a loopback address
    urllib.request.urlopen(refresh, timeout=WAIT_SECONDS).close()  # noqa: S310
    with urllib.request.urlopen(f"{url}/{INDEX}/_search", timeout=WAIT_SECONDS) as answer:  # noqa: S310
        (hit,) = json.load(answer)["hits"]["hits"]
    return {key: hit["_source"][key] for key in ("@timestamp", "message", "log", "trace", "span")}


def _await(url: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - a loopback address
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
