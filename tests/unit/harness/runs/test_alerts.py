"""What people were told is read once the stack had its time, and what cannot be read is said."""

from dataclasses import replace

from harness.evidence.alerts.messages import Message
from harness.load.schedules.error_burst import ErrorBurst
from harness.model.declarations import AlertChannel, Alerts, Part, Promises, Scenario, Stack, Step
from harness.model.errors import StackError
from harness.model.facts import AlertReceived, AlertsRead
from harness.runs.alerts import AlertReceivers, settled_seconds
from harness.runs.plan import SuitePlan, plan_scenario
from tests.unit.harness.literal_history import scenario

HOOK = AlertChannel("hook", "webhook_receiver", "to_webhook", "header id", "json rule", "json state")
MAIL = replace(HOOK, name="mail", service="smtp", link="to_mail")
STACK = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())
ALERTS = Alerts("errors", 10, 5.0, 12.0, (HOOK, MAIL), "watch", 5.0, 8.0, 0.25)


class Filled:
    def messages(self, word):
        yield Message(3, word, (("id", "k1"),), '{"rule": "errors", "state": "firing"}')


class Broken:
    def messages(self, word):
        raise StackError("GET http://127.0.0.1:9/received: no answer")


def test_each_channel_is_read_and_one_that_cannot_be_is_told():
    receivers = AlertReceivers(ALERTS, {"hook": Filled, "mail": Broken}, "run-1", 0)

    assert receivers.facts(lambda: 7) == [
        AlertReceived(3, "hook", "k1", True),
        AlertsRead(7, "hook", 1),
        AlertsRead(7, "mail", 0, unread="GET http://127.0.0.1:9/received: no answer"),
    ]


def plan(*steps: Step, times: int = 1):
    schedule = ErrorBurst(200, 0.5, 20, at_seconds=4.0, times=times)
    arguments = {"rate_per_second": 200, "times": times}
    planned: Scenario = replace(scenario(*steps, sending_seconds=20), schedule=Part("error_burst", arguments))
    return plan_scenario(planned, schedule, 1, None)


def step(target, at_seconds, for_seconds):
    return Step("black_hole", target, at_seconds, for_seconds)


def test_what_is_owed_last_is_waited_for():
    """Two errors and the eighth of the burst, due at 4.4 s, are ten; then a deadline of 5 s, and a second.

    A fault on the way adds its own time, and one that is not on it none.
    """
    assert 10.3 <= settled_seconds(ALERTS, plan()) <= 10.5
    assert 10.3 <= settled_seconds(ALERTS, plan(step("to_store", 4, 9))) <= 10.5
    assert settled_seconds(ALERTS, plan(step("to_mail", 4, 9))) == 22.0
    assert settled_seconds(ALERTS, plan(step("watch", 4, 10))) == 23.0


def test_nothing_is_waited_for_where_no_errors_are_planned():
    steady = replace(plan(), levels="")

    assert settled_seconds(ALERTS, steady) == 0.0


def test_which_records_are_errors_is_part_of_the_plan():
    one, none = plan(), plan(times=0)
    assert one.offsets_ns == none.offsets_ns
    hashes = {
        SuitePlan("s", (replace(none, levels=each.levels),), STACK, "embedded", 1, "", {}).plan_hash()
        for each in (one, none)
    }

    assert len(hashes) == 2
