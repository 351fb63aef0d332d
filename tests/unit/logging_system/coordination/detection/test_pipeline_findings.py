from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from logging_system.coordination.detection.detector import Detector
from logging_system.coordination.detection.machine_load import Waits
from logging_system.coordination.detection.seen_record import SeenRecord
from logging_system.coordination.detection.troubles import trouble_of
from logging_system.coordination.findings import CauseClass, FindingKind
from tests.unit.logging_system.coordination.detection.moments import START, Pipeline

TIMED_OUT = "http://store:9200: no complete answer within 10 s"
REFUSED = "http://127.0.0.1:9200: NewConnectionError: cannot connect: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (REFUSED, CauseClass.STORE_DOWN),
        ("http://store:9200: no complete answer within 10 s", CauseClass.NETWORK),
        ("http://s: NameResolutionError: Temporary failure in name resolution", CauseClass.NETWORK),
        ("http://s: ProtocolError: ('Connection aborted.', RemoteDisconnected(", CauseClass.STORE_DOWN),
        ("http://s: ConnectionResetError(104, 'Connection reset by peer')", CauseClass.NETWORK),
        ("HTTP 429: es_rejected_execution_exception", CauseClass.STORE_REFUSES),
        ("HTTP 503: unavailable", CauseClass.STORE_REFUSES),
        ("HTTP 413", CauseClass.STORE_REFUSES),
        ("HTTP 200 with a body that is not a bulk response: <html>", CauseClass.NETWORK),
        ("cluster_block_exception: index read-only", CauseClass.STORE_REFUSES),
        ("something nobody knows", CauseClass.UNKNOWN),
    ],
)
def test_the_words_of_a_failure_point_to_a_class_of_cause(words: str, cause: CauseClass) -> None:
    assert trouble_of(words).cause is cause


def test_a_port_that_holds_429_is_no_push_back() -> None:
    assert trouble_of("http://127.0.0.1:42911: [Errno 111] Connection refused").cause is CauseClass.STORE_DOWN


def test_refused_connections_are_found_within_three_seconds_and_end_once_it_delivers() -> None:
    pipeline = Pipeline()
    assert pipeline.runs(10) == []
    (found,) = pipeline.fails(8, REFUSED)
    pipeline.is_well_again()
    (ended,) = pipeline.runs(30)

    assert (found.kind, found.cause) == (FindingKind.STORE_UNREACHABLE, CauseClass.STORE_DOWN)
    assert START + 10 <= found.since_seconds <= START + 12
    assert found.found_seconds <= START + 13
    assert ended.finding_id == found.finding_id
    assert ended.until_seconds is not None
    assert START + 18 <= ended.until_seconds <= START + 24


def test_a_store_that_flaps_is_one_finding() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    found = []
    for _ in range(5):
        found += pipeline.fails(3, REFUSED)
        pipeline.is_well_again()
        found += pipeline.runs(3)

    assert [each.until_seconds for each in found] == [None]


def test_requests_that_hang_are_found_before_they_time_out() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    found = [each for _ in range(5) for each in pipeline.look()]

    assert [(each.kind, each.cause) for each in found] == [
        (FindingKind.STORE_UNREACHABLE, CauseClass.NETWORK)
    ]
    assert "a store that is paused looks the same from here" in found[0].evidence_against


def test_a_store_that_always_pauses_for_two_seconds_is_not_stalled_by_a_pause_of_five() -> None:
    pipeline = Pipeline()
    found = []
    for _ in range(10):
        found += pipeline.runs(3) + [each for _ in range(2) for each in pipeline.look()]
    found += [each for _ in range(3) for each in pipeline.look()]

    assert found == []


def test_a_stall_is_found_although_the_folder_and_the_file_in_it_were_gone_meanwhile() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.look()
    pipeline.is_folder_gone = True
    pipeline.look()
    pipeline.is_folder_gone = False
    (found,) = [each for _ in range(2) for each in pipeline.look()]

    assert (found.kind, found.since_seconds) == (FindingKind.STORE_UNREACHABLE, START + 10)


def test_a_store_that_turns_documents_away_answers_and_is_not_stalled() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    found = []
    for _ in range(10):
        pipeline.shipper = replace(pipeline.shipper, retried_items=pipeline.shipper.retried_items + 40)
        found += pipeline.look()

    assert [each.kind for each in found] == [FindingKind.PUSH_BACK]


def test_what_woke_late_before_the_pause_excuses_none_of_it() -> None:
    pipeline = Pipeline()
    pipeline.late_seconds = 0.3
    pipeline.runs(10)
    pipeline.late_seconds = 0.01
    found = [each for _ in range(4) for each in pipeline.look()]

    assert [each.kind for each in found] == [FindingKind.STORE_UNREACHABLE]


def test_nobody_waited_longer_for_a_processor_than_the_machine_says() -> None:
    """Who looks waits half of its time, yet for nine tenths of it every processor was free for the store."""
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.waits = Waits(own_seconds=0.5, any_seconds=0.1)
    found = [each for _ in range(4) for each in pipeline.look()]
    assert [each.kind for each in found] == [FindingKind.STORE_UNREACHABLE]

    busy = Pipeline()
    busy.runs(10)
    busy.waits = Waits(own_seconds=0.5, any_seconds=1.0)
    assert [each for _ in range(4) for each in busy.look()] == []


def test_who_works_without_a_pause_and_waits_for_a_processor_is_busy_too() -> None:
    """As after a burst: it never sleeps, so it never wakes late, and the store waits as it does."""
    pipeline = Pipeline()
    pipeline.runs(60, delay_seconds=1.1)
    pipeline.waits = Waits(own_seconds=0.6, any_seconds=1.0)

    assert pipeline.runs(20, delay_seconds=2.5) == []


def test_requests_that_time_out_on_a_busy_machine_must_do_so_for_longer() -> None:
    pipeline = Pipeline()
    pipeline.runs(20)
    pipeline.waits = Waits(own_seconds=0.6, any_seconds=1.0)
    pipeline.runs(10)
    found = pipeline.fails(9, TIMED_OUT)
    assert found == []

    assert len(pipeline.fails(10, TIMED_OUT)) == 1


def test_nothing_to_send_is_no_stall() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, in_flight=0, spooled=0)

    assert [each for _ in range(60) for each in pipeline.look()] == []


def test_a_shipper_that_ended_says_nothing_about_the_store() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, is_ready=False, trouble=REFUSED, age_seconds=5.0)

    assert [each for _ in range(30) for each in pipeline.look()] == []


def test_a_shipper_that_says_nothing_while_records_come_is_silence() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    found = []
    for second in range(12):
        offered = pipeline.writers.offered + 100
        pipeline.writers = replace(pipeline.writers, offered=offered)
        pipeline.shipper = replace(pipeline.shipper, age_seconds=second + 1.0)
        found += pipeline.look()

    assert [(each.kind, each.subject) for each in found] == [(FindingKind.SILENCE, "shipper")]


def test_a_share_of_documents_turned_away_is_push_back_though_others_are_delivered() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    found = []
    for _ in range(4):
        pipeline.shipper = replace(pipeline.shipper, retried_items=pipeline.shipper.retried_items + 40)
        found += pipeline.runs(1)

    assert [(each.kind, each.cause) for each in found] == [(FindingKind.PUSH_BACK, CauseClass.STORE_REFUSES)]


def test_a_single_failed_request_is_no_finding() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, unproved=1, trouble=REFUSED)

    assert pipeline.runs(30) == []


def test_records_that_take_longer_are_a_latency_shift_of_the_store_once_it_is_known_what_is_usual() -> None:
    pipeline = Pipeline()
    assert pipeline.runs(10) == []
    (found,) = pipeline.runs(6, delay_seconds=0.6)

    assert (found.kind, found.cause) == (FindingKind.LATENCY_SHIFT, CauseClass.STORE_SLOW)
    assert found.found_seconds <= START + 15


def test_records_that_take_longer_while_the_machine_is_busy_are_no_shift() -> None:
    """As recorded at a load average of 20 on two cores, where whoever looks wakes half a second late."""
    pipeline = Pipeline()
    pipeline.runs(60, delay_seconds=1.1)
    pipeline.late_seconds = 0.5
    assert pipeline.runs(20, delay_seconds=2.1) == []

    prompt = Pipeline()
    prompt.runs(60, delay_seconds=1.1)
    assert {each.kind for each in prompt.runs(20, delay_seconds=2.1)} == {FindingKind.LATENCY_SHIFT}


def test_a_store_gets_slower_on_a_machine_that_is_as_busy_as_it_always_was() -> None:
    """As recorded: contention since the start, 1.7 s usual, 3.6 s while the store answered late."""
    pipeline = Pipeline()
    pipeline.waits = Waits(own_seconds=0.16, any_seconds=1.0)
    pipeline.runs(6, delay_seconds=1.7)
    (found,) = pipeline.runs(6, delay_seconds=3.6)

    assert (found.kind, found.cause) == (FindingKind.LATENCY_SHIFT, CauseClass.STORE_SLOW)


def test_where_little_is_known_yet_a_shift_is_three_quarters_of_the_delay_at_least() -> None:
    pipeline = Pipeline()
    pipeline.runs(8, delay_seconds=1.1)
    assert pipeline.runs(3, delay_seconds=1.7) == []

    slow = Pipeline()
    slow.runs(8, delay_seconds=1.1)
    assert len(slow.runs(6, delay_seconds=2.6)) == 1


def test_a_slow_store_soon_after_an_idle_start_is_no_effect_of_the_load() -> None:
    pipeline = Pipeline()
    pipeline.runs(20, records=0)
    pipeline.runs(5, delay_seconds=1.1)
    (found,) = pipeline.runs(6, delay_seconds=2.6)

    assert (found.kind, found.cause) == (FindingKind.LATENCY_SHIFT, CauseClass.STORE_SLOW)


def test_a_store_that_answers_late_on_a_busy_machine_is_no_stall() -> None:
    pipeline = Pipeline()
    pipeline.runs(20)
    pipeline.late_seconds = 0.5
    pipeline.shipper = replace(pipeline.shipper, spooled=500)

    assert [each for _ in range(4) for each in pipeline.look()] == []
    assert len([each for _ in range(6) for each in pipeline.look()]) == 1


def test_a_delay_that_was_usual_before_is_no_shift() -> None:
    pipeline = Pipeline()
    for _ in range(3):
        pipeline.runs(4, delay_seconds=0.04)
        pipeline.runs(4, delay_seconds=0.2)

    assert pipeline.runs(10, delay_seconds=0.3) == []


def test_more_records_than_usual_make_the_load_the_cause_of_a_shift() -> None:
    pipeline = Pipeline()
    pipeline.runs(60)
    (found,) = pipeline.runs(25, delay_seconds=2.2, records=2_000)

    assert (found.kind, found.cause) == (FindingKind.LATENCY_SHIFT, CauseClass.LOAD)


def test_what_a_burst_left_is_worked_off_late_and_is_no_shift_even_after_the_burst() -> None:
    """As seen on a busy machine: a second of load took ten seconds to be stored."""
    pipeline = Pipeline()
    pipeline.runs(60, delay_seconds=1.1)

    assert pipeline.runs(3, delay_seconds=3.7, records=2_000) == []
    assert pipeline.runs(9, delay_seconds=3.7) == []
    assert pipeline.runs(30, delay_seconds=1.1) == []


def test_a_disk_that_refuses_writes_is_found_at_the_next_look() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.writers = replace(pipeline.writers, spool_errors={"ENOSPC": 1})
    (found,) = pipeline.runs(1)

    assert (found.kind, found.cause) == (FindingKind.DISK_FILLING, CauseClass.DISK)
    assert "ENOSPC 1 times" in found.summary


def test_a_disk_without_room_is_found_though_no_writer_can_say_so() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.room = replace(pipeline.room, free_bytes=0, disk_bytes=8 << 20)

    assert [each.cause for each in pipeline.runs(2)] == [CauseClass.DISK]


def test_a_spool_that_fills_during_an_outage_has_the_cause_of_the_outage_and_its_incident() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.fails(5, REFUSED)
    pipeline.room = replace(pipeline.room, used_bytes=900 << 20)
    (found,) = pipeline.fails(5, REFUSED)
    (incident,) = pipeline.detector.incidents.all()

    assert (found.kind, found.cause) == (FindingKind.DISK_FILLING, CauseClass.STORE_DOWN)
    assert incident.kinds == ["store_unreachable", "disk_filling"]
    assert incident.cause == "store_down"


def test_key_events_and_writers_that_cannot_be_opened_are_key_trouble() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.events = {"key_unavailable": 1}
    (found,) = pipeline.runs(1)

    assert (found.kind, found.cause) == (FindingKind.KEY_TROUBLE, CauseClass.KEYS)


def test_documents_refused_for_good_are_found() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, dead_lettered=3)
    (found,) = pipeline.runs(3)

    assert (found.kind, found.subject) == (FindingKind.PUSH_BACK, "dead_letters")


def test_documents_that_the_store_had_again_and_again_are_found() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    found = []
    for _ in range(18):
        pipeline.shipper = replace(pipeline.shipper, conflicts=pipeline.shipper.conflicts + 60)
        found += pipeline.runs(1)

    assert [(each.kind, each.cause) for each in found] == [(FindingKind.DUPLICATES, CauseClass.NETWORK)]


def test_one_request_whose_answer_came_too_late_is_no_finding_though_all_its_documents_are_there() -> None:
    """As seen on a busy machine: 658 of 1,158 documents."""
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, conflicts=658, unproved=1)

    assert pipeline.runs(30) == []


def test_late_records_and_second_copies_after_an_outage_are_its_effects() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    (outage,) = pipeline.fails(5, REFUSED)
    pipeline.is_well_again()
    pipeline.shipper = replace(pipeline.shipper, conflicts=400)
    found = pipeline.runs(4, delay_seconds=5.0) + pipeline.runs(30)

    assert [each.finding_id for each in found] == [outage.finding_id]


def test_a_writer_whose_process_dies_is_found() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.writers = replace(pipeline.writers, died=1)
    (found,) = pipeline.runs(3)

    assert (found.kind, found.subject, found.cause) == (
        FindingKind.SILENCE,
        "writer",
        CauseClass.APPLICATION,
    )


def test_a_restart_in_the_midst_of_an_outage_neither_forgets_nor_repeats_it() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    (found,) = pipeline.fails(5, REFUSED)
    content = orjson.loads(orjson.dumps(pipeline.detector.content()))
    pipeline.detector = Detector()
    pipeline.detector.restore(content)
    assert pipeline.fails(5, REFUSED) == []
    pipeline.is_well_again()
    (ended,) = pipeline.runs(60)
    (incident,) = pipeline.detector.incidents.all()

    assert ended.finding_id == found.finding_id
    assert [entry.what for entry in incident.timeline] == ["began", "found", "ended", "closed"]


def test_another_shipper_begins_anew_and_its_lower_counts_are_nothing_new() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, pid=2, requests=0, delivered=0, unproved=0)

    assert pipeline.runs(10) == []


def test_a_request_refused_as_a_whole_is_push_back() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, refused=1, trouble="HTTP 413")
    (found,) = pipeline.runs(3)

    assert (found.kind, found.cause) == (FindingKind.PUSH_BACK, CauseClass.STORE_REFUSES)
    assert "the store refuses requests of this size" in found.evidence_for


def test_documents_that_are_sent_again_because_requests_failed_are_no_push_back() -> None:
    pipeline = Pipeline()
    pipeline.runs(10)
    pipeline.shipper = replace(pipeline.shipper, retried_items=700)
    found = pipeline.fails(4, REFUSED)

    assert [each.kind for each in found] == [FindingKind.STORE_UNREACHABLE]


def test_what_is_known_survives_a_restart_however_long_errors_are() -> None:
    detector = Detector()
    message = "cannot open " + " ".join(f"part{chr(97 + place % 26)}" for place in range(150))
    detector.tell(SeenRecord(START, 50, "", "shop", "shop", message))
    content = orjson.loads(orjson.dumps(detector.content()))
    again = Detector()
    again.restore(content)

    assert again.content() == detector.content()
