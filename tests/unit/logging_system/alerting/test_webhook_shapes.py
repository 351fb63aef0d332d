"""Each format has the shape that its receiver's vendor publishes, whatever is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from logging_system.alerting.channels.webhook_formats import FORMATS, Format
from logging_system.alerting.messages import Letter, letter_of
from tests.repository import REPOSITORY
from tests.unit.logging_system.alerting.receivers import letter, notification

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$"}


def needs(**properties: object) -> dict[str, Any]:
    """Return the schema of an object with exactly these members."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


SLACK = needs(
    text={"type": "string", "minLength": 1, "maxLength": 40_000},
    blocks={
        "type": "array",
        "minItems": 1,
        "maxItems": 50,  # docs.slack.dev/reference/block-kit/blocks
        "items": needs(
            type={"const": "section"},
            text=needs(
                type={"const": "mrkdwn"},
                text={"type": "string", "minLength": 1, "maxLength": 3_000},
                verbatim={"type": "boolean"},
            ),
        ),
    },
)
RUN = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {
        "type": {"const": "TextRun"},
        "text": {"type": "string"},
        "weight": {"enum": ["Bolder"]},
        "fontType": {"enum": ["Monospace"]},
    },
    "additionalProperties": False,
}
TEAMS = needs(  # learn.microsoft.com: a workflow's webhook takes messages of adaptive cards
    type={"const": "message"},
    attachments={
        "type": "array",
        "minItems": 1,
        "items": needs(
            contentType={"const": "application/vnd.microsoft.card.adaptive"},
            contentUrl={"type": "null"},
            content=needs(
                **{"$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"}},
                type={"const": "AdaptiveCard"},
                version={"enum": ["1.2", "1.3", "1.4", "1.5"]},
                body={
                    "type": "array",
                    "minItems": 1,
                    "items": needs(type={"const": "RichTextBlock"}, inlines={"type": "array", "items": RUN}),
                },
            ),
        ),
    },
)
PAGERDUTY: dict[str, Any] = {  # developer.pagerduty.com/docs/send-alert-event
    "oneOf": [
        needs(event_action={"const": "resolve"}, dedup_key={"type": "string", "maxLength": 255}),
        needs(
            event_action={"const": "trigger"},
            dedup_key={"type": "string", "minLength": 1, "maxLength": 255},
            links={
                "type": "array",
                "items": needs(href={"type": "string", "pattern": "^https?://"}, text={"type": "string"}),
            },
            payload=needs(
                summary={"type": "string", "minLength": 1, "maxLength": 1_024},
                source={"type": "string", "minLength": 1},
                severity={"enum": ["critical", "error", "warning", "info"]},
                timestamp=MOMENT,
                custom_details={"type": "object"},
            ),
        ),
    ]
}
ALERTMANAGER = needs(  # prometheus.io/docs/alerting/latest/configuration/#webhook_config
    version={"const": "4"},
    groupKey={"type": "string", "minLength": 1},
    truncatedAlerts={"type": "integer", "minimum": 0},
    status={"enum": ["firing", "resolved"]},
    receiver={"type": "string", "minLength": 1},
    groupLabels=TEXTS,
    commonLabels=TEXTS,
    commonAnnotations=TEXTS,
    externalURL={"type": "string"},
    alerts={
        "type": "array",
        "minItems": 1,
        "items": needs(
            status={"enum": ["firing", "resolved"]},
            labels={**TEXTS, "required": ["alertname"]},
            annotations=TEXTS,
            startsAt=MOMENT,
            endsAt=MOMENT,
            generatorURL={"type": "string"},
            fingerprint={"type": "string", "minLength": 1},
        ),
    },
)
SHAPES: dict[Format, dict[str, Any]] = {
    "slack": SLACK,
    "teams": TEAMS,
    "pagerduty": PAGERDUTY,
    "alertmanager": ALERTMANAGER,
}


def many(count: int) -> Letter:
    told = notification()
    notices = tuple(
        replace(told.notices[0], fingerprint=f"{number:016x}", examples=("<&>" * 100,) * 3)
        for number in range(count)
    )
    return letter_of(replace(told, notices=notices, left_off=7), REPOSITORY / "spool")


LETTERS = {
    "one that fires": letter(),
    "one that ended": letter(is_firing=False, until_seconds=1_700_000_060.0),
    "without labels": letter(labels=(), runbook="", query="", examples=()),
    "all long": letter(
        labels=(("service.name", "<&>" * 60),), summary="&" * 5_000, examples=("<!channel>" * 30,) * 3
    ),
    "a hundred": many(100),
}


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("word", SHAPES)
def test_a_body_has_the_published_shape(word: Format, name: str) -> None:
    bodies = FORMATS[word](LETTERS[name])

    assert bodies
    for body in bodies:
        jsonschema.validate(body, SHAPES[word])


def test_of_a_hundred_alerts_pagerduty_gets_each() -> None:
    assert len(FORMATS["pagerduty"](many(100))) == 100
