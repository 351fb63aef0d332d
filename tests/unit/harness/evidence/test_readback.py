"""What is read back, compared with what was sent: unchanged, lawfully transformed, or changed."""

import pytest

from harness.evidence.lines import digest, stamp
from harness.evidence.readback import Outlets, OutletSpec, Reading
from harness.judging.checkers.corrupted import Corrupted
from harness.judging.timeline import timeline
from harness.model.facts import DeadLettered, Due, Found
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
