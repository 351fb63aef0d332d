"""The committed example is a real one: read, drawn again, and without a word about the machine's folders."""

import re

import pytest

from harness.reporting import REPORTS
from harness.reporting.result_json import read_result
from tests.repository import REPOSITORY

EXAMPLE = REPOSITORY / "reports" / "example"
BYTES_MAX = 300_000


@pytest.mark.parametrize("word", ["html", "markdown"])
def test_the_example_is_what_its_result_gives_today(word):
    report = REPORTS.resolve(word)()
    committed = (EXAMPLE / report.file_name).read_text(encoding="utf-8")

    assert report.text(read_result(EXAMPLE / "result.json")) == committed, "run `make example` and commit it"


@pytest.mark.parametrize(
    "path", [*sorted(EXAMPLE.iterdir()), REPOSITORY / "docs" / "images" / "scorecard.png"]
)
def test_what_is_committed_is_small(path):
    assert path.stat().st_size <= BYTES_MAX


@pytest.mark.parametrize("path", sorted(EXAMPLE.iterdir()), ids=lambda path: path.name)
def test_the_example_names_no_folder_of_a_machine(path):
    assert re.findall(r"/(?:tmp|home|root|Users|var|work)/", path.read_text(encoding="utf-8")) == []
