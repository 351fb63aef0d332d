"""What a message says of alerts is found where the stack file says, in the forms that people send."""

from email.message import EmailMessage

import orjson
import pytest

from harness.evidence.alerts.inboxes import Clocks, mail
from harness.evidence.alerts.messages import Message, place_of, recognised
from harness.model.declarations import AlertChannel
from harness.model.facts import AlertReceived, AlertsRead


def post(document, *headers, at_ns=7):
    return Message(at_ns, "/run-1", headers, orjson.dumps(document).decode())


GENERIC = AlertChannel(
    *("hook", "webhook_receiver", "to_webhook", "header webhook-id", "json alerts.rule", "json alerts.state"),
    fingerprint="json alerts.fingerprint",
)
ALERTMANAGER = AlertChannel(
    *("hook", "webhook_receiver", "to_webhook", "json groupKey"),
    *("json alerts.labels.alertname", "json alerts.status", "json alerts.fingerprint"),
)
MAIL = AlertChannel(
    *("mail", "smtp", "to_mail", "header Message-ID"),
    *(r"header Subject ^\[\w+\] (\w+)", r"header Subject ^\[(\w+)\]"),
)
ELASTALERT = AlertChannel(
    *("mail", "smtp", "to_mail", "header Message-ID", r"header Subject ElastAlert: (\w+)", "text matches"),
    fires="matches",
)


def told(channel, *messages, name="errors"):
    return recognised(channel, name, messages, 99)


def rule(name, state="firing", fingerprint="f1"):
    return {"rule": name, "state": state, "fingerprint": fingerprint}


def test_a_message_tells_each_of_its_alerts_and_others_are_counted():
    both = post(
        {"alerts": [rule("errors"), rule("slow"), rule("errors", "resolved", "f2")]}, ("webhook-id", "k1")
    )
    other = post({"alerts": [rule("slow")]}, ("webhook-id", "k2"))

    assert told(GENERIC, both, other) == [
        AlertReceived(7, "hook", "k1", True, "f1"),
        AlertReceived(7, "hook", "k1", False, "f2"),
        AlertsRead(99, "hook", 2, others=1),
    ]


def test_alertmanagers_webhook_is_read():
    alert = {"status": "firing", "labels": {"alertname": "errors"}, "fingerprint": "ab12"}
    message = post({"version": "4", "groupKey": "{}:{}", "status": "firing", "alerts": [alert]})

    assert told(ALERTMANAGER, message)[0] == AlertReceived(7, "hook", "{}:{}", True, "ab12")


def as_mail(subject, text, **headers):
    message = EmailMessage()
    message["Subject"], message["Message-ID"] = subject, "<1@x>"
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative("<p>not this</p>", subtype="html")
    return mail(message.as_bytes(), 7, "oncall@x")


def test_a_mail_is_known_by_its_subject():
    assert told(MAIL, as_mail("[FIRING] errors (ä)", "x"))[0] == AlertReceived(7, "mail", "<1@x>", True)
    assert told(MAIL, as_mail("[RESOLVED] errors", "x"))[0] == AlertReceived(7, "mail", "<1@x>", False)


def test_a_mail_of_elastalert_is_known_by_a_word_of_its_text():
    facts = told(
        ELASTALERT, as_mail("ElastAlert: errors", "errors\n\nnum_hits: 12\nnum_matches: 1\n12 matches\n")
    )

    assert facts[0] == AlertReceived(7, "mail", "<1@x>", True)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00garbage",
        b"Subject: =?utf-99?q?=ff?=\r\nMessage-ID: <[a]>\r\nContent-Type: text/plain; charset=no\r\n\r\n\xff",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n",
    ],
)
def test_garbage_is_counted_and_shown(raw):
    (read,) = told(MAIL, mail(raw, 7, "oncall@x"))

    assert (read.messages, read.unreadable) == (1, 1)
    assert read.example.startswith("a message has no ")


def test_a_post_that_is_no_json_is_unreadable():
    (read,) = told(GENERIC, Message(7, "/run-1", (("webhook-id", "k"),), "hello\nthere"))

    assert (
        read.example
        == "a message has no alert (json alerts.rule), no state (json alerts.state): 'hello there'"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("body x", 'must be "header NAME"'),
        ("json", 'must be "header NAME"'),
        ("text (", "is no regular expression"),
        ("header Subject (a)(b)", "has 2 groups"),
    ],
)
def test_a_place_that_is_none_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        place_of(text)


def test_a_time_of_day_becomes_the_moment_of_the_run_at_which_it_was():
    """The wall clock is 1,000 s ahead of the monotonic one, whatever a receiver's message says of its own."""
    clocks = Clocks(unix_ns=lambda: 1_500_000_000_000, monotonic_ns=lambda: 500_000_000_000)

    assert clocks.moment_ns(1_490_000_000_000) == 490_000_000_000
