"""What Locust is refused before anything starts, and what its workers are called."""

from dataclasses import replace

import pytest

from harness.load.locust.load import LocustLoad
from harness.model.declarations import Part
from harness.model.errors import ScenarioError
from tests.unit.harness.literal_history import scenario

HTTP = Part("http", {"url": "http://127.0.0.1:1/"})


def driven(**arguments):
    return replace(scenario(), load=Part("locust", arguments))


@pytest.mark.parametrize(
    ("arguments", "intake", "said"),
    [
        ({}, Part("python_logging"), "driven in the application process; use kind hosted"),
        ({}, Part("smoke_signals"), 'posts to an http intake, not to "smoke_signals"'),
        ({"users": 2, "workers": 3}, HTTP, "3 are more than the 2 users that they host; raise users"),
        ({"users": -1}, HTTP, "users: -1 is not within 1 and 1000"),
        ({"workers": 0}, HTTP, "workers: 0 is not within 1 and 32"),
        ({"file": "mine.py"}, HTTP, 'no Locust file "mine.py" lies in .*; write its whole path'),
    ],
)
def test_what_locust_cannot_drive_is_refused_with_a_remedy(arguments, intake, said, tmp_path):
    with pytest.raises(ScenarioError, match=said):
        LocustLoad.require(driven(**arguments), intake, [tmp_path])


def test_an_http_intake_is_taken_and_a_file_beside_the_stack_with_a_digest_of_what_it_holds(tmp_path):
    (tmp_path / "mine.py").write_text("import locust\nclass Mine(locust.User):\n    tasks = [print]\n")

    digest = LocustLoad.require(driven(users=8, workers=2, file="mine.py"), HTTP, [tmp_path])
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text() + "# changed\n")

    assert digest
    assert LocustLoad.require(driven(file="mine.py"), HTTP, [tmp_path]) != digest
    assert LocustLoad.require(driven(), HTTP, [tmp_path]) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_like_it", r"mine\.py: importing it fails: ModuleNotFoundError: .*nothing_like_it"),
        ("def (", r"importing it fails: SyntaxError: .*mine\.py, line 1"),
        ("raise SystemExit(3)", r"importing it fails: SystemExit: 3 .*mine\.py:1"),
        ("import os; os._exit(3)", "mine.py: exit code 3"),
        ("", "it has no user; write a class of locust.User"),
    ],
)
def test_a_locust_file_that_cannot_be_used_is_refused_before_anything_starts(text, said, tmp_path):
    (tmp_path / "mine.py").write_text(text)

    with pytest.raises(ScenarioError, match=said):
        LocustLoad.require(driven(file="mine.py"), HTTP, [tmp_path])


def test_workers_are_targets_of_their_own():
    assert LocustLoad.target_names(Part("locust", {"workers": 2})) == ["load.worker-1", "load.worker-2"]
