"""A stack file's promise of alerts: what it becomes, and which mistakes in it are named with their remedy."""

import pytest

from harness.config.stack import load_stack
from harness.model.declarations import AlertChannel, Alerts
from harness.model.errors import ScenarioError

WHOLE = """\
version: 1
name: mine
needs: [elasticsearch, webhook_receiver]
links: {to_store: elasticsearch, to_webhook: webhook_receiver}
processes: {watch: {command: [watch]}}
intake: {kind: python_logging, handler: "my.package:Handler"}
acknowledged_by: return
archive: {kind: elasticsearch, index: "logs-{run.id}", url: "{elasticsearch.url}"}
alerts:
  {name: errors, threshold: 10, window_seconds: 5, cooldown_seconds: 60, watcher: watch, channels: {hook: {
  link: to_webhook,
  key: header webhook-id,
  alert: json alerts.rule,
  state: 'text (up|down)',
  fires: down}}}
"""


def loaded(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return load_stack(path)


def test_a_promise_becomes_what_is_judged(tmp_path):
    hook = AlertChannel(
        *("hook", "webhook_receiver", "to_webhook"),
        *("header webhook-id", "json alerts.rule", "text (up|down)"),
        fires="down",
    )
    alerts = loaded(tmp_path, WHOLE).alerts

    assert alerts == Alerts("errors", 10, 5.0, 60.0, (hook,), "watch")
    assert alerts.on_the_way(hook) == {"watch", "to_webhook", "webhook_receiver"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "watcher: watch",
            "watcher: wacth",
            'alerts.watcher: "processes" has no process "wacth". Did you mean "watch"?',
        ),
        (
            "cooldown_seconds: 60, ",
            "",
            "alerts.cooldown_seconds: is missing. Add how long one firing is not told again.",
        ),
        (
            "window_seconds: 5",
            "window_seconds: 1",
            "alerts.resolution_seconds: must be less than window_seconds (1), not 1.",
        ),
        (
            "link: to_webhook",
            "link: to_webhok",
            'channels.hook.link: "links" has no link "to_webhok". Did you mean',
        ),
        (
            "link: to_webhook",
            "link: to_store",
            "leads to elasticsearch, which receives no alerts. Name one to smtp or webhook_receiver.",
        ),
        (
            "header webhook-id",
            "webhook-id",
            'channels.hook.key: must be "header NAME", "header NAME PATTERN"',
        ),
        ("(up|down)", "(up|down", "channels.hook.state: '(up|down' is no regular expression"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(old, new, said, tmp_path):
    assert old in WHOLE
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, WHOLE.replace(old, new, 1))

    assert said in str(caught.value)
