"""Real runs of stacks with one slip each: the result leads its owner to the key, or to the reconnect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.system.machine import Machine

HANDLERS = '''\
import http.client, json, logging
from urllib.parse import urlsplit

class ResendsOnceOnANewConnection(logging.Handler):
    """Posts each record; takes its connection for lost once, and sends that record again over another."""

    def __init__(self, url, index):
        super().__init__()
        self.store, self.index = urlsplit(url).netloc, index
        self.connection = http.client.HTTPConnection(self.store, timeout=5)

    def emit(self, record):
        self.post(record)
        if record.__dict__["sequence"] == 60:
            self.connection.close()
            self.connection = http.client.HTTPConnection(self.store, timeout=5)
            self.post(record)

    def post(self, record):
        body = json.dumps({"message": record.getMessage()})
        headers = {"Content-Type": "application/json"}
        self.connection.request("POST", f"/{self.index}/_doc", body, headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise OSError(f"answered {answer.status}")
'''
RESENDING = """\
version: 1
name: mine
needs: [elasticsearch]
links: {to_store: elasticsearch}
intake:
  kind: python_logging
  handler: "slip_handlers:ResendsOnceOnANewConnection"
  url: "{to_store.url}"
  index: "logs-{run.id}"
acknowledged_by: return
archive: {kind: elasticsearch, url: "{elasticsearch.url}", index: "logs-{run.id}"}
promises: {durability: memory, copies_max: 1}
"""
WRONG_FORMAT = """\
version: 1
name: mine
intake: {kind: python_logging, handler: "logging:FileHandler", filename: "{run.folder}/app.log"}
acknowledged_by: return
archive: {kind: file, path: "{run.folder}/app.log", format: ndjson}
promises: {durability: memory, copies_max: 1}
"""
SCENARIO = """\
version: 1
name: moment
title: A moment of sending
hypothesis: What is sent is stored once.
schedule: {kind: steady, rate_per_second: 50}
producers: 1
sending_seconds: 3
drain_seconds: 5
liveness_seconds: 3
checks: [acknowledged_lost, duplicated, corrupted]
"""


def run(machine: Machine, folder: Path, stack: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, what was said, and the result of the one scenario."""
    project = folder / "project"
    project.mkdir()
    (project / "slip_handlers.py").write_text(HANDLERS)
    (project / "mine.yaml").write_text(stack)
    (project / "moment.yaml").write_text(SCENARIO)
    code, out, err = machine.call(
        "run", project / "moment.yaml", "--stack", project / "mine.yaml", "--out", machine.reports
    )
    return code, out + err, machine.result()["scenarios"][0]


def test_a_wrong_archive_format_is_an_error_that_names_the_key(machine: Machine, tmp_path: Path) -> None:
    code, said, scenario = run(machine, tmp_path, WRONG_FORMAT)

    assert code not in (0, 1)
    assert scenario["status"] == "ERROR"
    assert "archive.format" in said
    assert "multiline" in said or "lines" in said


def test_the_counterexample_of_a_duplicate_names_the_reconnect_before_it(
    machine: Machine, tmp_path: Path
) -> None:
    code, said, scenario = run(machine, tmp_path, RESENDING)
    duplicated = next(each for each in scenario["verdicts"] if each["objective"] == "duplicated")
    counterexample = " ".join(duplicated["counterexample"])

    assert (code, duplicated["status"], duplicated["value"]) == (1, "FAIL", 1)
    assert "A new connection over to_store was opened" in counterexample
    assert "while no fault was on" in counterexample
    assert "A new connection over to_store was opened" in said
