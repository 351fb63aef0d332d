from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.loading import AlertsFileError, load_alerts
from logging_system.alerting.rules.error_count import ErrorCount


def counting(alerts: Alerts) -> ErrorCount:
    (rule,) = alerts.rules
    assert isinstance(rule, ErrorCount)
    return rule


def load(folder: Path, text: str, **environment: str):
    path = folder / "alerts.yaml"
    path.write_text(text)
    return load_alerts(path, environment)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(AlertsFileError) as caught:
        load(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_without_a_file_ten_errors_within_a_minute_are_the_rule() -> None:
    rule = counting(load_alerts(None, {}))

    assert (rule.name, rule.threshold, rule.window_seconds) == ("errors", 10, 60)


def test_the_environment_says_how_many_errors(tmp_path: Path) -> None:
    assert counting(load_alerts(None, {"ALERT_THRESHOLD_ERRORS": "3"})).threshold == 3
    alerts = load(tmp_path, "group_wait_seconds: 1", ALERT_THRESHOLD_ERRORS="4")
    assert counting(alerts).threshold == 4
    with pytest.raises(AlertsFileError, match="ALERT_THRESHOLD_ERRORS: must be a whole number"):
        load_alerts(None, {"ALERT_THRESHOLD_ERRORS": "ten"})


def test_a_file_says_it_all(tmp_path: Path) -> None:
    alerts = load(
        tmp_path,
        """
rules:
  - {kind: error_count, name: payments, threshold: 3, window_seconds: 10, match: {logger: shop}}
channels:
  - {kind: webhook, name: hook, url: "https://alerts.example/hook", format: slack}
  - {kind: mail, name: ops, host: mail.example.com, sender: a@example.com, to: [b@example.com]}
inhibit:
  - {source: {rule: payments}, target: {severity: warning}, equal: [service.name]}
""",
    )

    assert [rule.name for rule in alerts.rules] == ["payments"]
    assert [channel.kind for channel in alerts.channels] == ["webhook", "mail"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ruls: []", 'alerts.yaml:1 ruls: no such name; did you mean "rules"?'),
        (
            "rules:\n- kind: error_count\n  name: errors\n  match:\n    levl: error",
            'alerts.yaml:5 rules[0].match.levl: no such name; did you mean "level"?',
        ),
        (
            "channels:\n- kind: webhok\n  name: hook",
            'alerts.yaml:2 channels[0]: kind: no kind "webhok"; did you mean "webhook"?',
        ),
        ("channels:\n- name: hook", "alerts.yaml:2 channels[0]: kind is missing"),
        ("channels:\n- kind: command\n  name: run", "alerts.yaml:2 channels[0].command: is missing"),
        (
            "channels:\n- kind: webhook\n  name: hook\n  urll: https://x",
            'alerts.yaml:4 channels[0].urll: no such name; did you mean "url"?',
        ),
        (
            "rules:\n- {kind: error_count, name: errors, threshold: 0}",
            "alerts.yaml:2 rules[0].threshold: input should be greater than or equal to 1",
        ),
        (
            "rules:\n- {kind: error_count, name: errors, match: {level: eror}}",
            "rules[0].match.level: must be a level, such as warning, error or critical",
        ),
        (
            "rules:\n- {kind: error_count, name: a}\n- {kind: error_count, name: a}",
            'alerts.yaml:1 rules: the name "a" is there twice',
        ),
        ("group_wait_seconds: 1\ngroup_wait_seconds: 2", "alerts.yaml:2 group_wait_seconds: is there twice"),
        (
            "rules:\n- {kind: pipeline_event, name: a, events: [spool_ful]}",
            'rules[0].events[0]: there is no event "spool_ful"; did you mean "spool_full"?',
        ),
        ("rules: [", "alerts.yaml:1: no YAML"),
        ("- a", "alerts.yaml:1: expected lines of the form"),
        (
            "rules:\n- {kind: error_count, name: Bad Name}",
            "rules[0].name: must begin with a lower case letter",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    assert said in mistake(tmp_path, text)


def test_a_mistake_shows_no_value(tmp_path: Path) -> None:
    said = mistake(
        tmp_path,
        "channels:\n- kind: webhook\n  name: hook\n  url: https://hooks.example/s3cr3t\n  secret_url: s3cr3t",
    )

    assert "s3cr3t" not in said


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AlertsFileError, match="No such file"):
        load_alerts(tmp_path / "none.yaml", {})
