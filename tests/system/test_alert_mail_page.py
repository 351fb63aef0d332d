"""An alert's mail as a browser shows it: nothing runs, nothing is fetched, it fits a phone and the dark."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from logging_system.alerting.channels.mail import Mail
from logging_system.alerting.messages import letter_of
from tests.system.chromium import chromium
from tests.unit.logging_system.alerting.receivers import mail_receiver, notification

pytestmark = pytest.mark.slow
WORDS = "order 4711 was refused: "
CANARIES = (
    "<script>window.hit = 1</script>",
    "<img src=http://127.0.0.1:9/hit onerror='window.hit = 1'>",
    '"><svg onload="window.hit = 1">',
    "</pre></td><iframe src='javascript:parent.hit = 1'></iframe>",
    "<style>body { display: none }</style>",
    "<a href='javascript:window.hit = 1'>click</a>",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def received(**changes: Any) -> EmailMessage:
    """Return a mail as a real server got it; on a thread, since the browser's driver has this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(sent_and_received, **changes).result()


def sent_and_received(**changes: Any) -> EmailMessage:
    told = notification(**changes)
    firing = told.notices[0]
    ended = replace(
        firing, fingerprint="beef", severity="warning", is_firing=False, until_seconds=1_700_000_060.0
    )
    letter = letter_of(replace(told, notices=(firing, ended)), Path("/var/spool/checkout"))
    with mail_receiver() as server:
        declared = Mail.model_validate(
            {
                "name": "oncall",
                "host": server.host,
                "port": server.port,
                "security": "none",
                "sender": "alerts@example.com",
                "to": ["oncall@example.com"],
            }
        )
        declared.senders()["oncall"].send(letter)
        message = message_from_bytes(server.messages[0], policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def html(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_nothing_in_a_log_line_or_label_runs_or_is_fetched(browser: Any) -> None:
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    message = received(
        examples=CANARIES[:3],
        labels=(("service.name", CANARIES[3]),),
        summary=CANARIES[4],
        runbook="javascript:window.hit=1",
        query=CANARIES[5],
    )
    page.set_content(html(message))
    page.wait_for_timeout(200)
    shown = page.inner_text("body")

    assert page.evaluate("window.hit") is None
    assert [url for url in requests if not url.startswith("about:")] == []
    assert page.locator("script, iframe, img, svg").count() == 0
    assert page.locator("a").count() == 0
    assert all(canary in shown for canary in (*CANARIES[:3], CANARIES[4], CANARIES[5]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1_024])
def test_it_can_be_read_on_a_phone_and_a_desk_by_day_and_by_night(
    browser: Any, scheme: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_content(html(received(examples=(WORDS + "x" * 250,))))
    is_wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    contrasts = page.evaluate(CONTRASTS)

    assert not is_wider
    assert contrasts
    assert min(contrasts) >= 4.5  # WCAG 2.2, 1.4.3
    assert page.locator("a").first.get_attribute("href") == "https://runbook.example/errors"


CONTRASTS = """() => {
  const light = ([r, g, b]) => {
    const part = each => (each /= 255) <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("h1, h2, td, pre, a")].map(element => {
    const one = light(numbers(getComputedStyle(element).color)), other = light(behind(element));
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  });
}"""


def test_it_says_the_same_as_text_for_clients_without_html() -> None:
    message = received()
    part = message.get_body(("plain",))

    assert part is not None
    assert "12 records of level error or above" in part.get_content()
    assert part.get_content().startswith(str(message["Subject"]))
