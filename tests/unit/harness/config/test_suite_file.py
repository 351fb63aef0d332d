import pytest

from harness.config.suite import Suite, load_suite
from harness.model.errors import ScenarioError

KNOWN = ("no_fault", "black_hole")


def test_a_whole_file_becomes_a_suite(tmp_path):
    path = tmp_path / "quick.yaml"
    path.write_text("version: 1\nname: quick\ntitle: Quick\nscenarios: [black_hole, no_fault]\n")

    assert load_suite(path, KNOWN) == Suite("quick", "Quick", ("black_hole", "no_fault"), str(path))


def test_scenarios_that_not_every_stack_has_the_targets_for_stand_apart(tmp_path):
    path = tmp_path / "quick.yaml"
    text = "version: 1\nname: quick\ntitle: Quick\nscenarios: [no_fault]\nwhere_possible: [{}]\n"
    path.write_text(text.format("black_hole"))

    assert load_suite(path, KNOWN).where_possible == ("black_hole",)

    path.write_text(text.format("black_whole, no_fault"))
    with pytest.raises(ScenarioError) as caught:
        load_suite(path, KNOWN)
    assert str(caught.value).splitlines() == [
        f'{path}:5 where_possible[0]: no scenario "black_whole". Did you mean "black_hole"?',
        f'{path}:5 where_possible[1]: "no_fault" stands here twice. Remove one.',
    ]


def test_all_mistakes_come_at_once(tmp_path):
    path = tmp_path / "quick.yaml"
    path.write_text(
        "version: 1\nname: slow\nscenarios:\n  - black_whole\n  - no_fault\n  - no_fault\n  - 5\n"
    )

    with pytest.raises(ScenarioError) as caught:
        load_suite(path, KNOWN)
    assert str(caught.value).splitlines() == [
        f"{path}:1 title: is missing. Add one line that a report can show.",
        f'{path}:2 name: must be "quick" as the file is called, not "slow". Change one of them.',
        f'{path}:4 scenarios[0]: no scenario "black_whole". Did you mean "black_hole"?',
        f'{path}:6 scenarios[2]: "no_fault" stands here twice. Remove one.',
        f"{path}:7 scenarios[3]: must be text, not 5. Put it in quotes.",
    ]


def test_a_suite_may_list_nothing_which_is_for_a_run_to_refuse(tmp_path):
    path = tmp_path / "quick.yaml"
    path.write_text("version: 1\nname: quick\ntitle: Quick\nscenarios: []\n")

    assert load_suite(path, KNOWN).scenarios == ()
