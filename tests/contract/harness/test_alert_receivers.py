"""One contract for all receivers of alerts: what one took it shows, and for whom it was, after a kill too."""

import smtplib
import time
from email.message import EmailMessage
from random import Random

import pytest
import requests

from harness.cleanup.undo_actions import carry_out
from harness.deployments import alert_server_specs, server_specs
from harness.deployments.alert_server_specs import SMTP, WEBHOOK_RECEIVER, api_url
from harness.deployments.installed import find
from harness.deployments.local import mailpit
from harness.deployments.service_set import ServiceSet
from harness.evidence.alerts.inboxes import Clocks, MailInbox, WebhookInbox
from harness.faults.mail_refused import MailRefused
from harness.processes.clock import SystemClock
from harness.processes.scratch import make_scratch, remove_scratch

RUN = "run-17"
CLOCKS = Clocks(time.time_ns, time.monotonic_ns)
MAIL_SERVERS = {"smtp_lite": alert_server_specs.smtp_lite, "mailpit": mailpit}


@pytest.fixture
def scratch():
    folder = make_scratch("receivers")
    yield folder
    remove_scratch(folder)


def served(programs, name, scratch):
    infrastructure = {"proxy": server_specs.tcp_proxy, "interceptor": server_specs.http_interceptor}
    services = ServiceSet({**infrastructure, **programs}, scratch, "receivers", SystemClock(), [name])
    services.start()
    services.wait_ready(30)
    return services


@pytest.fixture(params=MAIL_SERVERS)
def mail_services(request, scratch):
    if request.param == "mailpit" and find("mailpit") is None:
        pytest.skip("Mailpit is not installed; `make servers` does it where Go is")
    services = served({SMTP: MAIL_SERVERS[request.param]}, SMTP, scratch)
    yield services
    services.stop()


def send(services, recipient, subject="[FIRING] errors", text="[FIRING] errors\nten of them: ä\n"):
    message = EmailMessage()
    message["From"], message["To"] = "alerts@logquake.example", recipient
    message["Subject"], message["Message-ID"] = subject, "<1a@logquake.example>"
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    port = int(services.urls()[SMTP].rpartition(":")[2])
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as session:
        session.send_message(message)


def mails(scratch, word=RUN):
    return list(MailInbox(api_url(SMTP, scratch), CLOCKS).messages(word))


def test_a_mail_that_was_taken_is_shown_to_whom_it_was_addressed(mail_services, scratch):
    before_ns = time.monotonic_ns()
    send(mail_services, f"oncall+{RUN}@logquake.example")
    after_ns = time.monotonic_ns()
    send(mail_services, "oncall+other@logquake.example")

    (mail,) = mails(scratch)

    # Times of day are told in milliseconds, and the clocks are read one after the other.
    assert before_ns - 5_000_000 <= mail.at_ns <= after_ns + 5_000_000
    assert mail.addressed == f"oncall+{RUN}@logquake.example"
    assert dict(mail.headers)["message-id"] == "<1a@logquake.example>"
    assert mail.text == "[FIRING] errors\nten of them: ä\n"
    assert mails(scratch, "nobody") == []


def test_more_mails_than_a_page_come_oldest_first(mail_services, scratch):
    for number in range(205):
        send(mail_services, f"{RUN}@logquake.example", f"number {number}")

    subjects = [dict(mail.headers)["subject"] for mail in mails(scratch)]

    assert subjects == [f"number {number}" for number in range(205)]


def test_a_mail_that_was_taken_is_there_after_a_kill(mail_services, scratch):
    send(mail_services, f"{RUN}@logquake.example")
    target = mail_services.targets()[SMTP]

    target.kill()
    target.restart()

    assert len(mails(scratch)) == 1


def test_mail_is_refused_while_the_fault_is_on_and_taken_again_after_it(mail_services, scratch):
    target, fault = mail_services.targets()[SMTP], MailRefused(451)

    assert fault.evidence(target) == (False, "a recipient is answered 250")
    with fault.inject(target, Random(1)):
        assert fault.evidence(target) == (True, "a recipient is answered 451")
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            send(mail_services, f"{RUN}@logquake.example")
    send(mail_services, f"{RUN}@logquake.example")

    assert [code for code, _ in refusal.value.recipients.values()] == [451]
    assert len(mails(scratch)) == 1


def test_a_mail_server_that_a_dead_run_left_refusing_takes_mail_again(mail_services):
    target = mail_services.targets()[SMTP]
    undo = target.undo_refuse_mail()
    target.refuse_mail(451)

    assert carry_out(undo).endswith("takes mail again")
    assert target.mail_answer() == 250


@pytest.fixture
def webhook_services(scratch):
    services = served({WEBHOOK_RECEIVER: alert_server_specs.webhook_receiver}, WEBHOOK_RECEIVER, scratch)
    yield services
    services.stop()


def posts(services, word=RUN):
    return list(WebhookInbox(services.urls()[WEBHOOK_RECEIVER], CLOCKS).messages(word))


def test_a_post_that_was_answered_is_shown_to_whom_it_was_addressed_also_after_a_kill(webhook_services):
    url = webhook_services.urls()[WEBHOOK_RECEIVER]
    before_ns = time.monotonic_ns()
    answer = requests.post(
        f"{url}/hook/{RUN}", json={"state": "firing"}, headers={"webhook-id": "a"}, timeout=5
    )
    after_ns = time.monotonic_ns()
    requests.post(f"{url}/hook/other", data=b"\xff", timeout=5)
    target = webhook_services.targets()[WEBHOOK_RECEIVER]
    target.kill()
    target.restart()

    (post,) = posts(webhook_services)

    assert answer.status_code == 200
    assert before_ns - 5_000_000 <= post.at_ns <= after_ns + 5_000_000
    assert (post.addressed, dict(post.headers)["webhook-id"], post.text) == (
        f"/hook/{RUN}",
        "a",
        '{"state": "firing"}',
    )
    assert [each.text for each in posts(webhook_services, "other")] == ["�"]


def test_a_post_larger_than_is_kept_is_refused(webhook_services):
    url = webhook_services.urls()[WEBHOOK_RECEIVER]

    answer = requests.post(f"{url}/{RUN}", data=b"x" * (1024 * 1024 + 1), timeout=5)

    assert answer.status_code == 413
    assert posts(webhook_services) == []


def test_whoever_asks_with_a_key_is_told_whether_a_post_with_it_came_to_that_path(webhook_services):
    url = webhook_services.urls()[WEBHOOK_RECEIVER]
    requests.post(f"{url}/{RUN}", headers={"idempotency-key": "a"}, timeout=5)

    def asked(path, **headers):
        return requests.get(f"{url}/{path}", headers=headers, timeout=5).status_code

    assert asked(RUN, **{"idempotency-key": "a"}) == 200
    assert [asked(RUN, **{"idempotency-key": "b"}), asked("other", **{"idempotency-key": "a"})] == [404, 404]
    assert asked(RUN) == 400
