"""A stack's findings, followed line by line: when each came, whatever its file does meanwhile."""

from datetime import UTC, datetime

import pytest

from harness.evidence.alerts.inboxes import Clocks
from harness.evidence.findings import FINDINGS_MAX, SAYS_CHARACTERS_MAX, FindingsFollower
from harness.model.declarations import Findings
from harness.model.facts import FindingSeen, FindingsRead

SECOND = 1_000_000_000
BOOT_UNIX = 1_700_000_000
"""The time of day, in seconds, at which the monotonic clock began."""


class Moments:
    """Clocks that stand until they are told."""

    def __init__(self):
        self.seconds = 0.0

    def clocks(self):
        return Clocks(lambda: int((BOOT_UNIX + self.seconds) * SECOND), lambda: int(self.seconds * SECOND))


@pytest.fixture
def moments():
    return Moments()


@pytest.fixture
def follower(tmp_path, moments):
    return FindingsFollower(
        Findings("", id="finding.id"), str(tmp_path / "findings*.jsonl"), moments.clocks()
    )


def line(identity, found=None, cause="disk"):
    said = "" if found is None else datetime.fromtimestamp(BOOT_UNIX + found, UTC).isoformat()
    return f'{{"finding": {{"id": "{identity}"}}, "cause": "{cause}", "found": "{said}"}}\n'


def looked(follower, moments, seconds):
    moments.seconds = seconds
    return [(each.finding, each.at_ns / SECOND) for each in follower.look(int(seconds * SECOND))]


def test_a_line_counts_from_when_the_stack_says_within_two_looks(follower, moments, tmp_path):
    file = tmp_path / "findings.jsonl"
    file.write_text("")
    assert looked(follower, moments, 10) == []
    file.write_text(line("a", 12))
    assert looked(follower, moments, 14) == [("a", 12)]


@pytest.mark.parametrize(("claimed", "counts"), [(2, 10), (99, 14), (None, 14)])
def test_a_claim_that_does_not_fit_what_was_seen_does_not_count(follower, moments, tmp_path, claimed, counts):
    assert looked(follower, moments, 10) == []
    (tmp_path / "findings.jsonl").write_text(line("a", claimed))
    assert looked(follower, moments, 14) == [("a", counts)]


def test_a_finding_that_changes_later_is_the_one_that_was_known(follower, moments, tmp_path):
    file = tmp_path / "findings.jsonl"
    file.write_text(line("a"))
    assert looked(follower, moments, 1) == [("a", 1)]
    with file.open("a") as more:
        more.write(line("a", cause="keys") + line("b"))
    assert looked(follower, moments, 2) == [("b", 2)]


def test_half_a_line_waits_for_its_end(follower, moments, tmp_path):
    file = tmp_path / "findings.jsonl"
    whole = line("a")
    file.write_text(whole[:20])
    assert looked(follower, moments, 1) == []
    file.write_text(whole)
    assert looked(follower, moments, 2) == [("a", 2)]


def test_a_file_that_is_put_aside_is_not_read_twice(follower, moments, tmp_path):
    file = tmp_path / "findings.jsonl"
    file.write_text(line("a"))
    assert looked(follower, moments, 1) == [("a", 1)]
    file.rename(tmp_path / "findings-1.jsonl")
    file.write_text(line("b"))
    assert looked(follower, moments, 2) == [("b", 2)]


def test_lines_that_are_no_findings_are_counted_and_the_first_is_told(follower, moments, tmp_path):
    (tmp_path / "findings.jsonl").write_text('no JSON\n{"finding": {"id": ""}}\n' + line("a"))
    *seen, read = follower.whole(SECOND)
    assert [each.finding for each in seen] == ["a"]
    assert (read.unreadable, read.unread) == (2, "")
    assert read.example.startswith("findings.jsonl: ")


def test_without_a_file_nothing_was_found(follower):
    assert list(follower.whole(SECOND)) == [FindingsRead(SECOND)]


def test_more_findings_than_are_kept_are_told(follower, tmp_path):
    (tmp_path / "findings.jsonl").write_text("".join(line(str(each)) for each in range(FINDINGS_MAX + 1)))
    *seen, read = follower.whole(SECOND)
    assert (len(seen), read.unread) == (FINDINGS_MAX, f"more than {FINDINGS_MAX:,} findings")
    assert isinstance(seen[0], FindingSeen)


def test_what_a_line_says_is_one_line_and_bounded_and_may_be_missing(moments, tmp_path):
    declared = Findings("", id="id", says=("kind", "words.short", "missing"))
    follower = FindingsFollower(declared, str(tmp_path / "findings.jsonl"), moments.clocks())
    (tmp_path / "findings.jsonl").write_text(
        '{"id": "a", "cause": "disk", "kind": "spike", "words": {"short": "more\\n\\u001b[31m than"}}\n'
        '{"id": "b", "cause": "disk", "kind": "' + "x" * 5_000 + '"}\n'
        '{"id": "c", "cause": "disk", "kind": 7}\n'
    )
    bounded, endless, silent = follower.look(SECOND)

    assert bounded.says == "spike: more  [31m than"
    assert len(endless.says) == SAYS_CHARACTERS_MAX
    assert silent.says == ""
