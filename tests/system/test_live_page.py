"""The live page in a real browser: it shows what the run did, its buttons work, and text stays text."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from harness.live.desk import Answer, Counts, LiveState, Note, Offer, Snapshot, Standing, Verb
from harness.live.server import PageServer
from harness.model.result import Band, SecondOfRun
from tests.system.chromium import Watched, chromium

# On a machine with a neighbour, a real run with a browser beside it takes its time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CANARY = "<img src=x onerror='window.canary=1'><script>window.canary=1</script>\"'&\u202e"
SECONDS = tuple(
    SecondOfRun(n, 100, 100, 100, 0.5, 4.0 if n < 9 else 900.0, None, 100 * n, 100) for n in range(15)
)
STATE = LiveState(
    run_id=CANARY,
    scenario=CANARY,
    title=CANARY,
    stack=CANARY,
    phase="inject",
    seconds=15.0,
    seconds_left=600.0,
    pausable=True,
    busy="",
    counts=Counts(1500, 1500, 2, 0, 1400, 100, 3, 1, (CANARY,)),
    series=SECONDS,
    bands=(Band(9.0, float("inf"), CANARY, CANARY, True, CANARY),),
    standing=(Standing(0, CANARY, CANARY, "on", 12.0),),
    offers=(Offer(CANARY, CANARY, CANARY, {CANARY: CANARY, "latency_ms": 500}),),
    snapshots=(Snapshot(1, 12.0, "FAIL", CANARY),),
    notes=(Note(9.0, CANARY),),
)


class LiteralDesk:
    """Shows a literal state and notes what is asked for."""

    def __init__(self, state):
        self.state = state
        self.wishes = []

    def shown(self):
        if self.state is None:
            raise ConnectionRefusedError
        return orjson.dumps(self.state)

    def ask(self, wish):
        self.wishes.append(wish)
        return Answer(wish.verb is not Verb.PAUSE, f"heard {wish.verb.value} {CANARY}")

    def scorecard(self, number):
        return None


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@contextmanager
def served(desk):
    server = PageServer(desk)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def test_whatever_a_run_is_called_and_stores_is_text_on_the_page(browser):
    desk = LiteralDesk(STATE)
    with served(desk) as server:
        watched = Watched(browser, server.url)
        page = watched.page
        page.wait_for_selector("#standing li button")

        for place in ("#scenario", "#about", "#words", "#excerpts", "#notes", "#standing", "#snapshots"):
            assert CANARY in page.inner_text(place), place
        assert CANARY in page.locator("#chart-response text.band").first.text_content()
        page.click("#start-button")
        until(lambda: desk.wishes)
        assert (desk.wishes[0].fault, desk.wishes[0].target) == (CANARY, CANARY)
        assert desk.wishes[0].arguments == {CANARY: CANARY, "latency_ms": 500}
        page.wait_for_selector("#answer:has-text('heard start')")
        assert page.evaluate("window.canary") is None
        assert page.locator("img").count() == 0
        assert (watched.errors, watched.dialogs, watched.foreign) == ([], [], [])


def test_what_is_refused_is_said_and_a_run_that_is_gone_is_told(browser):
    desk = LiteralDesk(replace(STATE, standing=(), bands=()))
    with served(desk) as server:
        page = Watched(browser, server.url).page
        page.click("#pause:enabled")
        page.wait_for_selector("#answer.refused")

        desk.state = None
        page.wait_for_selector("#lost:not([hidden])")


def test_a_page_of_another_origin_reads_nothing_and_starts_nothing(browser):
    """The browser's own rules and the guard together: a stranger's page gets nothing, changes nothing."""
    desk = LiteralDesk(STATE)
    with served(desk) as server, served(LiteralDesk(STATE)) as stranger:
        page = Watched(browser, stranger.url).page
        base = server.url.removesuffix("/chaos")
        told = page.evaluate(
            """async (base) => {
                const tried = [];
                for (const [path, options] of [
                    ["/chaos/state", {}],
                    ["/chaos", {mode: "no-cors"}],
                    ["/chaos/wish", {method: "POST", mode: "no-cors", body: '{"verb":"end"}'}],
                ]) {
                    try {
                        const got = await fetch(base + path, options);
                        tried.push(got.type + (await got.text()));
                    } catch (error) { tried.push("refused"); }
                }
                return tried;
            }""",
            base,
        )

        # Its own policy forbids that page to ask elsewhere at all; without one, the guard is what is left.
        assert told == ["refused"] * 3
        assert desk.wishes == []


def test_a_fault_is_started_and_healed_by_its_buttons_and_a_snapshot_is_judged(browser, tmp_path):
    lines = tmp_path / "lines.log"
    lines.write_text("".join(f"{n} {CANARY}\n" for n in range(50)))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "harness.cli.main", "load", "--ui", "--web-port", "0", "--users", "4"]
    command += ["--out", str(out), "--input", str(lines), "--show-lines"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as run:
        try:
            assert run.stdout is not None
            watched = Watched(browser, run.stdout.readline().split()[-1])
            _shake_by_hand(watched, tmp_path / "state")
            said, _ = run.communicate(timeout=60)
        finally:
            run.kill()

    assert run.returncode == 0, said
    assert watched.dialogs == ["End the run? What was acknowledged is still waited for and judged."]
    assert watched.foreign == []
    (result,) = out.glob("*/*/result.json")
    told = json.loads(result.read_text())
    assert told["interactive"]
    assert told["gate"]["status"] == "NOT_APPLICABLE"
    (scenario,) = told["scenarios"]
    assert [(step["fault"], step["target"]) for step in scenario["scenario"]["steps"]] == [
        ("requests_refused", "to_store")
    ]
    assert scenario["bands"][0]["landed"]
    assert "while the load was paused" in " ".join(scenario["remarks"])
    _gates_nothing(result.parent / "snapshots" / "1", environment)


def _shake_by_hand(watched: Watched, state: Path) -> None:
    page = watched.page
    page.wait_for_selector("#start-button:enabled", timeout=40_000)
    until(lambda: len(page.get_attribute("#chart-response path.p99", "d") or "") > 40, 40.0)
    page.select_option("#target", "to_store")
    page.select_option("#fault", "requests_refused")
    page.click("#start-button")
    page.wait_for_selector("#standing li:has-text('proved'):not(:has-text('not proved'))")
    assert list(state.glob("logquake/undo/*.jsonl")), "the undo is on disk while the fault is on"
    page.wait_for_selector("#chart-response rect.band-box")
    assert "requests_refused on to_store" in page.text_content("#chart-response")

    page.click("#standing li button")
    page.wait_for_selector("#standing li", state="detached")
    page.wait_for_selector("#notes li:has-text('is healed')")

    page.click("#snapshot")
    page.wait_for_selector("#snapshots .PASS, #snapshots .FAIL, #snapshots .INCONCLUSIVE", timeout=40_000)
    assert page.inner_text("[data-count='not sent while paused'] b") != "0"
    with page.expect_popup() as popup:
        page.click("#snapshots a")
    card = popup.value
    card.wait_for_selector("h1")
    assert "started by hand" in card.inner_text("body")
    assert "requests_refused" in card.inner_text("body")
    assert card.evaluate("window.canary") is None
    card.close()

    _look_at_locusts_page(watched)
    page.click("#end:enabled")
    page.wait_for_selector("#lost:not([hidden]), #phase:has-text('over')", timeout=60_000)


def _look_at_locusts_page(watched: Watched) -> None:
    """Locust's own page works beside the live one, behind the same guard, and leads back by a tab."""
    page = watched.page
    page.click("nav a[href='/']")
    page.wait_for_selector("[role=tablist] #logquake-tab")
    page.wait_for_selector("td:has-text('send()')")
    told = page.evaluate(
        """async () => {
            const body = new URLSearchParams({user_count: 1, spawn_rate: 1, host: "http://evil.example"});
            return (await fetch("/swarm", {method: "POST", body})).json();
        }"""
    )
    assert not told["success"]
    assert "evil.example" not in page.inner_text("body")
    port = urlsplit(page.url).port
    assert port is not None
    for path in ("/", "/chaos", "/chaos/state", "/stats/requests", "/assets/src.js"):
        assert _status(port, "GET", path, Host="evil.example") == 403
        assert _status(port, "GET", path, Host=f"localhost:{port}", Origin="http://evil.example") == 403
    for path in ("/stop", "/swarm", "/stats/reset", "/chaos/wish"):
        assert _status(port, "POST", path, Host=f"localhost:{port}", Origin=f"http://localhost:{port}") == 403
    assert _bound_to(port) == {"127.0.0.1"}
    page.click("#logquake-tab")
    page.wait_for_selector("#end:enabled")


def _status(port: int, method: str, path: str, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def _bound_to(port: int) -> set[str]:
    """Return the addresses that this machine listens on at that port, as the kernel has them."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(socket.inet_ntoa(bytes.fromhex(address)[::-1]) if table == "tcp" else address)
    return found


def _gates_nothing(result: Path, environment: dict[str, str]) -> None:
    gate = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "gate", str(result)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )

    assert gate.returncode == 4
    assert "started by hand, so it gates nothing" in gate.stderr
