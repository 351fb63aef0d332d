"""A stack that never uses the link that is hurt is not judged; one whose connection died of the fault is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.config.scenario import load_scenario
from harness.judging.gate_rules import GateRules
from harness.model.declarations import Part, Scalar, Stack
from harness.model.protocols import Status
from harness.model.result import ScenarioResult
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun
from harness.selftest.examination import scenario_path
from harness.selftest.stacks import HONEST, Case

HONEST_STACK = Case("honest", "none", HONEST, "short_outage").stack()
SENDING_SECONDS, RATE_PER_SECOND = 3.5, 60
FAULT_AT_SECONDS, FAULT_SECONDS = 1.5, 1.2
# Its first batch is due in the middle of the fault, and nobody sends another one.
SENDER = """
import logging, threading, time, urllib.request

class DiesOfTheFirstReset(logging.Handler):
    def __init__(self, url, seconds):
        super().__init__()
        self.url, self.seconds, self.waiting = url, seconds, []
        self.began = None

    def emit(self, record):
        if self.began is None:
            self.began = time.monotonic()
            threading.Thread(target=self.send, daemon=True).start()
        self.waiting.append(record.getMessage())

    def send(self):
        time.sleep(self.seconds)
        body = "\\n".join(self.waiting).encode()
        urllib.request.urlopen(self.url + "/lines/_doc", body, timeout=1)
"""


def judged(intake: Part, out: Path) -> ScenarioResult:
    """Run a few seconds with resets on the link, and return what was judged."""
    scenario = load_scenario(scenario_path("short_outage"))
    (step, *_) = scenario.steps
    step = replace(
        step,
        fault="connection_reset",
        target="to_store",
        arguments={},
        at_seconds=FAULT_AT_SECONDS,
        for_seconds=FAULT_SECONDS,
    )
    scenario = replace(
        scenario,
        schedule=Part("steady", {"rate_per_second": RATE_PER_SECOND}),
        sending_seconds=SENDING_SECONDS,
        steps=(step,),
        checks=(Part("acknowledged_lost"),),
        drain_seconds=1.0,
        liveness_seconds=1.0,
        recovery_seconds=1.0,
    )
    stack: Stack = replace(
        HONEST_STACK,
        intake=intake,
        acknowledged_by="return",
        counters=None,
        dead_letters=None,
        processes=(),
        files={},
    )
    request = Request(
        suite="unreached",
        scenarios=(scenario,),
        stack=stack,
        backend="embedded",
        seed=1,
        input_path=None,
        out=out,
        command="",
        gate=GateRules(),
        max_minutes=None,
        today=datetime.now(UTC).date(),
        repeats_max=0,
        code_folders=(out,),
    )
    result, ended_by = SuiteRun(make_plan(request), request, lambda: 0, lambda _: None).run()
    assert ended_by is None
    (outcome,) = result.scenarios
    return outcome


def test_a_handler_that_sends_nothing_is_an_error_that_names_the_address(tmp_path):
    outcome = judged(Part("python_logging", {"handler": "logging:NullHandler"}), tmp_path)

    assert outcome.status is Status.ERROR, outcome.remarks
    assert outcome.remarks[0].startswith("Nothing but logquake connected to to_store")
    assert "{to_store.url}" in outcome.remarks[0]
    assert outcome.tally.acknowledged > SENDING_SECONDS * RATE_PER_SECOND / 2


def test_a_handler_whose_only_batch_died_of_the_fault_has_lost_everything(tmp_path):
    (tmp_path / "only_batch.py").write_text(SENDER)
    handler: dict[str, Scalar] = {
        "handler": "only_batch:DiesOfTheFirstReset",
        "url": "{to_store.url}",
        "seconds": 2.0,
    }
    outcome = judged(Part("python_logging", handler), tmp_path)
    (verdict,) = outcome.verdicts

    assert verdict.status is Status.FAIL, outcome.remarks
    assert verdict.vetoes == ("acknowledged loss",)
    assert verdict.value == outcome.tally.acknowledged
