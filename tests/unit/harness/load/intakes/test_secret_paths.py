"""A canary enters by the path that its record says, and the line that is stored is the record's line."""

import logging

import orjson
import pytest

from harness.evidence.lines import GeneratedLines, stamp
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.secrets.planting import IN_LINE, INTERVAL, PlantedLines
from harness.load.intakes.http import Http
from harness.load.intakes.log_file import LogFile
from harness.load.intakes.python_logging import PythonLogging
from harness.load.intakes.syslog import Syslog
from harness.model.protocols import ARGUMENT, EXCEPTION, EXTRA, MESSAGE, URL, Record


class Keeps(logging.Handler):
    """Keeps what it is given."""

    kept: list[logging.LogRecord] = []  # noqa: RUF012 - the intake makes the handler itself

    def emit(self, record):
        self.kept.append(record)


def records(path, kinds=tuple(KINDS)):
    lines = PlantedLines(GeneratedLines(1), 1, "run-1", kinds, (path,))
    for sequence in range(0, INTERVAL * 2 * len(kinds), INTERVAL):
        line = stamp(lines.text(sequence), "run-1", sequence)
        planted = lines.planted(sequence)
        assert planted is not None
        yield Record(sequence, line, secret=lines.secret(sequence)), planted.canary


@pytest.mark.parametrize("path", PythonLogging.secret_paths({}))
def test_a_log_call_brings_the_canary_by_its_path_and_formats_to_the_line(path):
    intake = PythonLogging(f"{__name__}:Keeps")
    intake.open(lambda _: None)
    Keeps.kept.clear()
    sent = list(records(path))
    for record, _ in sent:
        intake.send(record)
    intake.close()

    for (record, canary), logged in zip(sent, Keeps.kept, strict=True):
        context = repr(logged.__dict__.get("context", ""))
        raised = logged.exc_info[1] if logged.exc_info else None
        error = repr(None if raised is None else raised.__cause__)
        assert logged.getMessage() == record.line
        assert bool(logged.args) is (path == ARGUMENT)
        assert (canary.masked in record.line) is (path in IN_LINE)
        for secret in canary.secrets[:1]:
            shown = repr(secret)[1:-1]
            assert (shown in context) is (path == EXTRA), canary.kind
            assert (shown in error) is (path == EXCEPTION)


def test_the_whole_secret_is_in_no_argument_of_every_other_record():
    halves = [record.secret for record, _ in records(ARGUMENT, ("jwt",))]

    assert halves[0].from_character < halves[1].from_character


@pytest.mark.parametrize(
    ("intake", "arguments", "paths"),
    [
        (Http, {}, {MESSAGE, EXTRA, URL}),
        (Http, {"template": '{"m": "$line"}'}, {MESSAGE, URL}),
        (LogFile, {}, {MESSAGE, EXTRA, URL}),
        (LogFile, {"format": "plain"}, {MESSAGE, URL}),
        (Syslog, {}, {MESSAGE, URL}),
        (Syslog, {"body": "json"}, {MESSAGE, EXTRA, URL}),
    ],
)
def test_an_intake_has_a_field_for_it_only_where_the_document_is_ours(intake, arguments, paths):
    assert set(intake.secret_paths(arguments)) == paths


def test_a_document_of_a_log_file_brings_it_beside_the_line(tmp_path):
    intake = LogFile(str(tmp_path / "app.log"))
    intake.open(lambda _: None)
    record, canary = next(records(EXTRA, ("cookie",)))
    intake.send(record)
    intake.close()

    document = orjson.loads((tmp_path / "app.log").read_bytes())
    assert document["message"] == record.line
    assert document["context"]["request"]["headers"][1] == {"Cookie": canary.masked}
