"""Takes the picture of the console in docs/how-to/console.md again: `make picture`.

Real processes: a store, an application that logs, a shipper, `watch` and the console. The hour before is
written into the store, and one finding beside the spool, as `watch` would have.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import requests

from logging_system.alerting.state_file import alerts_folder
from logging_system.coordination.detection.finding_file import FindingFile
from logging_system.coordination.detection.finding_lines import line_of
from logging_system.coordination.finding_content import content_of
from logging_system.coordination.findings import CauseClass, Finding, FindingKind
from tests.contract.elasticsearch_fixture import real_server

PICTURE = Path(__file__).parent / "images" / "console.png"
BYTES_MAX = 300_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
STREAM = "logs-checkout-default"
LIVE_SECONDS = 40.0
APPLICATION = """
import logging, random, sys, time
from logging_system import install
installation = install(service="checkout", spool=sys.argv[1], shipper="none", level="DEBUG")
rng, number = random.Random(7), 0
payment, orders = logging.getLogger("checkout.payment"), logging.getLogger("checkout.orders")
while True:
    number += 1
    if number % 9 == 0:
        payment.error("payment gateway timed out after %d ms", rng.randint(3000, 9000))
    elif number % 14 == 0:
        logging.getLogger("checkout.stock").warning("stock of item %d is below %d", rng.randint(1, 500), 5)
    else:
        orders.info("order %d was placed by customer %d", number, rng.randint(1, 90))
    time.sleep(0.03)
"""
WORKFLOWS = """\
workflows:
  - name: calm_payment
    when: {kinds: [spike], causes: [application]}
    until_over: true
    steps:
      - {kind: snapshot_diagnostics}
      - {kind: set_sampling, logger: "{subject}", keep_one_in: 10}
"""
MESSAGES = (
    ("info", "checkout.orders", "order {n} was placed by customer {m}", "", 60),
    ("info", "checkout.http", "GET /cart/{m} answered 200 in {m} ms", "", 25),
    ("debug", "checkout.http", "connection {n} is kept open", "", 8),
    ("warning", "checkout.stock", "stock of item {m} is below 5", "", 4),
    (
        "error",
        "checkout.mail",
        "cannot send the receipt of order {n}: connection refused",
        "ConnectionError",
        0.5,
    ),
)
LATE = (
    ("error", "checkout.payment", "payment gateway timed out after {n} ms", "TimeoutError", 9.0),
    ("error", "checkout.payment", "card {m} declined by issuer, trace {n}", "DeclinedError", 2.0),
)


def main() -> None:
    """Start everything, let it run a little, and photograph the page."""
    with demonstration() as url:
        time.sleep(LIVE_SECONDS)
        photograph(url, PICTURE)
    if PICTURE.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{PICTURE} is larger than {BYTES_MAX:,} bytes")


@contextmanager
def demonstration() -> Iterator[str]:
    """Yield the URL of a console that has something to show."""
    with tempfile.TemporaryDirectory(prefix="logquake-console-") as name, ExitStack() as running:
        folder = Path(name)
        spool, workflows = folder / "checkout", folder / "workflows.yaml"
        spool.mkdir()
        workflows.write_text(WORKFLOWS)
        store = running.enter_context(real_server())
        _start(running, ["-c", APPLICATION, str(spool)])
        _start(
            running,
            [
                "-m",
                "logging_system",
                "ship",
                "--spool",
                str(spool),
                "--service",
                "checkout",
                "--elasticsearch",
                store,
            ],
        )
        _wait_for(f"{store}/{STREAM}")
        _write_history(store)
        _started(running, ["logging_system", "watch", "--spool", str(spool), "--workflows", str(workflows)])
        _find(folder, spool, workflows)
        console = ["logging_system", "console", "--spool", str(spool), "--service", "checkout"]
        yield str(_started(running, [*console, "--elasticsearch", store, "--console-port", "0"])["url"])


def photograph(url: str, path: Path, *, dark: bool = False, width: int = 1360, height: int = 1180) -> None:
    """Take a picture of the page.

    Args:
        url: The console.
        path: Where the picture goes.
        dark: Whether for people who prefer dark pages.
        width: Of the page, in pixels.
        height: Of the page, in pixels.
    """
    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no chromium here to take the picture with; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(120_000)  # a machine with neighbours takes its time
        page.goto(url)
        page.wait_for_selector("#templates .row")
        time.sleep(1.0)
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)


def _start(running: ExitStack, arguments: list[str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    running.callback(process.wait)
    running.callback(process.kill)
    return process


def _started(running: ExitStack, arguments: list[str]) -> dict[str, Any]:
    process = _start(running, ["-m", *arguments])
    assert process.stdout is not None  # noqa: S101 - asked for above
    ready: dict[str, Any] = json.loads(process.stdout.readline())
    return ready


def _wait_for(url: str) -> None:
    for _ in range(200):
        if requests.get(url, timeout=5).ok:
            return
        time.sleep(0.1)
    raise SystemExit(f"{url} did not come to be")


def _write_history(store: str) -> None:
    rng, now = random.Random(11), datetime.now(UTC)  # noqa: S311 - a picture, no secret
    lines: list[bytes] = []
    for second in range(3600, 40, -1):
        age = second / 3600
        amount = 5.0 + 2.2 * math.sin(6 * age) + rng.uniform(0, 2)
        kinds = [*MESSAGES, *(LATE if second < 700 else ())]
        for level, logger, text, error, _weight in rng.choices(
            kinds, [each[4] for each in kinds], k=round(amount)
        ):
            message = text.format(n=rng.randint(1000, 9999), m=rng.randint(1, 300))
            moment = now - timedelta(seconds=second - rng.random())
            document = {
                "@timestamp": moment.isoformat(),
                "message": message,
                "log": {"level": level, "logger": logger},
                "service": {"name": "checkout"},
                **({"error": {"type": error}} if error else {}),
            }
            lines += [b'{"create":{}}', orjson.dumps(document)]
    for at in range(0, len(lines), 8_000):
        body = b"\n".join(lines[at : at + 8_000]) + b"\n"
        kind = {"Content-Type": "application/x-ndjson"}
        answer = requests.post(f"{store}/{STREAM}/_bulk?refresh=true", body, headers=kind, timeout=300)
        answer.raise_for_status()


def _find(folder: Path, spool: Path, workflows: Path) -> None:
    now = time.time()
    finding = Finding(
        finding_id="5f0c91d27a44",
        kind=FindingKind.SPIKE,
        cause=CauseClass.APPLICATION,
        namespace="default",
        subject="checkout.payment",
        since_seconds=now - 690,
        found_seconds=now - 655,
        confidence=0.91,
        summary="74 errors a minute from checkout.payment; 1.8 before",
        evidence_for=("98 % of them share one template", "other loggers are as usual"),
        evidence_against=("a deploy was not noted",),
        examples=("payment gateway timed out after 8123 ms",),
        measures={"errors_per_minute": 74.0},
    )
    file = folder / "finding.json"
    file.write_bytes(orjson.dumps(content_of(finding)))
    words = ["run", "--finding", str(file), "--spool", str(spool), "--workflows", str(workflows)]
    subprocess.run(
        [sys.executable, "-m", "logging_system", "coordination", *words],
        check=True,
        timeout=300,
        capture_output=True,
    )
    FindingFile(alerts_folder(spool)).add([line_of(finding, "")])


if __name__ == "__main__":
    main()
