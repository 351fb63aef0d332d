"""What is read back, compared with what was sent: unchanged, lawfully transformed, or changed."""

from dataclasses import replace

import pytest

from harness.evidence.lines import digest, stamp
from harness.evidence.readback import Outlets, OutletSpec, Reading
from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.checkers.corrupted import Corrupted
from harness.judging.checkers.duplicated import Duplicated
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import Acknowledged, DeadLettered, Due, Found
from harness.model.protocols import Status, StoredDocument
from tests.unit.harness.literal_history import charge

RUN = "run-01"
SENT = stamp("  Traceback:\n\tat checkout", RUN, 3)


class Closed:
    """An archive that is not asked anything."""

    def count(self):
        raise NotImplementedError

    def refresh(self):
        raise NotImplementedError

    def read(self, fields=()):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError


def facts(stored, *transforms, letters=()):
    spec = OutletSpec(
        archive=Closed,
        expected_line=lambda sequence: SENT,
        run_id=RUN,
        dead_letters=Closed,
        transforms=transforms,
    )
    reading = Reading([StoredDocument("i/3", stored)], [StoredDocument("d/3", line) for line in letters])
    return list(Outlets(spec).facts(reading, 100))


def only(kind, events):
    (event,) = [event for event in events if isinstance(event, kind)]
    return event


def integrity(events):
    return Corrupted(charge()).check(timeline([Due(3, 1, 0, digest(SENT)), *events]))


def test_an_unchanged_line_is_no_transformed_one():
    events = facts(SENT, "escape_control")

    found = only(Found, events)
    assert (found.digest, found.excerpt, found.transformed) == (digest(SENT), "", False)
    assert integrity(events).summary == "All 1 stored copy equal what was sent, byte for byte."


ESCAPED = SENT.replace("\n", "#012").replace("\t", "#011")


@pytest.mark.parametrize(
    "stored", [ESCAPED, SENT.lstrip(), ESCAPED.lstrip()], ids=["escaped", "trimmed", "both"]
)
def test_a_lawful_transform_is_noted_and_is_no_corruption(stored):
    events = facts(stored, "escape_control", "trim_leading_space", letters=[stored])

    found, letter = only(Found, events), only(DeadLettered, events)
    assert (found.sequence, found.digest, found.excerpt) == (3, digest(stored), "")
    assert found.transformed
    assert letter.transformed
    assert integrity(events).status is Status.PASS
    assert "2 of them after a declared transform" in integrity(events).summary


@pytest.mark.parametrize(
    ("stored", "transforms"),
    [
        (ESCAPED, ()),
        (ESCAPED, ("trim_leading_space",)),
        (ESCAPED.replace("#011", "#012"), ("escape_control",)),
        (ESCAPED.replace("#011", "\t"), ("escape_control",)),
        (ESCAPED.replace("checkout", "checkouts"), ("escape_control", "trim_leading_space")),
        (SENT.replace("  Traceback", "Traceback"), ("escape_control",)),
    ],
    ids=["undeclared", "another one declared", "wrong escape", "half escaped", "text changed", "trimmed"],
)
def test_what_no_declared_transform_explains_whole_is_corruption(stored, transforms):
    events = facts(stored, *transforms)

    found = only(Found, events)
    assert not found.transformed
    assert found.excerpt
    assert timeline([Due(3, 1, 0, digest(SENT)), *events]).copies[3] == [found]
    assert (integrity(events).status, integrity(events).vetoes) == (Status.FAIL, ("undetected corruption",))


def test_an_empty_line_keeps_its_identity_when_the_space_before_it_is_trimmed():
    empty = stamp("", RUN, 3)
    spec = OutletSpec(
        archive=Closed, expected_line=lambda _: empty, run_id=RUN, transforms=("trim_leading_space",)
    )

    events = list(Outlets(spec).facts(Reading([StoredDocument("i/3", empty.lstrip())]), 100))

    assert (only(Found, events).sequence, only(Found, events).transformed) == (3, True)


class Few:
    """Records with texts of their own, read back after a stack has done something to each line."""

    def __init__(self, *texts):
        self.sent = [stamp(text, RUN, sequence) for sequence, text in enumerate(texts)]
        self.due = [Due(n, n + 1, 0, digest(line)) for n, line in enumerate(self.sent)]
        self.acknowledged = [Acknowledged(n, n + 2) for n in range(len(self.sent))]
        self.promises = Promises()

    def timeline(self, stored, letters=()):
        outlets = Outlets(
            OutletSpec(
                archive=Closed,
                expected_line=self.sent.__getitem__,
                run_id=RUN,
                dead_letters=Closed,
                records=len(self.sent),
                owed=lambda: frozenset(range(len(self.sent))),
            )
        )
        reading = Reading(
            [StoredDocument(f"i/{n}", line) for n, line in enumerate(stored)],
            [StoredDocument(f"d/{n}", line) for n, line in enumerate(letters)],
        )
        assert outlets.kept(reading) >= outlets.archived(reading)
        return timeline([*self.due, *self.acknowledged, *outlets.facts(reading, 100)])

    def verdicts(self, stored, letters=()):
        """Return what is lost, what is corrupted and what is there too often."""
        arranged = self.timeline(stored, letters)
        judged = replace(charge(promises=self.promises), dead_letters=True)
        return [kind(judged).check(arranged) for kind in (AcknowledgedLost, Corrupted, Duplicated)]


LONG = "x" * 3_000
TEXTS = ("café is open", "naïve request for /orders", f"dump of cart 7: {LONG}", f"dump of cart 8: {LONG}")


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.encode("ascii", "replace").decode()[:-20],
        lambda line: line[:-20],
        lambda line: line[:14],
        lambda line: line.replace("a", "b", 1),
        lambda line: line[:10] + "…",
    ],
    ids=["é as ?, identity gone", "identity gone", "cut", "one letter", "cut with a sign"],
)
def test_damaged_lines_are_corrupted_and_none_is_lost_or_duplicated(damage):
    stack = Few(*TEXTS)

    lost, corrupted, duplicated = stack.verdicts([damage(line) for line in stack.sent])

    assert (lost.status, duplicated.status) == (Status.PASS, Status.PASS)
    assert (corrupted.status, corrupted.value) == (Status.FAIL, 4)


def test_of_damaged_lines_the_one_that_is_missing_is_lost():
    stack = Few(*TEXTS)

    lost, corrupted, duplicated = stack.verdicts([line[:14] for line in stack.sent[1:]])

    assert (lost.status, lost.value) == (Status.FAIL, 1)
    assert corrupted.value == 3
    assert duplicated.status is Status.PASS


def test_two_damaged_copies_of_a_record_are_a_duplicate():
    stack = Few(*TEXTS)

    lost, _, duplicated = stack.verdicts(stack.sent[1:], letters=["café is open", "café is open"])

    assert lost.status is Status.PASS
    assert duplicated.value == 1


def test_the_pieces_of_a_split_line_are_no_copies_of_another_record():
    stack = Few("one failed\nTraceback\n  at a", "one failed\nTraceback\n  at b")
    pieces = [piece for line in stack.sent for piece in line.split("\n")]

    lost, corrupted, duplicated = stack.verdicts(pieces)

    assert (lost.status, duplicated.status) == (Status.PASS, Status.PASS)
    assert corrupted.value == 6


def test_joined_lines_are_each_there_and_each_corrupted():
    stack = Few(*TEXTS[:2])

    lost, corrupted, duplicated = stack.verdicts([" ".join(stack.sent)])

    assert (lost.status, corrupted.value, duplicated.status) == (Status.PASS, 2, Status.PASS)


def test_a_line_that_nobody_sent_hides_no_loss():
    stack = Few(*TEXTS)

    lost, corrupted, _ = stack.verdicts([*stack.sent[1:], "this is nobody's line"])

    assert (lost.value, corrupted.value) == (1, 1)


@pytest.mark.parametrize(
    ("line_bytes_max", "kept", "status", "said"),
    [
        (2_000, 2_000, Status.WARN, "2 of 4 stored copies (50.0%) are truncated at 2,000 bytes"),
        (2_000, 2_500, Status.WARN, "truncated at 2,500 bytes; the stack promises to keep 2,000 bytes"),
        (
            2_000,
            1_500,
            Status.FAIL,
            "truncated at 1,500 bytes, though the stack promises line_bytes_max 2,000",
        ),
        (None, 2_000, Status.FAIL, "truncated at 2,000 bytes, and the stack promises no line_bytes_max"),
        (2_000, 9_000, Status.PASS, "All 4 stored copies equal"),
    ],
)
def test_what_is_cut_is_called_cut(line_bytes_max, kept, status, said):
    stack = Few(*TEXTS)
    stack.promises = Promises(line_bytes_max=line_bytes_max)

    lost, corrupted, duplicated = stack.verdicts([line[:kept] for line in stack.sent])

    assert (lost.status, duplicated.status, corrupted.status) == (Status.PASS, Status.PASS, status)
    assert said in corrupted.summary


def test_a_promise_to_cut_excuses_no_other_damage():
    stack = Few(*TEXTS)
    stack.promises = Promises(line_bytes_max=1_024)

    _, corrupted, _ = stack.verdicts([*stack.sent[:3], stack.sent[3].replace("x", "y", 1)[:1_500]])

    assert (corrupted.status, corrupted.value) == (Status.FAIL, 1)


def test_fields_are_read_beside_those_that_give_the_order():
    spec = OutletSpec(
        archive=Closed,
        expected_line=lambda sequence: SENT,
        run_id=RUN,
        order_by=("n",),
        fields={"time": "@timestamp", "level": "log.level"},
    )
    stored = StoredDocument("i/3", SENT, values=(7, "2025-11-29T21:39:16Z", None))

    found = only(Found, list(Outlets(spec).facts(Reading([stored]), 100)))

    assert found.order == "[7]"
    assert found.fields == '{"time":"2025-11-29T21:39:16Z","level":null}'


CARD = "paid with card 4539148803436467 by 12345"


def compared(stored, *transforms):
    spec = OutletSpec(
        archive=Closed,
        expected_line=lambda sequence: stamp(CARD, RUN, sequence),
        run_id=RUN,
        transforms=transforms,
        maskable=lambda _: ((15, 31),),
    )
    reading = Reading([StoredDocument("index/1", stamp(stored, RUN, 3))])
    (found,) = [fact for fact in Outlets(spec).facts(reading, 0) if isinstance(fact, Found)]
    return found


def test_a_masked_secret_is_a_lawful_change():
    found = compared("paid with card [card] by 12345", "mask")

    assert (found.transformed, found.excerpt) == (True, "")


def test_where_more_was_masked_it_differs_there_and_no_secret_is_quoted():
    found = compared("paid with card [card] by [number]", "mask")

    assert not found.transformed
    assert found.differs_at == len("paid with card [card] by ") + 1
    assert "by [number]" in found.excerpt
    assert "by 12345" in found.expected


def test_a_changed_line_is_shown_with_dots_in_the_place_of_its_secret():
    found = compared("PAID with card 4539148803436467 by 12345", "mask")

    assert "4539" not in found.excerpt + found.expected
    assert "••••" in found.excerpt
