from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from logging_system.alerting.channels.declared import Sender
from logging_system.alerting.channels.webhook import Webhook
from logging_system.alerting.outbox import NotNow, Refused, Taken
from tests.unit.logging_system.alerting.receivers import HttpReceiver, http_receiver, letter


@pytest.fixture
def receiver():
    with http_receiver() as found:
        yield found


def sender(receiver: HttpReceiver, **more: Any) -> Sender:
    (found,) = Webhook.model_validate({"name": "hook", "url": receiver.url, **more}).senders().values()
    return found


def secret(folder: Path, text: str) -> dict[str, str]:
    path = folder / f"secret-{len(text)}"
    path.write_text(text)
    path.chmod(0o600)
    return {"file": str(path)}


def test_a_message_is_posted_with_its_key_and_in_words(receiver: HttpReceiver) -> None:
    assert sender(receiver).send(letter()) == Taken()

    ((headers, _),) = receiver.requests
    (body,) = receiver.bodies
    assert headers["webhook-id"] == body["key"] == "k" * 32
    assert body["state"] == "firing"
    assert body["alerts"][0]["labels"] == {"service.name": "checkout"}
    assert "alerts silence --spool" in body["text"]


def test_a_signed_message_can_be_verified_as_standard_webhooks_has_it(
    receiver: HttpReceiver, tmp_path: Path
) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    place = secret(tmp_path, f"whsec_{base64.b64encode(key).decode()}")
    sender(receiver, signing_secret=place).send(letter())
    ((headers, body),) = receiver.requests
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])

    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 503])
def test_what_may_pass_is_tried_again(receiver: HttpReceiver, status: int) -> None:
    receiver.answers = [(status, {"Location": receiver.url})]

    assert sender(receiver).send(letter()) == NotNow(f"the receiver answered {status}")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_will_never_be_taken_is_parked(receiver: HttpReceiver, status: int) -> None:
    receiver.answers = [(status, {})]

    assert sender(receiver).send(letter()) == Refused(f"the receiver answered {status}")


def test_retry_after_is_read_in_seconds_and_as_a_date(receiver: HttpReceiver) -> None:
    receiver.answers = [(429, {"Retry-After": "17"}), (503, {"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"})]
    first, second = sender(receiver).send(letter()), sender(receiver).send(letter())

    assert isinstance(first, NotNow)
    assert first.after_seconds == 17
    assert isinstance(second, NotNow)
    assert second.after_seconds is not None
    assert second.after_seconds > 1e9


def test_nobody_who_listens_is_no_reason_to_think_that_it_arrived() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        receiver = HttpReceiver(f"http://127.0.0.1:{free.getsockname()[1]}/T00/secret-path")
    outcome = sender(receiver).send(letter())

    assert outcome == NotNow("http://127.0.0.1: cannot connect", may_have_arrived=False)


def test_a_receiver_that_never_answers_is_given_up_in_time_and_may_have_taken_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        receiver = HttpReceiver(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        outcome = sender(receiver, timeout_seconds=0.3).send(letter())

    assert outcome == NotNow("http://127.0.0.1: no answer within 0.3 s", may_have_arrived=True)


def test_secrets_come_from_files_that_only_this_user_reads(receiver: HttpReceiver, tmp_path: Path) -> None:
    place = secret(tmp_path, "Bearer s3cr3t")
    assert sender(receiver, authorization=place).send(letter()) == Taken()
    assert receiver.requests[0][0]["authorization"] == "Bearer s3cr3t"

    Path(place["file"]).chmod(0o644)
    outcome = sender(receiver, authorization=place).send(letter())
    assert isinstance(outcome, NotNow)
    assert "chmod 600" in outcome.reason
    assert "s3cr3t" not in outcome.reason
    assert len(receiver.requests) == 1


def test_a_secret_of_two_lines_makes_no_second_header(receiver: HttpReceiver, tmp_path: Path) -> None:
    outcome = sender(receiver, authorization=secret(tmp_path, "a\r\nx-evil: 1")).send(letter())

    assert outcome == NotNow("a secret for a header must be on one line")
    assert receiver.requests == []


@pytest.mark.parametrize(
    "declared",
    [
        {"url": "ftp://host/"},
        {"url": "https://user:word@host/"},
        {"url": "https://host/", "headers": {"x": "a\r\nb: c"}},
        {"url": "https://host/", "signing_secret": {"file": "a", "environment": "b"}},
        {"format": "pagerduty"},
        {},
    ],
)
def test_what_cannot_be_used_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Webhook.model_validate({"name": "hook", **declared})


def test_slack_shows_no_mention_that_a_log_line_holds(receiver: HttpReceiver) -> None:
    sender(receiver, format="slack").send(letter(labels=(("service.name", "<!here> & <@U1>"),)))
    (body,) = receiver.bodies
    shown = orjson.dumps(body).decode()

    assert "<!" not in shown
    assert "<@" not in shown
    assert "&lt;!channel&gt;" in shown
    assert shown.count("```") == 2
    assert all(len(block["text"]["text"]) <= 3_000 for block in body["blocks"])


def test_teams_gets_texts_in_which_nothing_is_markup(receiver: HttpReceiver) -> None:
    sender(receiver, format="teams").send(letter())
    (body,) = receiver.bodies
    card = body["attachments"][0]["content"]

    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    assert "msteams" not in card


def test_alertmanagers_receivers_get_what_alertmanager_would_post(receiver: HttpReceiver) -> None:
    sender(receiver, format="alertmanager").send(letter(is_firing=False, until_seconds=1_700_000_060.0))
    (body,) = receiver.bodies

    assert body["version"] == "4"
    assert body["status"] == "resolved"
    assert body["commonLabels"] == {"alertname": "errors", "severity": "critical", "service_name": "checkout"}
    assert body["alerts"][0]["startsAt"] == "2023-11-14T22:13:20.000Z"
    assert body["alerts"][0]["endsAt"] == "2023-11-14T22:14:20.000Z"
    assert body["alerts"][0]["fingerprint"] == "f00d"


def test_pagerduty_gets_an_event_an_alert_under_the_alerts_own_key(
    receiver: HttpReceiver, tmp_path: Path
) -> None:
    channel = sender(receiver, format="pagerduty", routing_key=secret(tmp_path, "r0ut1ng"))
    channel.send(letter())
    channel.send(letter(is_firing=False, until_seconds=1.0))
    trigger, resolve = receiver.bodies

    assert (trigger["event_action"], trigger["dedup_key"], trigger["routing_key"]) == (
        "trigger",
        "f00d",
        "r0ut1ng",
    )
    assert trigger["payload"]["severity"] == "critical"
    assert resolve == {"routing_key": "r0ut1ng", "event_action": "resolve", "dedup_key": "f00d"}
