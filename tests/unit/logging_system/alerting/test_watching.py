from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from logging_system.alerting.declaration import Alerts
from logging_system.alerting.examples import default_masking
from logging_system.alerting.finding_detection import FindingDetection
from logging_system.alerting.history import History
from logging_system.alerting.operator_file import OperatorFile
from logging_system.alerting.state_file import (
    NAME,
    VERSION,
    StateDamagedError,
    StateVersionError,
    prepare_alerts_folder,
    read_state,
    save_state,
)
from logging_system.alerting.watching import Clocks, Watch
from logging_system.monitoring.metrics import METRICS
from logging_system.monitoring.prometheus import SpoolCollector, exposition
from logging_system.monitoring.status_files import WATCH_NAME
from logging_system.spool.codec import PLAIN_CODECS
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.alerting.receivers import HttpReceiver, http_receiver

START = 1_700_000_000.0


class Time:
    def __init__(self) -> None:
        self.passed = 0.0
        self.jumped = 0.0

    def clocks(self) -> Clocks:
        return Clocks(lambda: START + self.passed + self.jumped, lambda: 50.0 + self.passed, lambda: "b1")


class Story:
    """A spool with a writer, and a watch that looks when it is told to, at a time that it is told."""

    def __init__(self, spool: Path, receiver: HttpReceiver, **declared: object) -> None:
        self.spool, self.receiver, self.time = spool, receiver, Time()
        channel = {"name": "hook", "kind": "webhook", "url": receiver.url}
        self.alerts = Alerts.model_validate({"channels": [channel], "group_wait_seconds": 0, **declared})
        self.folder = prepare_alerts_folder(spool)
        self.writer = SpoolWriter(spool, spool_bytes_max=1 << 30, sync=False)
        self.remarks: list[str] = []
        self.watch = self.started()

    def started(self) -> Watch:
        return Watch(
            self.spool,
            self.folder,
            self.alerts,
            codecs=PLAIN_CODECS,
            masked=default_masking(),
            wake=lambda: None,
            remark=self.remarks.append,
            clocks=self.time.clocks(),
        )

    def logs(self, count: int, *, message: str = "refused", ago: float = 0.0, level: str = "error") -> None:
        moment = datetime.fromtimestamp(START + self.time.passed + self.time.jumped - ago, UTC).isoformat()
        lines = [
            {
                "@timestamp": moment,
                "log": {"level": level, "logger": "shop"},
                "service": {"name": "checkout"},
                "message": message,
            }
            for _ in range(count)
        ]
        self.writer.append([orjson.dumps(line) for line in lines])

    def looks(self, seconds: float = 0.0) -> None:
        """Let time pass and look, until nothing is on its way."""
        self.time.passed += seconds
        self.watch.look()
        give_up = time.monotonic() + 20
        while not self.is_idle() and time.monotonic() < give_up:
            time.sleep(0.005)
            self.watch.look()

    def is_idle(self) -> bool:
        now = self.watch.forward()
        return all(
            not waiting or (waiting[0].trouble and waiting[0].not_before_seconds > now)
            for waiting in self.watch.outbox.waiting.values()
        )

    def crashes(self) -> None:
        """End without saving, and start again."""
        self.watch.follower.close()
        self.watch = self.started()

    def states(self) -> list[str]:
        return [body["state"] for body in self.receiver.bodies]


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Callable[..., Story]]:
    with http_receiver() as receiver:
        yield lambda **declared: Story(tmp_path, receiver, **declared)


def test_enough_errors_send_one_message_and_their_end_another(tell: Callable[..., Story]) -> None:
    story = tell()
    story.logs(9)
    story.looks()
    assert story.states() == []

    story.logs(3)
    story.looks()
    story.looks(1)
    assert story.states() == ["firing"]
    story.looks(200)
    story.looks(1)
    assert story.states() == ["firing", "resolved"]
    assert len(set(story.receiver.keys)) == 2


def test_while_the_channel_is_down_a_burst_waits_and_is_told_once(tell: Callable[..., Story]) -> None:
    story = tell()
    story.receiver.answers = [(503, {})] * 4
    story.logs(12)
    story.looks()
    for _ in range(6):
        story.looks(20)

    assert len(story.receiver.keys) == 5
    assert len(set(story.receiver.keys)) == 1
    assert story.watch.outbox.counts["hook"].taken == 1


def test_late_records_make_an_alert_and_do_not_repeat_one(tell: Callable[..., Story]) -> None:
    story = tell()
    story.logs(12)
    story.looks()
    story.looks(200)
    story.logs(12, ago=195)
    story.looks(1)
    assert story.states() == ["firing", "resolved"]

    story.looks(1_000)
    story.logs(12, ago=250)
    story.looks(1)
    story.looks(61)
    assert story.states() == ["firing", "resolved", "firing", "resolved"]


@pytest.mark.parametrize("is_first", [True, False], ids=["at its first look", "after a long pause"])
def test_what_was_logged_while_nobody_looked_is_not_late(tell: Callable[..., Story], is_first: bool) -> None:
    story = tell()
    if not is_first:
        story.looks()
        story.time.passed += 3_600
    story.logs(12, ago=3_000)
    story.looks()

    assert story.states() == ["firing"]
    assert story.watch.evaluation.counts.too_late == 0


def test_of_a_backlog_that_takes_many_looks_nothing_is_late(tell: Callable[..., Story]) -> None:
    """Two applications logged for two hours while nobody watched; one is read far before the other."""
    story = tell(group_by=["service.name"])
    writers = {name: SpoolWriter(story.spool, spool_bytes_max=1 << 30, sync=False) for name in "ab"}
    story.time.passed = 7_200
    for minute in range(120):
        moment = datetime.fromtimestamp(START + 60 * minute, UTC).isoformat()
        for name, writer in writers.items():
            line = {"@timestamp": moment, "service": {"name": name}, "message": "x" * 10_000}
            level = "error" if minute in (5, 115) else "info"
            writer.append([orjson.dumps({**line, "log": {"level": level}}) for _ in range(12)])
    for _ in range(80):
        story.looks(1)

    assert story.watch.evaluation.counts.too_late == 0
    assert story.watch.evaluation.counts.evaluated == 120 * 2 * 12
    began = [
        line["labels"]["service.name"] for line in History(story.folder).lines() if line["what"] == "began"
    ]
    assert sorted(began) == ["a", "a", "b", "b"]


def test_what_was_logged_while_the_process_was_away_is_not_late(tell: Callable[..., Story]) -> None:
    story = tell()
    story.looks()
    story.watch.close()
    story.time.passed += 3_600
    story.logs(12, ago=3_000)
    story.watch = story.started()
    story.looks()

    assert story.states() == ["firing"]


def test_when_the_time_of_day_goes_back_what_is_logged_then_is_not_late(tell: Callable[..., Story]) -> None:
    story = tell()
    story.looks()
    story.time.jumped = -7_200
    story.logs(12)
    story.looks(1)

    assert story.states() == ["firing"]


def test_a_crash_at_any_look_forgets_nothing_and_repeats_only_keys(tell: Callable[..., Story]) -> None:
    story = tell()
    for step in range(30):
        if step in (3, 4):
            story.logs(6)
        story.looks(10)
        if step % 2:
            story.crashes()

    told = dict(zip(story.receiver.keys, story.states(), strict=True))
    assert sorted(told.values()) == ["firing", "resolved"]


def test_a_restart_in_mid_cooldown_does_not_tell_again(tell: Callable[..., Story]) -> None:
    story = tell(repeat_interval_seconds=600)
    story.logs(12)
    story.looks()
    for _ in range(5):
        story.watch.close()
        story.watch = story.started()
        story.looks(50)
        story.logs(12)

    assert story.states() == ["firing"]


def test_a_jump_of_the_time_of_day_repeats_nothing_and_hides_nothing(tell: Callable[..., Story]) -> None:
    story = tell()
    story.logs(12)
    story.looks()
    story.time.jumped = -3_600.0
    story.looks(10)
    assert story.states() == ["firing"]

    story.time.jumped = 0.0
    story.looks(30)
    story.logs(12)
    story.looks(1)
    assert story.states() == ["firing"]


def test_what_people_silence_is_not_sent(tell: Callable[..., Story]) -> None:
    story = tell()
    OperatorFile(story.folder).silence(
        {"rule": "errors"}, now_seconds=START, seconds=100, author="me", comment="deploying"
    )
    story.logs(12)
    story.looks()

    assert story.states() == []


def test_example_lines_hold_no_secret_whatever_the_stack_does(tell: Callable[..., Story]) -> None:
    story = tell()
    story.logs(12, message="card 4111 1111 1111 1111 password=hunter2")
    story.looks()
    (body,) = story.receiver.bodies
    everything = b"".join(path.read_bytes() for path in story.folder.iterdir())

    assert len(body["alerts"][0]["examples"]) == 3
    for secret in (b"4111", b"hunter2"):
        assert secret not in orjson.dumps(body)
        assert secret not in everything


def test_a_refused_message_is_told_and_in_the_history(tell: Callable[..., Story]) -> None:
    story = tell()
    story.receiver.answers = [(400, {})]
    story.logs(12)
    story.looks()

    assert any("refused message" in remark for remark in story.remarks)
    assert "refused" in [line["what"] for line in History(story.folder).lines()]


def test_a_channel_gets_what_it_is_for(tell: Callable[..., Story]) -> None:
    story = tell()
    url = story.receiver.url
    story.alerts = Alerts.model_validate(
        {
            "group_wait_seconds": 0,
            "channels": [
                {"name": "all", "kind": "webhook", "url": url + "/all"},
                {"name": "pager", "kind": "webhook", "url": url, "only": {"severity": "critical"}},
            ],
        }
    )
    story.crashes()
    story.logs(12)
    story.looks()

    assert {name: counts.taken for name, counts in story.watch.outbox.counts.items()} == {
        "all": 1,
        "pager": 0,
    }


def test_the_status_file_says_what_happened(tell: Callable[..., Story]) -> None:
    story = tell()
    story.logs(12)
    story.looks()
    story.looks(5)
    status = orjson.loads((story.spool / WATCH_NAME).read_bytes())

    assert status["records"] == {
        "evaluated": 12,
        "too_late": 0,
        "dated_now": 0,
        "overflowed": 0,
        "missed": 0,
    }
    assert [alert["rule"] for alert in status["firing"]] == ["errors"]
    assert status["channels"]["hook"]["taken"] == 1
    assert {metric.name for metric in METRICS["watch"]} <= status.keys()


def test_events_of_the_logging_system_itself_are_alerts_and_what_was_before_is_none(
    tell: Callable[..., Story],
) -> None:
    rule = {"kind": "pipeline_event", "name": "loss", "events": ["records_dropped", "spool_full"]}
    story = tell(rules=[rule, {"kind": "error_count", "name": "any", "match": {}, "threshold": 1}])
    status = story.spool / f"status-handler-{'ab' * 16}.json"

    def says(**events: int) -> None:
        status.write_bytes(orjson.dumps({"closed": False, "admitted": 0, "events": events}))

    says(records_dropped=5)
    story.crashes()
    story.looks(5)
    says(records_dropped=5, spool_has_room=1)
    story.looks(5)
    assert story.states() == []

    says(records_dropped=7)
    story.looks(5)
    story.looks(5)
    (body,) = story.receiver.bodies
    assert body["alerts"][0]["labels"] == {"event.action": "records_dropped"}
    assert body["alerts"][0]["summary"] == "2 events; the limit is 1 within 60 s"


def test_a_damaged_state_is_kept_aside_and_alerting_begins_anew(tmp_path: Path) -> None:
    save_state(tmp_path, {"follower": {}})
    data = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(data[:-3] + b"xxx")

    with pytest.raises(StateDamagedError, match=r"kept as state\.damaged"):
        read_state(tmp_path)
    assert read_state(tmp_path) is None


def test_the_state_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    save_state(tmp_path, {"version": VERSION + 1})

    with pytest.raises(StateVersionError):
        read_state(tmp_path)
    assert (tmp_path / NAME).exists()


class Noting:
    """Takes the place of detection, and notes what it is shown."""

    def __init__(self, story: Story) -> None:
        self.detection = FindingDetection(
            story.spool,
            story.folder,
            masked=None,
            is_sealed=False,
            steady=story.time.clocks().boot,
            remark=story.remarks.append,
        )
        story.watch.follower.close()
        story.watch = Watch(
            story.spool,
            story.folder,
            story.alerts,
            codecs=PLAIN_CODECS,
            masked=None,
            wake=lambda: None,
            remark=story.remarks.append,
            clocks=story.time.clocks(),
            findings=self.detection,
        )

    @property
    def unexamined(self) -> int:
        return int(self.detection.status()["unexamined_records"])


def test_a_watch_that_falls_behind_says_so_and_samples_for_detection_but_rules_see_every_record(
    tell: Callable[..., Story],
) -> None:
    """Each look takes half a MiB; while two seconds pass at each, as much more is logged."""
    story = tell(findings={"sample_behind_seconds": 6, "sample_one_in": 5})
    noting = Noting(story)
    logged = 0
    for _ in range(8):
        for _ in range(3):
            story.logs(200, message="x" * 2_000)
            story.logs(100, message="y" * 2_000, level="info")
            logged += 300
        story.time.passed += 2
        story.watch.look()
    behind = story.watch.status()
    for _ in range(100):
        story.watch.look()
    after = story.watch.status()
    page = exposition(SpoolCollector(story.spool, story.spool / "status-shipper.json"))[0].decode()

    assert (behind["behind"], behind["lag_seconds"] >= 6) == (True, True)
    assert behind["events"] == {"watch_behind": 1}
    assert (after["behind"], after["lag_seconds"]) == (False, 0.0)
    assert after["events"] == {"watch_behind": 1, "watch_caught_up": 1}
    assert after["records"]["evaluated"] == after["read_records"] == logged
    # Of the records below error that were read meanwhile, four in five; not one error.
    assert 0 < noting.unexamined <= 0.8 * logged / 3
    assert "logging_system_watch_lag_seconds" in page


def test_with_one_in_one_detection_reads_all_however_far_behind(tell: Callable[..., Story]) -> None:
    story = tell(findings={"sample_behind_seconds": 1, "sample_one_in": 1})
    noting = Noting(story)
    for _ in range(6):
        story.logs(600, message="x" * 2_000, level="info")
        story.time.passed += 2
        story.watch.look()

    assert story.watch.lag.is_behind
    assert noting.unexamined == 0
