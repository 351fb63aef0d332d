from __future__ import annotations

import orjson

from logging_system.alerting.facts import AlertNotice, Notification
from logging_system.alerting.outbox import ATTEMPTS_MAX, MESSAGES_MAX, NotNow, Outbox, Refused, Taken


def notification(key: str = "k1") -> Notification:
    notice = AlertNotice("f1", "errors", (("service.name", "a"),), "warning", True, 1.0, None, 1, "12 errors")
    return Notification(key, (("rule", "errors"),), (notice,), 2.0)


def test_a_message_is_sent_until_its_channel_has_taken_it() -> None:
    outbox = Outbox(["mail", "hook"])
    outbox.put(notification(), ["mail", "hook"])
    mail, hook = outbox.to_send(0)

    assert outbox.to_send(0) == []
    outbox.settled(mail, NotNow("451"), 0)
    outbox.settled(hook, Taken(), 0)
    assert outbox.to_send(0.9) == []
    (again,) = outbox.to_send(1)
    assert again.notification.key == mail.notification.key
    outbox.settled(again, Taken(), 1)
    assert outbox.to_send(1_000) == []
    assert {name: counts.taken for name, counts in outbox.counts.items()} == {"mail": 1, "hook": 1}


def test_waits_double_and_are_bounded() -> None:
    outbox = Outbox(["mail"])
    outbox.put(notification(), ["mail"])
    now, waits = 0.0, []
    for _ in range(12):
        (message,) = outbox.to_send(now)
        outbox.settled(message, NotNow("451"), now)
        waits.append(message.not_before_seconds - now)
        now = message.not_before_seconds

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_what_a_channel_asks_to_wait_is_obeyed_within_the_bound() -> None:
    outbox = Outbox(["hook"])
    outbox.put(notification(), ["hook"])
    (message,) = outbox.to_send(0)
    outbox.settled(message, NotNow("429", after_seconds=30), 0)
    assert message.not_before_seconds == 30
    (message,) = outbox.to_send(30)
    outbox.settled(message, NotNow("429", after_seconds=1e9), 30)
    assert message.not_before_seconds == 330


def test_a_refused_message_is_parked_and_the_next_one_goes() -> None:
    outbox = Outbox(["mail"])
    outbox.put(notification("k1"), ["mail"])
    outbox.put(notification("k2"), ["mail"])
    (first,) = outbox.to_send(0)
    outbox.settled(first, Refused("550 no such user"), 0)

    assert [each.notification.key for each in outbox.to_send(0)] == ["k2"]
    assert [(each.notification.key, each.trouble) for each in outbox.refused] == [("k1", "550 no such user")]


def test_messages_of_one_channel_go_in_order() -> None:
    outbox = Outbox(["mail"])
    for key in ("k1", "k2"):
        outbox.put(notification(key), ["mail"])
    (first,) = outbox.to_send(0)
    outbox.settled(first, NotNow("451"), 0)

    assert [each.notification.key for each in outbox.to_send(1)] == ["k1"]


def test_a_restart_sends_what_was_on_its_way_with_the_same_key() -> None:
    outbox = Outbox(["mail"])
    outbox.put(notification(), ["mail"])
    outbox.to_send(0)
    again = Outbox(["mail"])

    assert again.restore(orjson.loads(orjson.dumps(outbox.content()))) == []
    (message,) = again.to_send(0)
    assert message.notification == notification()


def test_messages_of_a_channel_that_is_gone_are_named() -> None:
    outbox = Outbox(["mail"])
    outbox.put(notification(), ["mail"])

    assert Outbox(["hook"]).restore(orjson.loads(orjson.dumps(outbox.content()))) == ["mail"]


def test_the_oldest_messages_give_way_beyond_the_bound_and_are_counted() -> None:
    outbox = Outbox(["mail"])
    for number in range(MESSAGES_MAX + 3):
        outbox.put(notification(f"k{number}"), ["mail"])

    assert outbox.counts["mail"].given_up == 3
    assert outbox.waiting["mail"][0].notification.key == "k3"


def test_a_message_that_nobody_takes_is_parked_after_about_a_week() -> None:
    outbox = Outbox(["mail"])
    outbox.put(notification(), ["mail"])
    now, outcome = 0.0, None
    for _ in range(ATTEMPTS_MAX):
        (message,) = outbox.to_send(now)
        outcome = outbox.settled(message, NotNow("451 not now"), now)
        now = message.not_before_seconds

    assert outcome == Refused(f"given up after {ATTEMPTS_MAX} attempts: 451 not now")
    assert outbox.to_send(now) == []
    assert 6 < now / 86_400 < 8
