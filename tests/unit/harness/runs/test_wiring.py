"""What a stack file asks for is made into parts that know what logquake itself has written."""

import json

import pytest

from harness.config.stack import load_stack
from harness.evidence.lines import stamp
from harness.evidence.readback import Outlets
from harness.model.declarations import Part
from harness.model.protocols import LoadSpec
from harness.runs.wiring import outlets

RUN = "20260101-000000-abcd-01"
SENT = [stamp(f"order {n} was paid", RUN, n) for n in range(6)]
STACK = """
version: 1
name: collected
intake: {kind: log_file, path: "{run.folder}/logs/app.log", rotation: copytruncate, rotate_seconds: 2}
acknowledged_by: return
archive: {kind: file, path: "{run.folder}/out/*.ndjson"}
dead_letters: {kind: file, path: "{run.folder}/dead.ndjson", field: document.message}
"""


def slips(folder, files):
    """Return what is told of a stack whose files, below its folder, hold these records."""
    (folder / "collected.yaml").write_text(STACK)
    stack = load_stack(folder / "collected.yaml")
    for name, sequences in files.items():
        path = folder / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps({"message": SENT[n]}) + "\n" for n in sequences))
    path = str(folder / "run" / "logs" / "app.log")
    intake = Part("log_file", {"path": path, "rotation": "copytruncate", "rotate_seconds": 2})
    load = LoadSpec(RUN, 1, [0] * len(SENT), 1, "", "return", intake, 1, probes=0)
    values = {"run.folder": str(folder / "run"), "run.id": RUN, "run.name": "a-run"}
    spec = outlets(stack, values, load, SENT.__getitem__, lambda: frozenset(range(len(SENT))))
    read = Outlets(spec)
    return list(read.slips(read.read()))


@pytest.mark.parametrize("unread", ["logs/app.log", "logs/app.log.1"])
def test_a_log_file_that_was_never_shipped_is_a_loss_and_no_misplaced_dead_letters(tmp_path, unread):
    assert slips(tmp_path, {"out/a.ndjson": [0, 1, 2], unread: [3, 4, 5]}) == []


def test_a_log_file_is_not_the_archive_of_a_stack_that_stored_nothing(tmp_path):
    assert slips(tmp_path, {"logs/app.log": [0, 1, 2, 3], "logs/app.log.12": [4, 5]}) == []


def test_dead_letters_under_another_name_are_still_found_beside_a_log_file(tmp_path):
    files = {"out/a.ndjson": [0, 1, 2], "logs/app.log": [0, 1, 2, 3], "letters.ndjson": [3]}

    (told,) = slips(tmp_path, files)

    assert "write `path: {run.folder}/letters.ndjson`" in told
