"""The application, its control and the oracle as real processes over real slot files."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from harness.evidence.history import HISTORY_BYTES_MAX, read_history
from harness.evidence.lines import GeneratedLines, digest, identity, stamp
from harness.load.hosted import HostedLoad
from harness.model.declarations import APPLICATION, LOAD, Part
from harness.model.errors import StackError
from harness.model.facts import (
    DESCRIPTORS,
    MEMORY_MIB,
    Acknowledged,
    Answered,
    ControlCall,
    Due,
    Event,
    Refused,
    Sent,
)
from harness.model.protocols import LoadSpec
from harness.processes.clock import SystemClock
from harness.targets.capabilities import Surging
from logging_system.spool.segment import list_segments

pytestmark = pytest.mark.alone

RUN = "load-test-01"
MS = 1_000_000


def _spec(handler: str, *, count: int = 60, acknowledged_by: str = "return", **arguments: str) -> LoadSpec:
    return LoadSpec(
        run_id=RUN,
        seed=3,
        offsets_ns=[n * 10 * MS for n in range(count)],
        producers=3,
        input_path="",
        acknowledged_by=acknowledged_by,
        intake=Part("python_logging", {"handler": f"tests.system.handlers:{handler}", **arguments}),
        history_bytes_max=HISTORY_BYTES_MAX,
    )


class Stage:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "load"
        self.history = folder / "history"
        self.folder.mkdir()
        self.history.mkdir()
        self.load: HostedLoad | None = None

    def start(self, spec: LoadSpec) -> HostedLoad:
        self.load = HostedLoad(spec, self.folder, self.history, SystemClock())
        self.load.start()
        self.load.wait_ready(30)
        return self.load

    def facts(self, kind: type[Event]) -> list[Event]:
        return [event for event in read_history(self.history) if isinstance(event, kind)]


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    if made.load is not None:
        made.load.stop()


def _begin(load: HostedLoad) -> int:
    began_ns = time.monotonic_ns() + 200 * MS
    load.begin(began_ns)
    return began_ns


def _wait_for(condition, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def test_every_record_due_is_sent_in_time_and_noted_by_the_oracle(stage):
    load = stage.start(_spec("Quick"))
    began_ns = _begin(load)
    _wait_for(lambda: load.tally().answered == 60)
    load.finish()

    due = {fact.sequence: fact for fact in stage.facts(Due)}
    sent = {fact.sequence: fact for fact in stage.facts(Sent)}
    assert sorted(due) == sorted(sent) == list(range(60))
    assert all(due[n].at_ns == began_ns + n * 10 * MS for n in due)
    assert all(sent[n].at_ns >= due[n].at_ns for n in due)
    assert [due[n].producer for n in range(6)] == [0, 1, 2, 0, 1, 2]
    assert due[7].digest == digest(stamp(GeneratedLines(3).text(7), RUN, 7))
    assert len(stage.facts(Acknowledged)) == len(stage.facts(Answered)) == 60


def test_the_control_makes_the_same_calls_beside_it(stage):
    load = stage.start(_spec("Quick"))
    _begin(load)
    _wait_for(lambda: load.tally().answered == 60)
    load.finish()

    assert len(stage.facts(ControlCall)) == 60


def test_a_call_that_raises_is_a_refusal_and_no_acknowledgement(stage):
    load = stage.start(_spec("RaisesOnOdd"))
    _begin(load)
    _wait_for(lambda: load.tally().answered + load.tally().refused == 60)
    load.finish()

    assert {fact.sequence % 2 for fact in stage.facts(Refused)} == {1}
    assert {fact.sequence % 2 for fact in stage.facts(Acknowledged)} == {0}


def test_with_a_callback_only_the_records_it_names_are_acknowledged(stage):
    load = stage.start(_spec("TellsOfEveryThird", acknowledged_by="callback"))
    _begin(load)
    _wait_for(lambda: load.tally().answered == 60)
    load.finish()

    assert load.owed() == frozenset(range(0, 60, 3))
    assert {fact.sequence for fact in stage.facts(Acknowledged)} == set(range(0, 60, 3))


def test_a_slow_call_delays_its_own_producer_only_and_drops_no_record(stage):
    load = stage.start(_spec("SlowOnZero"))
    _begin(load)
    _wait_for(lambda: load.tally().answered == 60, seconds=40)
    load.finish()

    due = {fact.sequence: fact.at_ns for fact in stage.facts(Due)}
    sent = {fact.sequence: fact.at_ns for fact in stage.facts(Sent)}
    (slow,) = [fact.at_ns for fact in stage.facts(Answered) if fact.sequence == 0]
    assert sent[3] - due[3] > 300 * MS
    assert sent[1] < slow <= sent[3]


def test_acknowledgements_survive_the_applications_sigkill_and_its_restart_repeats_no_call(stage):
    load = stage.start(_spec("Quick", count=200))
    _begin(load)
    _wait_for(lambda: load.tally().answered >= 40)
    application = load.targets()[APPLICATION]
    application.kill()
    owed_at_death = load.owed()
    application.restart()
    _wait_for(lambda: load.tally().sent == 200)
    load.finish()

    assert owed_at_death <= load.owed()
    sent = [fact.sequence for fact in stage.facts(Sent)]
    assert sorted(sent) == list(range(200))


def test_what_the_spool_acknowledged_survives_the_kill_and_the_new_process_opens_an_epoch_of_its_own(
    stage, tmp_path
):
    spool = tmp_path / "spool"
    spec = _spec("", count=200, acknowledged_by="callback")
    arguments = {"handler": "logging_system.handler:SpoolHandler", "spool": str(spool), "service": "test"}
    load = stage.start(replace(spec, intake=Part("python_logging", arguments)))
    _begin(load)
    _wait_for(lambda: len(load.owed()) >= 40)
    application = load.targets()[APPLICATION]
    application.kill()
    owed_at_death, epochs_at_death = load.owed(), set(list_segments(spool))
    held = b"".join(path.read_bytes() for path in sorted(spool.glob("*.open")))
    application.restart()
    # A record in the handler's queue at the kill was never acknowledged and is not sent again.
    _wait_for(lambda: load.tally().sent == 200)
    load.finish()

    assert all(identity(RUN, sequence).encode() in held for sequence in owed_at_death)
    assert len(epochs_at_death) == 1
    assert len(set(list_segments(spool)) - epochs_at_death) == 1


def test_a_frozen_application_makes_no_call_until_it_is_let_go_on(stage):
    load = stage.start(_spec("Quick", count=200))
    _begin(load)
    _wait_for(lambda: load.tally().answered >= 20)
    application = load.targets()[APPLICATION]
    application.pause()
    stood = application.paused()
    owed = load.owed()
    _wait_for(lambda: load.tally().due == 200)
    owed_later = load.owed()
    application.resume()
    _wait_for(lambda: load.tally().answered == 200)
    load.finish()

    assert stood
    assert owed_later == owed


def test_the_load_tells_how_many_calls_have_begun(stage):
    load = stage.start(_spec("Quick"))
    watched = load.targets()[LOAD]
    before = watched.sent()
    _begin(load)
    _wait_for(lambda: load.tally().answered == 60)

    assert isinstance(watched, Surging)
    assert before == 0
    assert watched.sent() == 60


def test_probes_are_sent_when_asked_for(stage):
    load = stage.start(_spec("Quick", count=3))
    _begin(load)
    _wait_for(lambda: load.tally().answered == 3)
    probes = set(load.probe(time.monotonic_ns()))
    _wait_for(lambda: probes <= load.owed())
    load.finish()

    assert {fact.sequence for fact in stage.facts(Answered)} == set(range(3)) | probes


def test_an_application_stuck_in_a_call_is_ended_all_the_same(stage):
    load = stage.start(_spec("NeverReturns", count=3))
    _begin(load)
    _wait_for(lambda: load.tally().sent == 3)
    load.finish()

    assert load.tally().answered == 0


def test_the_applications_exit_is_measured(stage):
    load = stage.start(_spec("SlowToClose", count=3))
    _begin(load)
    _wait_for(lambda: load.tally().answered == 3)

    exit_seconds = load.finish()

    assert exit_seconds is not None
    assert exit_seconds >= 1.0


def test_an_application_that_is_gone_already_has_no_exit_time(stage):
    load = stage.start(_spec("Quick", count=3))
    _begin(load)
    _wait_for(lambda: load.tally().answered == 3)
    load.targets()[APPLICATION].kill()

    assert load.finish() is None


def test_what_the_application_and_its_control_take_up_is_seen(stage):
    load = stage.start(_spec("Quick", count=3))

    used = load.usage()

    assert {f"{MEMORY_MIB}.application", f"{MEMORY_MIB}.control", f"{DESCRIPTORS}.application"} <= set(used)
    assert all(value > 0 for value in used.values())


@pytest.mark.parametrize(
    ("handler", "said"), [("Missing", "has no"), ("NotAHandler", "not a logging.Handler")]
)
def test_an_unusable_handler_is_an_error_with_its_name(stage, handler, said):
    with pytest.raises(StackError, match=said):
        stage.start(_spec(handler))


def _to(url: str, count: int, **arguments: int) -> LoadSpec:
    intake = Part("http", {"url": url, **arguments})
    return replace(_spec("Quick", count=count, acknowledged_by="http_2xx"), intake=intake)


class _Slow(BaseHTTPRequestHandler):
    """Takes 50 ms an answer, and refuses every second request."""

    protocol_version = "HTTP/1.1"
    lines: ClassVar[list[int]] = []

    def do_POST(self):
        self.lines.append(self.rfile.read(int(self.headers["Content-Length"])).count(b"\n"))
        time.sleep(0.05)
        self.send_response(200 if len(self.lines) % 2 else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


def test_records_due_already_share_a_request_and_its_answer(stage):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        spec = _to(f"http://127.0.0.1:{server.server_port}/", 60, records_per_request=4)
        load = stage.start(replace(spec, producers=1))
        _begin(load)
        _wait_for(lambda: load.tally().answered + load.tally().refused == 60)
        load.finish()
        server.shutdown()

    assert sum(_Slow.lines) == 60
    assert _Slow.lines[0] == 1
    assert max(_Slow.lines) == 4
    assert len(stage.facts(Answered)) == sum(_Slow.lines[::2])
    assert len(stage.facts(Refused)) == sum(_Slow.lines[1::2])
