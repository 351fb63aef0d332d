from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("apprise")

from logging_system.alerting.channels.apprise import Apprise
from logging_system.alerting.channels.declared import Sender
from logging_system.alerting.outbox import NotNow, Taken
from tests.unit.logging_system.alerting.receivers import HttpReceiver, http_receiver, letter

# One of its hundred plug-ins imports it on Python below 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as each:
        yield each


def sender(folder: Path, url: str) -> Sender:
    place = folder / "url"
    place.write_text(url)
    place.chmod(0o600)
    declared = Apprise.model_validate({"name": "phone", "secret_url": {"file": str(place)}})
    return declared.senders()["phone"]


def test_a_service_that_apprise_knows_gets_the_message(receiver: HttpReceiver, tmp_path: Path) -> None:
    channel = sender(tmp_path, receiver.url.replace("http://", "json://"))

    assert channel.send(letter()) == Taken()
    (body,) = receiver.bodies
    assert body["title"] == "[FIRING] errors (service.name=checkout)"
    assert "12 records of level error or above" in body["message"]
    assert body["type"] == "failure"


def test_no_log_line_mentions_anybody(receiver: HttpReceiver, tmp_path: Path) -> None:
    sender(tmp_path, receiver.url.replace("http://", "json://")).send(letter())
    (body,) = receiver.bodies

    assert "<!channel>" not in body["message"]
    assert "@here" not in body["message"]


@pytest.mark.parametrize("url", ["json://127.0.0.1:9/t0ken", "nothing", "nosuch://t0ken"])
def test_what_is_not_taken_is_sent_again_and_no_token_is_shown(tmp_path: Path, url: str) -> None:
    outcome = sender(tmp_path, url).send(letter())

    assert isinstance(outcome, NotNow)
    assert "t0ken" not in outcome.reason
