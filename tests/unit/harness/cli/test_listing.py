"""`logquake list`: the overview, one kind, one part."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from harness.cli.listing import listing
from harness.config.part_signature import signature_of
from harness.config.parts import FAMILIES
from harness.model.errors import ScenarioError


def said(*words: str) -> str:
    finished = CliRunner().invoke(listing, words, catch_exceptions=False)
    assert finished.exit_code == 0
    return finished.output


def test_the_overview_names_every_kind_and_how_to_see_arguments():
    text = said()

    for heading in ("Scenarios", "Suites", "Stacks", "Backends", "Faults", "Schedules", "Loads", "Intakes",
                    "Archives", "Counters", "Checks"):  # fmt: skip
        assert f"\n{heading}\n" in text
    assert "Arguments: logquake list KIND, where KIND is backends, faults, schedules, loads," in text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.noun)
def test_a_kind_shows_every_part_with_every_argument(family):
    text = said(family.plural)

    assert text == said(family.noun)
    for word, kind in family.kinds.items():
        shown = text.partition(f"\n{word}  {kind.summary}\n")[2]
        for argument in signature_of(family.resolve(word)).arguments.values():
            assert f"  {argument.name} " in shown
            assert argument.meaning in shown


def test_a_name_shows_that_part_alone():
    assert said("schedule", "steady") == (
        "\nsteady  a constant rate\n"
        "  rate_per_second  number; default 100\n"
        "                     records per second, of all producers together.\n"
    )


def test_a_part_of_ones_own_is_shown_by_its_dotted_path():
    text = said("fault", "harness.faults.spike:Spike")

    assert "rate_per_second_min  number; required" in text


def test_files_and_backends_have_no_arguments():
    assert "latency" in said("scenarios")
    assert said("backend", "local").startswith("\nlocal  the real Elasticsearch")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("falts",), 'no kind "falts". Did you mean "faults"?'),
        (("faults", "latncy"), 'no fault "latncy". Did you mean "latency"?'),
        (("scenarios", "latency"), "scenarios are files and have no arguments. Run: logquake list scenarios"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(words, problem):
    with pytest.raises(ScenarioError) as caught:
        said(*words)

    assert str(caught.value) == problem
