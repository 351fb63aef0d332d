"""A stack's answers, read line by line as facts."""

from datetime import UTC, datetime

import orjson
import pytest

from harness.evidence.alerts.inboxes import Clocks
from harness.evidence.answers import AnswersFollower
from harness.model.declarations import Answers
from harness.model.facts import AnswerGiven, AnswersRead

SECOND = 1_000_000_000
BOOT_UNIX = 1_700_000_000
"""The time of day, in seconds, at which the monotonic clock began."""


def moment(seconds):
    return datetime.fromtimestamp(BOOT_UNIX + seconds, UTC).isoformat()


def line(**changed):
    content = {
        "asked": moment(8),
        "answered": moment(9),
        "since": moment(1),
        "until": moment(8),
        "records": 7,
    }
    return orjson.dumps({**content, **changed}) + b"\n"


@pytest.fixture
def read(tmp_path):
    def of(*lines, **declared):
        (tmp_path / "answers.jsonl").write_bytes(b"".join(lines))
        clocks = Clocks(lambda: BOOT_UNIX * SECOND, lambda: 0)
        follower = AnswersFollower(Answers("", **declared), str(tmp_path / "answers.jsonl"), clocks)
        return list(follower.whole(10 * SECOND))

    return of


def test_a_line_becomes_an_answer_of_the_monotonic_clock(read):
    assert read(line()) == [
        AnswerGiven(9 * SECOND, 8 * SECOND, SECOND, 8 * SECOND, 7),
        AnswersRead(10 * SECOND),
    ]


def test_age_and_namespace_are_read_where_they_are_declared(read):
    given, _read = read(line(stale_age_seconds=2.5, who={"is": "mine"}), namespace="who.is")
    assert (given.stale_ns, given.namespace) == (2_500_000_000, "mine")


def test_an_answer_that_came_before_it_was_asked_was_asked_when_it_came(read):
    given, _read = read(line(asked=moment(99)))
    assert given.asked_ns == given.at_ns == 9 * SECOND


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"records": "7"}, "a line without records"),
        ({"records": True}, "a line without records"),
        ({"since": ""}, "a line without since"),
        ({"until": "tomorrow"}, "a line whose until is no time"),
        ({"stale_age_seconds": "old"}, "a line without stale_age_seconds"),
    ],
)
def test_a_line_that_says_too_little_is_counted_and_told(read, changed, why):
    (told,) = read(line(**changed))
    assert (told.unreadable, told.example) == (1, why)
