from dataclasses import replace

import orjson
import pytest

from harness.evidence.lines import digest
from harness.judging.checkers.corrupted import VETO, Corrupted
from harness.judging.timeline import timeline
from harness.model.declarations import Fields
from harness.model.facts import ArchiveRead, Due, Found, Sent, WholeElsewhere
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, charge, good_run, replaced

CHECKER = Corrupted(charge(STEP))


def test_unchanged_lines_pass():
    assert CHECKER.check(timeline(good_run())).status is Status.PASS


def test_one_changed_byte_fails_and_is_shown():
    changed = Found(450, digest("lime 450"), "index/450", "lime 450")

    verdict = CHECKER.check(timeline(replaced(good_run(), Found, 450, changed)))

    assert verdict.status is Status.FAIL
    assert verdict.vetoes == (VETO,)
    assert verdict.counterexample == ("A copy of record 450 is at index/450", "It reads: 'lime 450'")


def test_damaged_lines_that_stand_whole_in_another_place_are_told_with_it():
    changed = Found(450, digest("lime 450"), "index/450", "lime 450")
    whole = WholeElsewhere("field: event.original", "index/450")

    verdict = CHECKER.check(timeline([*replaced(good_run(), Found, 450, changed), whole]))

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, (VETO,))
    assert verdict.evidence[-1] == (
        "The archive holds them whole in another place: `field: event.original`, e.g. in index/450."
    )


def test_the_first_difference_is_shown_with_what_was_sent_there():
    changed = Found(450, digest("x"), "index/450", "…payload=aX7", expected="…payload=a57", differs_at=12_340)

    verdict = CHECKER.check(timeline(replaced(good_run(), Found, 450, changed)))

    assert verdict.counterexample == (
        "A copy of record 450 is at index/450; it differs from character 12,340 on.",
        "Sent:   '…payload=a57'",
        "Stored: '…payload=aX7'",
    )


def test_a_second_copy_that_differs_fails_although_the_first_is_right():
    changed = Found(450, digest("lime 450"), "index/x", "lime 450")

    assert CHECKER.check(timeline([*good_run(), changed])).value == 1


def test_a_copy_without_identity_of_this_run_fails():
    stray = Found(None, digest("hello"), "index/x", "hello")

    verdict = CHECKER.check(timeline([*good_run(), stray]))

    assert verdict.status is Status.FAIL
    assert verdict.counterexample[0] == "A copy without identity is at index/x"


def test_a_copy_of_a_record_that_was_never_due_is_invented():
    invented = Found(99_999, digest("line 99999"), "index/x", "line 99999")

    assert CHECKER.check(timeline([*good_run(), invented])).status is Status.FAIL


def test_an_archive_that_was_not_read_whole_proves_nothing():
    events = [event for event in good_run() if not isinstance(event, ArchiveRead)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_nothing_found_is_inconclusive():
    assert CHECKER.check(timeline([])).status is Status.INCONCLUSIVE


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
UNIX_NS = 1_764_452_356_000_000_000
FIELDS = Fields({"time": "@timestamp", "level": "log.level"})


DUE_NS = {event.sequence: event.at_ns for event in good_run() if isinstance(event, Due)}


def fielded(change):
    """Return a good run whose copies have fields; `change` takes sequence and fields and returns others."""
    return [_with_fields(event, change) for event in good_run()]


def _with_fields(event, change):
    if isinstance(event, Due):
        return replace(event, level=LEVELS[event.sequence % 5])
    if isinstance(event, Sent):
        return replace(event, unix_ns=UNIX_NS + event.at_ns)
    if isinstance(event, Found):
        return replace(event, fields=orjson.dumps(change(event.sequence, sent(event.sequence))).decode())
    return event


def sent(sequence):
    return {"time": (UNIX_NS + DUE_NS[sequence]) // 1_000_000, "level": LEVELS[sequence % 5].lower()}


def judged(change, fields=FIELDS):
    return Corrupted(replace(charge(STEP), fields=fields)).check(timeline(fielded(change)))


def test_fields_as_they_were_sent_pass_and_are_named():
    verdict = judged(lambda sequence, fields: fields)

    assert verdict.status is Status.PASS
    assert verdict.summary.endswith("byte for byte; time and level are as sent.")


def test_all_records_as_debug_of_2001_fail_with_what_was_sent_beside_what_is_stored():
    verdict = judged(lambda sequence, fields: {"time": "2001-09-09T01:46:40Z", "level": "DEBUG"})

    assert (verdict.status, verdict.value) == (Status.FAIL, 1_002)
    assert verdict.vetoes == (VETO,)
    assert "(time in 1,002, level in 801)" in verdict.summary
    assert "is stored as '2001-09-09T01:46:40Z'" in verdict.counterexample[1]


def test_the_swapped_texts_of_two_neighbours_fail_and_name_each_other():
    neighbour = {450: 451, 451: 450}

    verdict = judged(lambda sequence, fields: sent(neighbour[sequence]) if sequence in neighbour else fields)

    assert (verdict.status, verdict.value) == (Status.FAIL, 2)
    assert verdict.counterexample[-1] == "They are those of record 451, whose text has other fields."


def test_a_record_without_the_field_that_others_have_fails():
    verdict = judged(lambda sequence, fields: {**fields, "level": None} if sequence == 7 else fields)

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert verdict.counterexample[1] == "Its level was sent as WARNING and is stored as None."


@pytest.mark.parametrize("value", [None, "n/a"])
def test_a_path_where_no_copy_has_a_readable_value_is_an_error_of_the_file_and_not_the_stacks(value):
    verdict = judged(lambda sequence, fields: {**fields, "level": value})

    assert verdict.status is Status.ERROR
    assert verdict.vetoes == ()
    assert 'fields.level "log.level"' in verdict.summary


@pytest.mark.parametrize(
    ("off_ms", "status"), [(900, Status.PASS), (-900, Status.PASS), (1_500, Status.FAIL)]
)
def test_a_time_may_be_off_by_the_declared_tolerance(off_ms, status):
    assert judged(lambda sequence, fields: {**fields, "time": fields["time"] + off_ms}).status is status


def test_a_load_that_does_not_tell_what_it_sent_proves_nothing():
    verdict = Corrupted(replace(charge(STEP), fields=Fields({"level": "l"}))).check(
        timeline([replace(e, level="") if isinstance(e, Due) else e for e in fielded(lambda _, f: f)])
    )

    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.summary == "The load does not tell what it sent as level."


def test_without_declared_fields_only_the_line_is_compared():
    verdict = judged(lambda sequence, fields: {"time": 0, "level": "DEBUG"}, Fields())

    assert verdict.status is Status.PASS
    assert verdict.summary.endswith("byte for byte.")
