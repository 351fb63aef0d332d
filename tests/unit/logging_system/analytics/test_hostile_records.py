"""What somebody stored does nothing to a terminal, hides no other record and ends no command."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from logging_system.analytics import in_words
from logging_system.analytics.lines import line_of
from logging_system.analytics.noisiest import Noise, Noisiest
from logging_system.analytics.reach import Reach
from logging_system.analytics.templates import Template, TopTemplates
from logging_system.analytics.windows import read_moment
from logging_system.cli.parser import fail
from logging_system.cli.visible_text import visible_json
from logging_system.sinks.elasticsearch.http_answer import error_reason, parsed

HOSTILE = "\x1b[2J\x1b]0;title\x07 \x9b31m \u202egnp.exe \u2028 \x7f \u200b"
INDEX = ".ds-logs-shop-main-2026.11.30-000001"
ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago")


def hit(source: Any, moment_ms: int = 0) -> dict[str, Any]:
    return {"_index": INDEX, "_id": "1", "_source": source, "sort": [moment_ms]}


def test_no_field_of_a_line_moves_the_cursor() -> None:
    source = {"message": HOSTILE, "log": {"level": HOSTILE, "logger": HOSTILE}}
    line = line_of(hit(source), Reach.of(["main"]))

    assert in_words.line_in_words(line, "UTC").isprintable()


def test_no_name_in_a_report_moves_the_cursor() -> None:
    template = Template(HOSTILE, HOSTILE, HOSTILE, 1, 1.0, "")
    noise = Noise(HOSTILE, 1, 1)
    told = [
        *in_words.templates_in_words(TopTemplates((template,), 1, 1.0, None), "templates"),
        *in_words.noisiest_in_words(Noisiest(2, (noise, noise), (noise,), 0, 0, None)),
    ]

    assert len(told) >= 5
    assert all(each.isprintable() for each in told)


def test_what_a_store_quotes_in_an_error_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail("search", f"HTTP 400: {HOSTILE}\nsecond line") == 1

    first, second = capsys.readouterr().err.splitlines()
    assert first.isprintable()
    assert second == "second line"


@pytest.mark.parametrize("indent", [None, 2])
def test_json_is_escaped_where_a_terminal_would_obey_and_means_the_same(indent: int | None) -> None:
    value = {"message": HOSTILE, "plain": "Zoë 😀 \\u001b \\", HOSTILE: [1, 2.5, None, True, 1 << 70]}

    text = visible_json(value, indent=indent)

    assert json.loads(text) == value
    assert all(each.isprintable() or each == "\n" for each in text)
    assert "Zoë 😀" in text


def test_what_is_nested_too_deep_to_write_is_told_as_that() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    assert json.loads(visible_json({"message": value})) == {"unshown": "it is nested too deep"}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (rb'{"a": "x\ud83d y"}', "x\ufffd y"),
        (rb'{"a": "\udc00\ud83d\ude00\uD83D"}', "\ufffd😀\ufffd"),
        (rb'{"a": "\\ud83d\ud83d"}', "\\ud83d\ufffd"),
        (rb'{"a": "\ud83d\u0041"}', "\ufffdA"),
    ],
)
def test_half_a_surrogate_pair_hides_nothing_else_of_an_answer(body: bytes, read: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)

    assert parsed(body) == {"a": read}


def test_what_is_no_json_is_no_answer_still() -> None:
    assert parsed(rb'{"a": "\ud83d"') == {}
    assert parsed(b"<html>") == {}


@pytest.mark.parametrize("moment_ms", [253_402_300_800_000, 1 << 62, -(1 << 62), -62_135_596_800_001])
def test_a_time_beyond_the_calendar_is_shown_at_its_edge_in_every_zone(moment_ms: int) -> None:
    line = line_of(hit({"message": "m"}, moment_ms), Reach.of(["main"]))

    shown = [in_words.line_in_words(line, zone) for zone in ZONES]

    assert all(each.startswith("9999-12-" if moment_ms > 0 else "0001-01-") for each in shown)


@pytest.mark.parametrize(
    ("text", "zone"), [("0001-01-01", "Europe/Berlin"), ("9999-12-31T23:59", "America/New_York")]
)
def test_a_date_that_no_other_zone_has_is_a_mistake(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match="that every time zone has"):
        read_moment(text, datetime(2026, 11, 30, tzinfo=UTC), zone)


def test_a_wall_clock_that_goes_back_is_read_as_the_first_of_the_two() -> None:
    moment = read_moment("2026-10-25T02:30", datetime(2026, 11, 30, tzinfo=UTC), "Europe/Berlin")

    assert moment.utcoffset() == timedelta(hours=2)


def test_the_cause_of_a_failed_search_is_told() -> None:
    error = {
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "root_cause": [{"type": "illegal_argument_exception", "reason": "Fielddata is disabled"}],
    }

    assert error_reason(error) == (
        "search_phase_execution_exception: all shards failed "
        "(illegal_argument_exception: Fielddata is disabled)"
    )
