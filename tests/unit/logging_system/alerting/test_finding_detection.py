"""Findings in `watch`: durable before they are told, masked, and told as alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.examples import default_masking
from logging_system.alerting.finding_detection import INCIDENTS_NAME, FindingDetection, seen_record
from logging_system.alerting.history import History
from logging_system.alerting.loading import AlertsFileError, load_alerts
from logging_system.alerting.rules.declared import Clock
from logging_system.alerting.state_file import prepare_alerts_folder
from logging_system.alerting.watching import Clocks, Watch
from logging_system.coordination.detection.finding_file import FindingFile
from logging_system.coordination.detection.template_texts import TemplateTexts
from logging_system.delivery.commands import Tally
from logging_system.handler.orders import Gate
from logging_system.monitoring.delays import Delays
from logging_system.spool.codec import PLAIN_CODECS
from logging_system.spool.control import QuarantineTemplate

START = 1_700_000_000.0
CARD = "4111 1111 1111 1111"
UNREACHABLE = {
    "store_ready": False,
    "store_trouble": "http://127.0.0.1:9: [Errno 111] Connection refused",
}


def shipper_says(spool: Path, now_seconds: float, **more: object) -> None:
    """Write a shipper's status file as of a moment."""
    import os

    counters = dict.fromkeys(("delivered", "conflicts", "dead_lettered", "spooled"), 0)
    content = {
        "pid": 1,
        "store_ready": True,
        "store_trouble": "",
        "disk_trouble": "",
        "breaker_open": False,
        "in_flight_requests": 0,
        "unavailable_epochs": 0,
        "events": {},
        "oldest_undelivered_timestamp_seconds": None,
        "logged_to_searchable_seconds": asdict(Delays()),
        **counters,
        **asdict(Tally()),
        **more,
    }
    path = spool / "status-shipper.json"
    path.write_bytes(orjson.dumps(content))
    os.utime(path, (now_seconds, now_seconds))


class Detecting:
    """Detection on a folder, at a time that a test says."""

    def __init__(self, spool: Path, *, is_sealed: bool = False) -> None:
        self.spool, self.folder = spool, prepare_alerts_folder(spool)
        self.is_sealed, self.now, self.remarks = is_sealed, START, list[str]()
        self.texts = TemplateTexts()
        self.detection = self.started()

    def started(self) -> FindingDetection:
        return FindingDetection(
            self.spool,
            self.folder,
            masked=default_masking(),
            is_sealed=self.is_sealed,
            steady=lambda: self.now,
            remark=self.remarks.append,
            texts=self.texts,
        )

    def looks(self, seconds: int, **shipper: object) -> None:
        for _ in range(seconds):
            self.now += 1
            shipper_says(self.spool, self.now, **shipper)
            self.detection.look(Clock(self.now, self.now))

    def fails(self, message: str, count: int = 3) -> None:
        document = {"log": {"level": "error", "logger": "shop"}, "service": {"name": "checkout"}}
        for number in range(count):
            line = {**document, "@timestamp": "2023-11-14T22:20:00.5Z", "message": f"{message} {number}"}
            self.detection.tell(line, self.now + 0.5)

    def lines(self) -> list[Mapping[str, Any]]:
        return list(FindingFile(self.folder).lines())


def test_a_finding_is_written_at_its_begin_and_its_end_with_its_incident(tmp_path: Path) -> None:
    detecting = Detecting(tmp_path)
    detecting.looks(5)
    detecting.looks(5, **UNREACHABLE)
    had_news = detecting.detection.has_news
    detecting.detection.write()
    detecting.looks(60)
    detecting.detection.write()
    began, ended = detecting.lines()
    (incident,) = orjson.loads((detecting.folder / INCIDENTS_NAME).read_bytes())["incidents"]

    assert (had_news, detecting.detection.has_news) == (True, False)
    assert (began["kind"], began["cause"], began["until"]) == ("store_unreachable", "store_down", None)
    assert ended["finding_id"] == began["finding_id"]
    assert ended["until"] is not None
    assert incident["incident_id"] == began["incident_id"]
    assert incident["timeline"][-1]["what"] == "closed"


def test_after_a_crash_before_its_line_was_written_it_is_written_with_the_same_id(tmp_path: Path) -> None:
    detecting = Detecting(tmp_path)
    detecting.looks(5)
    detecting.looks(5, **UNREACHABLE)
    content = orjson.loads(orjson.dumps(detecting.detection.content()))
    detecting.detection.write()
    detecting.detection = detecting.started()
    detecting.detection.restore(content)
    detecting.detection.write()
    detecting.looks(3, **UNREACHABLE)
    detecting.detection.write()

    assert len(detecting.lines()) == 2
    assert len({line["finding_id"] for line in detecting.lines()}) == 1


def test_what_floods_is_quarantined_by_the_text_that_detection_knows_also_after_a_restart(
    tmp_path: Path,
) -> None:
    detecting = Detecting(tmp_path)
    detecting.detection.tell({"message": "begin"}, detecting.now)
    detecting.looks(310)
    detecting.fails("ledger 17 refused\nby its owner")
    detecting.looks(3)
    detecting.detection.write()
    (line,) = detecting.lines()
    (template,) = line["templates"]
    content = orjson.loads(orjson.dumps(detecting.detection.content()))
    detecting.texts = TemplateTexts()
    detecting.started().restore(content)
    order = QuarantineTemplate("order", detecting.now + 60, detecting.texts.text(template) or "", 2)
    gate = Gate.of((), [order])
    message = "ledger 4 refused\nby another"
    reasons = [gate.reason({"msg": message, "args": None, "levelno": 40}) for _ in range(2)]

    assert order.is_sound
    assert reasons == [None, "quarantined"]
    assert gate.reason({"msg": "ledger 4 paid", "args": None, "levelno": 40}) is None


def test_no_text_of_a_template_is_kept_where_the_spool_is_sealed(tmp_path: Path) -> None:
    detecting = Detecting(tmp_path, is_sealed=True)
    detecting.detection.tell({"message": "begin"}, detecting.now)
    detecting.looks(310)
    detecting.fails("ledger refused")
    detecting.looks(3)
    detecting.detection.write()
    (line,) = detecting.lines()

    assert [detecting.texts.text(each) for each in line["templates"]] == [None]


@pytest.mark.parametrize("is_sealed", [False, True], ids=["plain", "sealed"])
def test_examples_are_masked_and_left_out_where_the_spool_is_sealed(tmp_path: Path, is_sealed: bool) -> None:
    detecting = Detecting(tmp_path, is_sealed=is_sealed)
    detecting.detection.tell({"message": "begin"}, detecting.now)
    detecting.looks(310)
    detecting.fails(f"ledger refused card {CARD}")
    detecting.looks(3)
    detecting.detection.write()
    (line,) = detecting.lines()

    assert line["kind"] == "new_error"
    assert len(line["examples"]) == (0 if is_sealed else 3)
    assert CARD.encode() not in (detecting.folder / "findings.jsonl").read_bytes()
    assert CARD not in str(detecting.detection.content())
    assert "ledger" not in line["summary"]


def test_lines_that_the_disk_refuses_wait_and_one_remark_says_so(tmp_path: Path) -> None:
    detecting = Detecting(tmp_path)
    (detecting.folder / "findings.jsonl").mkdir()
    detecting.looks(5)
    detecting.looks(5, **UNREACHABLE)
    assert not detecting.detection.write()
    assert not detecting.detection.write()
    (detecting.folder / "findings.jsonl").rmdir()
    assert detecting.detection.write()

    assert len(detecting.remarks) == 1
    assert len(detecting.lines()) == 1


def test_watch_saves_the_finding_tells_an_alert_and_ends_it_across_a_restart(tmp_path: Path) -> None:
    detecting = Detecting(tmp_path)
    watch = watching(detecting)
    for second in range(20):
        detecting.now += 1
        shipper_says(tmp_path, detecting.now, **(UNREACHABLE if second > 5 else {}))
        watch.look()
    watch.follower.close()  # as a crash would
    detecting.detection = detecting.started()
    watch = watching(detecting)
    for _ in range(60):
        detecting.now += 1
        shipper_says(tmp_path, detecting.now)
        watch.look()
    changes = [(line["what"], line["rule"]) for line in History(detecting.folder).lines() if "rule" in line]
    status = watch.status()["findings"]
    watch.close()

    assert changes == [("began", "finding_critical"), ("ended", "finding_critical")]
    assert [line["until"] is None for line in detecting.lines()] == [True, False]
    assert status["open"] == []
    assert status["open_incidents"] == 0


def watching(detecting: Detecting) -> Watch:
    return Watch(
        detecting.spool,
        detecting.folder,
        Alerts(),
        codecs=PLAIN_CODECS,
        masked=default_masking(),
        wake=lambda: None,
        remark=detecting.remarks.append,
        clocks=Clocks(lambda: detecting.now, lambda: detecting.now, lambda: "b1"),
        findings=detecting.detection,
    )


def test_a_sample_stands_for_the_records_that_are_left_out_so_that_no_rate_drops(tmp_path: Path) -> None:
    detecting = Detecting(tmp_path)
    document = {"log": {"level": "info"}, "service": {"name": "checkout"}, "message": "paid"}
    for second in range(400):
        detecting.detection.sample(10 if second > 250 else 1)
        for place in range(50):
            detecting.detection.tell(document, detecting.now + place / 50)
        detecting.looks(1)
    detecting.detection.write()

    assert detecting.detection.status()["unexamined_records"] > 6_000
    assert detecting.lines() == []


def test_records_of_any_shape_are_seen(tmp_path: Path) -> None:
    dotted = {"log.level": "ERROR2", "log.logger": "a.b", "service.name": "s", "message": 17}
    strange = {"log": 5, "service": [], "message": None, "labels": {"duration_ms": True}, "@timestamp": 3}

    assert seen_record(dotted, 1.0)[1:6] == (40, "", "s", "a.b", "17")
    assert seen_record(strange, 1.0)[1:] == (0, "", "", "", "", "", None, 1)
    assert seen_record({"labels": {"duration_ms": 12}}, 1.0).duration_ms == 12.0
    assert len(seen_record({"message": "x" * 1_000_000}, 1.0).message) == 2_000
    assert seen_record({"data_stream": {"namespace": "eu"}}, 1.0).namespace == "eu"


def test_a_mistake_in_the_section_gets_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("findings:\n  enable: false\n")

    with pytest.raises(
        AlertsFileError, match=r'alerts.yaml:2 findings.enable: no such name; did you mean "enabled"'
    ):
        load_alerts(tmp_path / "alerts.yaml", {})
