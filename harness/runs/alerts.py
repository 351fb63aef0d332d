"""Reads what a stack told people, once it had the time that it promises to need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.deployments.alert_server_specs import SMTP, api_url
from harness.evidence.alerts.inboxes import Clocks, Inbox, MailInbox, WebhookInbox
from harness.evidence.alerts.messages import recognised
from harness.evidence.secrets.watch import SecretWatch
from harness.model.declarations import Alerts, Stack
from harness.model.errors import StackError
from harness.model.facts import AlertReceived, AlertsRead
from harness.model.nanoseconds import SECOND_NS
from harness.runs.plan import ScenarioPlan

_MARGIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class AlertReceivers:
    """Where a stack's alerts come.

    `settled_ns` says how long after the start of sending the last of them that is owed must have come;
    `word` is what every message of this run is addressed to; `secrets` looks for canaries in them.
    """

    alerts: Alerts
    inboxes: Mapping[str, Callable[[], Inbox]]
    word: str
    settled_ns: int
    secrets: SecretWatch | None = None

    def facts(self, now_ns: Callable[[], int]) -> list[AlertReceived | AlertsRead]:
        """Return what came by each channel.

        Args:
            now_ns: tells the time, of CLOCK_MONOTONIC in nanoseconds, before each channel is read.
        """
        facts: list[AlertReceived | AlertsRead] = []
        for channel in self.alerts.channels:
            at_ns = now_ns()
            try:
                messages = list(self.inboxes[channel.name]().messages(self.word))
            except StackError as error:
                facts.append(AlertsRead(at_ns, channel.name, 0, unread=str(error)))
                if self.secrets is not None:
                    self.secrets.unread(f"messages by {channel.name}: {error}")
                continue
            if self.secrets is not None:
                for message in messages:
                    self.secrets.message(channel.name, message.pieces)
            facts += recognised(channel, self.alerts.name, messages, at_ns)
        return facts


def alert_receivers(
    stack: Stack,
    plan: ScenarioPlan,
    run_id: str,
    urls: Mapping[str, str],
    scratch: Path,
    clocks: Clocks,
    secrets: SecretWatch | None = None,
) -> AlertReceivers | None:
    """Return where a stack's alerts come; None where it promises none.

    Args:
        stack: as its stack file declares it.
        plan: says when errors are due and when faults are healed.
        run_id: the scenario's; what its messages are addressed to holds it.
        urls: where each service answers.
        scratch: the folder that services were started from.
        clocks: of this machine.
        secrets: looks for canaries in what comes; None where the stack promises no secrets.
    """
    alerts = stack.alerts
    if alerts is None:
        return None

    def inbox(service: str) -> Callable[[], Inbox]:
        if service == SMTP:
            return lambda: MailInbox(api_url(service, scratch), clocks)
        return lambda: WebhookInbox(urls[service], clocks)

    inboxes = {channel.name: inbox(channel.service) for channel in alerts.channels}
    return AlertReceivers(alerts, inboxes, run_id, int(settled_seconds(alerts, plan) * SECOND_NS), secrets)


def settled_seconds(alerts: Alerts, plan: ScenarioPlan) -> float:
    """Return how long after the start of sending all that is owed must have come; 0 where nothing is.

    Args:
        alerts: the threshold, the channels, and how late an alert may be.
        plan: when errors are sent, and which faults are in an alert's way.
    """
    errors = [at for at, level in zip(plan.offsets_ns, plan.levels, strict=False) if level in "EC"]
    if not errors:
        return 0.0
    healed_seconds = [
        step.at_seconds + step.for_seconds + alerts.after_outage_seconds
        for step in plan.scenario.steps
        if any(step.target in alerts.on_the_way(channel) for channel in alerts.channels)
    ]
    owed_seconds = _last_crossing_seconds(errors, alerts) + alerts.deadline_seconds
    return max(owed_seconds, *healed_seconds, 0.0) + _MARGIN_SECONDS


def _last_crossing_seconds(errors: Sequence[int], alerts: Alerts) -> float:
    """Return when there last began to be enough errors within the window; 0 where there never are."""
    reach_ns = int((alerts.window_seconds + alerts.resolution_seconds) * SECOND_NS)
    began_ns, until_ns = 0, -1
    for first_ns, last_ns in zip(errors, errors[alerts.threshold - 1 :], strict=False):
        if last_ns - first_ns <= reach_ns:
            began_ns = last_ns if last_ns > until_ns else began_ns
            until_ns = first_ns + reach_ns
    return began_ns / SECOND_NS
