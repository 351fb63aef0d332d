"""The console in a real browser: live, readable by everybody, and text of others stays text."""

from __future__ import annotations

import copy
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.stack.processes import kill
from tests.system.chromium import Watched, chromium
from tests.system.console_world import LiteralLines, NotedAnswers, World, literal_console

# On a machine with neighbours, a browser takes its time.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
SECONDS_MAX = 90.0

CANARY = "<img src=x onerror='window.canary=1'><script>window.canary=1</script>\"'&{{csrf}}\u202e"
SHOWN = CANARY.replace("\u202e", "\\u202e")
"""As a person sees it: nothing turns the order of what stands beside it."""
NOW_MS = 1_796_000_000_000
LOOK = {"query": CANARY, "since_ms": NOW_MS - 60_000, "until_ms": None}
STEP = {"state": CANARY, "says": CANARY, "note": CANARY}
RUN = {
    **dict.fromkeys(("id", "state", "workflow", "kind", "cause", "namespace", "summary"), CANARY),
    **dict.fromkeys(("why", "chosen_by", "waits"), CANARY),
    **{"is_over": False, "can_approve": True, "can_reject": True, "has_doubts": True, "confidence": 0.9},
    **{"proposed_ms": NOW_MS, "expires_ms": NOW_MS, "ended_ms": 0, "steps": [STEP]},
}
FINDING = {
    **dict.fromkeys(("id", "kind", "cause", "namespace", "subject", "summary", "incident"), CANARY),
    **{"since_ms": NOW_MS, "until_ms": None, "confidence": 0.9, "look": LOOK},
    **{"evidence_for": [CANARY], "evidence_against": [CANARY], "examples": [CANARY]},
}
INCIDENT = {
    **{"id": CANARY, "kinds": [CANARY], "cause": CANARY, "confidence": 0.5},
    **{"since_ms": NOW_MS, "until_ms": None},
    "timeline": [{"at_ms": NOW_MS, "what": CANARY, "sentence": CANARY}],
}
ALERT = {
    **{"fingerprint": CANARY, "rule": CANARY, "labels": {CANARY: CANARY}, "since_ms": NOW_MS},
    **{"summary": CANARY, "is_acknowledged": True, "look": LOOK},
}
TEMPLATE = {
    **dict.fromkeys(("text", "logger", "error", "example", "query"), CANARY),
    **{"estimate": 120, "times": [1, 5, 0, 2, 3, 4, 5, 6, 7, 8]},
}
NOISE = {"name": CANARY, "count": 9, "errors": 2, "query": CANARY}
BUCKETS = [
    {
        "start_ms": NOW_MS - (60 - n) * 60_000,
        "levels": {"error": n % 3, "warning": 1, "info": 20 + n, "debug": 2, "other": 1},
        "state": "settled",
    }
    for n in range(60)
]
TIMES = {"since_ms": NOW_MS - 3_600_000, "until_ms": NOW_MS}
TEMPLATES = {"rows": [TEMPLATE], "others": 0, "count": 240, "share": 0.5, "partial": ""}
VERSION = {"number": 1, "state": CANARY, "since_ms": NOW_MS, "data_keys": 3}
LITERAL = {
    "pipeline": {
        **{"has_shipper": True, "status_age_seconds": 1.0, "backlog": 12},
        **{"is_shipper_closed": False, "is_counted_from_spool": False, "is_backlog_exact": True},
        **{"oldest_seconds": 3.0, "spool_bytes": 5e6, "spool_bytes_max": 1e7, "admitted_per_second": 30.0},
        **{"delivered_per_second": 29.0, "latencies_seconds": [0.5, 1.0, None], "is_breaker_open": True},
        **{"overall_seconds": [0.5, 1.0, 2.0], "dropped": 3},
    },
    "alerts": {
        **{"is_watched": False, "watched_ms": NOW_MS, "firing": [ALERT], "firing_total": 1},
        "silences": [{"matchers": CANARY, "until_ms": NOW_MS, "author": CANARY, "comment": CANARY}],
        "waiting": [{"name": CANARY, "count": 2, "trouble": CANARY}],
        "history": [{"at_ms": NOW_MS, "what": CANARY, "facts": CANARY}],
    },
    "findings": {
        **{"is_watched": False, "is_detected": True, "watched_ms": NOW_MS, "open": 1, "count": 2},
        "findings": [FINDING, {**FINDING, "until_ms": NOW_MS}],
        "incidents": [INCIDENT],
    },
    "workflows": {
        **{"waiting": 1, "active": 0, "are_answers_taken": False},
        "runs": [RUN, {**RUN, "is_over": True, "can_approve": False, "can_reject": False}],
    },
    "dead_letters": {
        **{"count": 1, "bytes": 400, "is_whole": True},
        "latest": [{"id": CANARY, "at": CANARY, "status": 400, "reason": CANARY, "document": CANARY}],
    },
    "keys": {
        **{"is_sealed": True, "leases": [CANARY], "unreadable": 1},
        "keys": [
            {"id": CANARY, "is_destroyed": False, "active": 1, "versions": [VERSION], "rotation": CANARY}
        ],
    },
    "series": {
        **{**TIMES, "every_seconds": 60.0, "at_ms": [each["start_ms"] for each in BUCKETS]},
        **{
            name: list(range(60))
            for name in ("backlog", "oldest_seconds", "spool_bytes", "admitted", "delivered")
        },
        "latencies_seconds": [[0.5, 1.0, 2.0]] * 60,
    },
    "rates": {
        **{**TIMES, "interval_seconds": 60, "count": 3000, "errors": 60, "per_second": 0.9},
        **{"buckets": BUCKETS, "partial": CANARY, "has_streams": True},
        "cache_refusal": CANARY,
    },
    "templates": {**TIMES, "errors": TEMPLATES, "all": TEMPLATES},
    "loggers": {**TIMES, "loggers": [NOISE], "namespaces": [NOISE], "partial": ""},
}
LINE = {
    **dict.fromkeys(("namespace", "level", "logger", "message", "document"), CANARY),
    **{"time_ms": NOW_MS, "is_sealed": True},
}
FOUND = {"count": 900, "lines": [LINE] * 3, "partial": CANARY}
ABOUT = {"service": CANARY, "spool": CANARY, "namespaces": [CANARY]}

LOW_CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def world(browser, tmp_path_factory):
    with ExitStack() as running:
        yield World(tmp_path_factory.mktemp("console"), running)


@pytest.fixture
def literal():
    lines, answers = LiteralLines(FOUND), NotedAnswers(CANARY)
    contents = copy.deepcopy(LITERAL)
    with literal_console(contents, lines, answers, ABOUT) as url:
        yield url, contents, lines, answers


def until(condition, seconds=SECONDS_MAX):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def opened(browser, url, **options):
    watched = Watched(browser, url, seconds_max=SECONDS_MAX, **options)
    watched.page.wait_for_selector("#templates .row")
    return watched


@pytest.fixture(autouse=True)
def _closed_pages(browser):
    """A page that is left open is kept up to date, which costs the tests after it time."""
    yield
    for context in browser.contexts:
        context.close()


def test_whatever_others_wrote_is_text_on_the_page(browser, literal):
    url, _contents, lines, answers = literal
    watched = opened(browser, url)
    page = watched.page
    for fold in page.locator("summary").all():
        fold.click()

    for place in (
        "#service",
        "#templates",
        "#loggers",
        "#namespaces",
        "#workflows",
        "#foot",
        "#foot-cache",
        "#records",
    ):
        assert SHOWN in page.inner_text(place), place
    for place, times in (("#alerts", 12), ("#findings", 21), ("#dead", 3), ("#keys", 4), ("#workflows", 22)):
        assert page.text_content(place).count(SHOWN) == times, place
    page.click("#workflows button.yes")
    page.wait_for_selector("#toast:has-text('onerror')")
    assert answers.said == [(CANARY, "approve")]
    page.click("#templates .row")
    page.wait_for_selector("#lines-list summary")
    page.click("#lines-list summary")
    assert lines.asked[-1][0] == CANARY
    assert page.text_content("#lines-list").count(SHOWN) == 3 * 5
    assert SHOWN in page.inner_text("#lines-about")
    assert SHOWN in page.inner_text("#lines-title")
    assert "\u202e" not in page.inner_text("body")
    assert page.evaluate("window.canary") is None
    assert page.locator("main img, dialog img, main script").count() == 0
    assert (watched.errors, watched.dialogs, watched.foreign) == ([], [], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_people_need(browser, literal, scheme):
    url, contents, _lines, _answers = literal
    watched = opened(browser, url, color_scheme=scheme)
    page = watched.page
    for fold in page.locator("summary").all():
        fold.click()
    found = page.evaluate(LOW_CONTRAST)

    assert found["low"] == []
    assert found["seen"] > 150
    del contents["rates"], contents["templates"]  # reading them fails from now on
    page.wait_for_selector("#banner:not([hidden])")
    assert page.evaluate(LOW_CONTRAST)["low"] == []
    page.evaluate("document.querySelector('#templates .row').click()")
    page.wait_for_selector("#lines-list summary")
    assert page.evaluate(LOW_CONTRAST)["low"] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(ground) < 60) == (scheme == "dark")


UNPROVED = (
    *("All is well", "No alert fires", "Nothing unusual lasts", "No workflow waits", "refused no record"),
    *("no store", "nothing dropped", "nothing waits", "No record in this time", "Nothing is sealed"),
)


class Held(dict[str, Any]):
    """Contents that nobody gets before they are let go."""

    def __init__(self, contents: Mapping[str, Any]) -> None:
        super().__init__(contents)
        self.free = threading.Event()

    def __getitem__(self, name: str) -> Any:
        self.free.wait(SECONDS_MAX)
        return super().__getitem__(name)


def test_before_the_first_answer_nothing_is_claimed_and_after_the_first_failure_it_is_not_known(browser):
    contents = Held({})
    with literal_console(contents, LiteralLines(FOUND), NotedAnswers(""), ABOUT) as url:
        page = Watched(browser, url, seconds_max=SECONDS_MAX).page
        page.wait_for_selector("#live.on")
        asking = page.inner_text("body")
        contents.free.set()
        page.wait_for_selector("#banner:not([hidden])")
        page.wait_for_selector("#keys:has-text('Not known')")
        until_seconds = time.monotonic() + SECONDS_MAX
        while "sking…" in (unknown := page.inner_text("body")) and time.monotonic() < until_seconds:
            page.wait_for_timeout(50)  # one panel fails after the other

    assert asking.count("sking…") >= 6 + 6 + 5
    assert "Looking…" in asking
    assert [each for each in UNPROVED if each in asking + unknown] == []
    assert "sking…" not in unknown


def test_what_nobody_watches_or_ships_is_told_and_a_shipper_that_ended_in_order_is_no_trouble(
    browser, literal
):
    url, contents, _lines, _answers = literal
    calm = {"is_breaker_open": False, "spool_bytes": 1e5, "backlog": 0, "is_counted_from_spool": True}
    pipeline = {**contents["pipeline"], **calm, "is_shipper_closed": True, "status_age_seconds": 300.0}
    contents["alerts"] = {**contents["alerts"], "firing": [], "firing_total": 0}
    contents["findings"] = {**contents["findings"], "findings": [], "open": 0}
    contents["workflows"] = {**contents["workflows"], "waiting": 0}
    contents["pipeline"] = pipeline
    page = opened(browser, url).page
    page.wait_for_selector("#headline:text-is('No trouble is known.')")

    assert "The shipper ended, and nothing is left to ship." in page.inner_text("#more")
    assert "searchable within" not in page.inner_text("#more")  # p99 lies beyond the last bound
    assert "the shipper ended, nothing left" in page.inner_text("#tiles")
    for place in ("#alerts", "#findings"):
        assert "python -m logging_system watch --spool" in page.inner_text(place)
    assert "Nothing unusual lasts" not in page.inner_text("body")
    assert "No alert fires" not in page.inner_text("body")
    contents["pipeline"] = {**pipeline, "backlog": 7}
    page.wait_for_selector("#headline:text-is('The shipper has ended, and 7 records wait.')")
    contents["pipeline"] = {**pipeline, "is_shipper_closed": False}
    page.wait_for_selector("#headline:text-is('The shipper has been silent for 5 min.')")
    contents["pipeline"] = {**pipeline, "has_shipper": False, "backlog": 2, "is_shipper_closed": False}
    page.wait_for_selector("#headline:text-is('No shipper is heard of, and 2 records wait.')")
    contents["pipeline"] = pipeline
    for name in ("alerts", "findings"):
        contents[name] = {**contents[name], "is_watched": True}
    page.wait_for_selector("#headline:text-is('All is well.')")
    assert "Nothing unusual lasts." in page.inner_text("#findings")
    contents["findings"] = {**contents["findings"], "is_detected": False}
    page.wait_for_selector("#findings .note:has-text('`findings.enabled` is false')")


def test_a_page_for_which_there_is_no_room_says_so_and_is_live_once_there_is(browser, literal):
    url = literal[0]
    address = urlsplit(url)
    with ExitStack() as others:
        for _ in range(8):
            stream = others.enter_context(socket.create_connection((address.hostname, address.port)))
            stream.sendall(b"GET /stream HTTP/1.1\r\nHost: %s\r\n\r\n" % address.netloc.encode())
            assert b"200" in stream.recv(12)
        page = Watched(browser, url, seconds_max=SECONDS_MAX).page
        page.wait_for_selector("#banner:has-text('Too many pages are open')")
        assert page.inner_text("#headline") == "The console keeps no further page up to date."
        assert "All is well" not in page.inner_text("body")
    page.wait_for_selector("#live.on")
    page.wait_for_selector("#banner", state="hidden")


def test_a_phone_shows_all_without_scrolling_sideways(browser, literal):
    watched = opened(browser, literal[0], width=360, height=740)
    page = watched.page
    for fold in page.locator("summary").all():
        fold.click()
    wide = "Math.max(document.documentElement.scrollWidth, document.getElementById('lines').scrollWidth)"

    assert page.evaluate(wide) <= 360
    page.click("#templates .row")
    page.wait_for_selector("#lines-list summary")
    page.click("#lines-list summary")
    assert page.evaluate(wide) <= 360
    small = page.evaluate(
        "[...document.querySelectorAll('button')].filter((e) => e.checkVisibility()"
        " && e.getBoundingClientRect().height < 24).map((e) => e.textContent)"
    )
    assert small == []  # https://www.w3.org/TR/WCAG22/#target-size-minimum


def test_the_keyboard_alone_reads_charts_opens_lines_and_answers(browser, literal):
    url, _contents, lines, answers = literal
    page = opened(browser, url).page
    _tab_to(page, "#spans [role=radio][aria-checked=true]")
    _tab_to(page, "#records svg")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "info 78" in page.get_attribute("#records svg", "aria-valuetext")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lines[open] #lines-list summary")
    assert lines.asked[-1] == ("", BUCKETS[58]["start_ms"], BUCKETS[59]["start_ms"], "")
    page.keyboard.press("Escape")
    page.wait_for_selector("#lines:not([open])", state="attached")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "slider"
    _tab_to(page, "#workflows button[data-say=reject]")
    page.keyboard.press("Enter")
    until(lambda: answers.said == [(CANARY, "reject")])
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "ask-query"


WALK = """() => {
    const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
    const place = at.closest(".card, .bar, .hero, .skip");
    const outline = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
    return {place: place?.id || place?.className || at.tagName, outline, seen: box.height > 1};
}"""


def test_the_focus_is_seen_wherever_the_keyboard_leads_and_moves_as_the_page_is_read(browser, literal):
    page = opened(browser, literal[0], width=1000).page
    walked = []
    for _ in range(80):
        page.keyboard.press("Tab")
        walked.append(page.evaluate(WALK))
        if walked[-1]["place"] == "BODY":
            break

    assert [each for each in walked[:-1] if each["outline"] < 2 or not each["seen"]] == []
    places = list(dict.fromkeys(each["place"] for each in walked))
    wanted = ["skip", "bar", "workflows", "alerts", "findings", "records", "latency", "templates", "loggers"]
    assert [each for each in places if each in wanted] == wanted
    assert places.index("loggers") < places.index("dead") < places.index("keys")


def _tab_to(page, selector):
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_person_signs_in_with_a_token_and_out_again(browser, tmp_path):
    from logging_system.gateway.tokens import Tokens

    file = tmp_path / "tokens"
    file.write_text("a-token-of-the-team-0123\n")
    file.chmod(0o600)
    with literal_console(LITERAL, LiteralLines(FOUND), NotedAnswers(""), ABOUT, tokens=Tokens(file)) as url:
        page = Watched(browser, url, seconds_max=SECONDS_MAX).page
        assert page.url.endswith("/sign-in")
        page.fill("#token", "a-token-that-is-wrong-00")
        page.keyboard.press("Enter")
        page.wait_for_selector(".wrong:has-text('not known')")
        page.fill("#token", "a-token-of-the-team-0123")
        page.click("button")
        page.wait_for_selector("#templates .row")
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.click("#sign-out")
        page.wait_for_url("**/sign-in")
        page.goto(url)
        assert page.url.endswith("/sign-in")


def test_a_page_of_another_origin_reads_nothing_and_answers_nothing(browser, literal):
    url, _contents, lines, answers = literal
    page = browser.new_page()
    page.route(
        "http://stranger.test/", lambda route: route.fulfill(body="<p>hello", content_type="text/html")
    )
    page.goto("http://stranger.test/")
    told = page.evaluate(
        """async (base) => {
            const tried = [];
            for (const [path, options] of [
                ["panels", {}], ["", {mode: "no-cors"}], ["lines?since=0&until=1", {mode: "no-cors"}],
                ["answer", {method: "POST", mode: "no-cors", body: '{"run":"x","say":"approve"}'}],
            ]) {
                try { tried.push((await (await fetch(base + path, options)).text())); }
                catch (error) { tried.push(""); }
            }
            return tried;
        }""",
        url,
    )

    assert told == [""] * 4
    assert (answers.said, lines.asked) == ([], [])


def test_what_is_stored_shows_by_itself_and_leads_to_its_lines(browser, world):
    watched = opened(browser, world.url)
    page = watched.page
    errors = "#tiles .tile:nth-child(2) .number"
    page.wait_for_selector(f"{errors}:text-is('3')")
    world.log("payment timed out after 44 ms", CANARY, level="error", logger="shop.payment")
    page.wait_for_selector(f"{errors}:text-is('5')")

    page.click("#templates .row:has-text('payment timed out')")
    page.wait_for_selector("#lines-list li:nth-child(4)")
    assert page.locator("#lines-list li").count() == 4
    assert "payment timed out after 44 ms" in page.inner_text("#lines-list")
    page.fill("#lines-query", "level:error and not message:payment")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lines-about:has-text('1 line')")
    assert SHOWN in page.text_content("#lines-list")
    page.fill("#lines-query", "levle:error")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lines-about.wrong:has-text('Did you mean')")
    page.click("#lines-close")
    page.click("#findings button:has-text('Show the lines')")
    page.wait_for_selector("#lines-list li:has-text('payment timed out')")
    assert page.evaluate("window.canary") is None
    # The browser notes the refused question; nothing else went wrong.
    assert [each for each in watched.errors if "400" not in each] == []
    assert watched.foreign == []


def test_a_workflow_that_waits_is_approved_and_the_engine_does_it(browser, world):
    page = opened(browser, world.url).page
    page.wait_for_selector("#headline:has-text('1 workflow waits for you')")
    page.click("#workflows button.yes")

    page.wait_for_selector("#toast:has-text('The engine has taken it in')")
    page.wait_for_selector("#workflows .chip:text-is('holds')")
    page.wait_for_selector("#workflows li.done")
    page.click("#workflows button:has-text('Reject, and undo')")
    page.wait_for_selector("#workflows .nothing:has-text('No workflow waits')")


def test_while_the_store_is_down_the_page_says_so_and_shows_the_last_answer_with_its_age(browser, world):
    page = opened(browser, world.url).page
    records = page.inner_text("#tiles .tile:nth-child(1) p.soft")
    kill(world.store.process)
    page.wait_for_selector("#banner:has-text('The store gives no answer since')")

    assert "s old" in page.inner_text("#banner")
    assert page.inner_text("#headline") == "The store gives no answer."
    assert page.inner_text("#tiles .tile:nth-child(1) p.soft") == records
    page.wait_for_selector("#records[data-age$=old]")  # it is asked by itself
    assert page.locator("#templates .row").count() > 0
    page.click("#templates .row >> nth=0")
    page.wait_for_selector("#lines-about.wrong:has-text('The store gives no lines')")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector("#banner:has-text('s old')")
    assert page.inner_text("#tiles .tile:nth-child(1) p.soft") == records
    page.click("#spans [data-span='15m']")  # which is asked more often
    page.wait_for_selector("#tiles .tile:nth-child(1) p.soft:has-text('no answer yet')")
    world.store.start()
    page.wait_for_selector("#tiles .tile:nth-child(1) p.soft:has-text('in 15 minutes')")
    page.wait_for_selector("#banner", state="hidden")
