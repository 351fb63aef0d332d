from __future__ import annotations

import email
import email.policy
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from logging_system.alerting.channels.declared import Sender
from logging_system.alerting.channels.mail import Mail
from logging_system.alerting.outbox import NotNow, Refused, Taken
from tests.certificates import Authority
from tests.unit.logging_system.alerting.receivers import MailReceiver, letter, mail_receiver


@pytest.fixture
def receiver():
    with mail_receiver() as found:
        yield found


def mail(receiver: MailReceiver, **more: Any) -> list[Sender]:
    declared = {
        "name": "ops",
        "host": receiver.host,
        "port": receiver.port,
        "security": "none",
        "sender": "alerts@example.com",
        "to": ["oncall@example.com"],
        **more,
    }
    return list(Mail.model_validate(declared).senders().values())


def parsed(receiver: MailReceiver) -> Any:
    return email.message_from_bytes(receiver.messages[-1], policy=email.policy.default)


def test_a_message_arrives_as_text_and_as_html_in_which_logs_are_text(receiver: MailReceiver) -> None:
    (sender,) = mail(receiver)

    assert sender.send(letter()) == Taken()
    message = parsed(receiver)
    assert message["Subject"] == "[FIRING] errors (service.name=checkout)"
    assert message["Message-ID"] == f"<{'k' * 32}@example.com>"
    assert "<!channel> <b>bold</b>" in message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>bold" not in html


def test_a_label_of_two_lines_makes_no_second_header(receiver: MailReceiver) -> None:
    (sender,) = mail(receiver)

    assert sender.send(letter(labels=(("service.name", "a\r\nBcc: evil@example.com"),))) == Taken()
    assert parsed(receiver)["Bcc"] is None
    assert receiver.recipients == [["oncall@example.com"]]


def test_4xx_is_tried_again_and_5xx_is_parked(receiver: MailReceiver) -> None:
    (sender,) = mail(receiver)
    receiver.answers = ["451 not now", "554 never"]
    server = f"127.0.0.1:{receiver.port}"

    assert sender.send(letter()) == NotNow(f"{server}: answered 451 not now")
    assert sender.send(letter()) == Refused(f"{server}: answered 554 never")
    assert sender.send(letter()) == Taken()


def test_a_recipient_that_is_refused_holds_up_no_other(receiver: MailReceiver) -> None:
    senders = mail(receiver, to=["gone@example.com", "busy@example.com", "here@example.com"])
    receiver.refused_recipients = {"gone@example.com": "550 unknown", "busy@example.com": "450 later"}
    outcomes = [type(sender.send(letter())) for sender in senders]

    assert outcomes == [Refused, NotNow, Taken]
    assert receiver.recipients == [["here@example.com"]]


def test_it_logs_in_behind_starttls_and_believes_only_its_authority(tmp_path: Path) -> None:
    authority = Authority.make()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    password = tmp_path / "password"
    password.write_text("s3cr3t\n")
    password.chmod(0o600)
    with mail_receiver(authority.server_context(tmp_path), ("ops", "s3cr3t")) as receiver:
        secured = {
            "security": "starttls",
            "username": "ops",
            "password": {"file": str(password)},
        }
        (sender,) = mail(receiver, **secured, ca_certs=str(tmp_path / "ca.pem"))
        (stranger,) = mail(receiver, **secured)

        assert sender.send(letter()) == Taken()
        refused = stranger.send(letter())
        assert isinstance(refused, NotNow)
        assert "not trusted" in refused.reason
        password.write_text("wrong")
        wrong = sender.send(letter())
        assert isinstance(wrong, NotNow)
        assert "answered 535" in wrong.reason
        assert len(receiver.messages) == 1


def test_a_server_without_starttls_gets_no_message(receiver: MailReceiver, tmp_path: Path) -> None:
    (sender,) = mail(receiver, security="starttls")
    outcome = sender.send(letter())

    assert isinstance(outcome, NotNow)
    assert "STARTTLS" in outcome.reason
    assert receiver.messages == []


def test_a_server_that_drips_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stopping = threading.Event()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                while not stopping.wait(0.05):
                    try:
                        connection.sendall(b"2")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        (sender,) = mail(MailReceiver(port=listening.getsockname()[1]), timeout_seconds=0.5)
        outcome = sender.send(letter())
        stopping.set()
        thread.join(5)

    assert isinstance(outcome, NotNow)
    assert not outcome.may_have_arrived


@pytest.mark.parametrize(
    "declared",
    [
        {"host": "mail.example.com"},
        {"to": []},
        {"to": ["no address"]},
        {"sender": "a@example.com\r\nBcc: b@example.com"},
        {"username": "ops"},
        {"username": "ops", "password": {"environment": "X"}},
        {"host": "a\r\nb"},
    ],
)
def test_what_cannot_be_used_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mail(MailReceiver(port=25), **declared)
