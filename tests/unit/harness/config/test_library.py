from pathlib import Path

import pytest

from harness.config.library import Library, Shelf, Sort, open_library, shipped_folder
from harness.model.errors import ScenarioError


def put(folder: Path, name: str, title: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(f"version: 1\nname: {name}\ntitle: {title}\n")
    return path


@pytest.fixture
def library(tmp_path):
    put(tmp_path / "own", "outage", "Ours")
    put(tmp_path / "own" / "stacks", "mine", "My stack")
    put(tmp_path / "shipped", "outage", "Theirs")
    put(tmp_path / "shipped", "black_hole", "Silence")
    put(tmp_path / "shipped" / "suites", "default", "The default")
    return Library((Shelf(tmp_path / "own", "this project"), Shelf(tmp_path / "shipped", "shipped")))


def test_a_projects_own_file_hides_its_shipped_namesake(library, tmp_path):
    entry = library.find(Sort.SCENARIO, "outage")

    assert (entry.path, entry.title, entry.origin) == (tmp_path / "own/outage.yaml", "Ours", "this project")


def test_a_shipped_file_is_found_and_says_so(library):
    assert library.find(Sort.SCENARIO, "black_hole").origin == "shipped"
    assert library.find(Sort.SUITE, "default").title == "The default"
    assert library.find(Sort.STACK, "mine").title == "My stack"


def test_all_are_listed_by_name_each_once(library):
    found = [(entry.name, entry.title) for entry in library.entries(Sort.SCENARIO)]

    assert found == [("black_hole", "Silence"), ("outage", "Ours")]
    assert library.names(Sort.SCENARIO) == ("black_hole", "outage")


def test_a_projects_own_stacks_are_those_that_are_not_shipped(library, tmp_path):
    assert library.own_names(Sort.STACK) == ("mine",)
    assert library.own_names(Sort.SCENARIO) == ()  # `outage` is shipped, too
    assert Library(library.shelves[1:]).own_names(Sort.SUITE) == ()


def test_an_unknown_name_suggests_the_nearest_and_says_where_it_looked(library, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        library.find(Sort.SCENARIO, "black_whole")
    assert str(caught.value) == (
        'no scenario "black_whole". Did you mean "black_hole"? '
        f"Looked in {tmp_path}/own and {tmp_path}/shipped. All of them: logquake list scenarios."
    )


def test_a_name_in_other_letters_suggests_the_one_that_is_meant(library):
    with pytest.raises(ScenarioError, match=r'no scenario "BLACK_HOLE"\. Did you mean "black_hole"\?'):
        library.find(Sort.SCENARIO, "BLACK_HOLE")


def test_a_path_is_taken_as_it_is(library, tmp_path):
    path = put(tmp_path / "elsewhere", "odd", "Odd")

    assert library.find(Sort.SCENARIO, str(path)).title == "Odd"


def test_a_path_that_leads_nowhere_says_so(library):
    assert "nowhere.yaml: no such file" in library.find(Sort.SCENARIO, "nowhere.yaml").problem


def test_a_broken_file_is_listed_with_its_problem(library, tmp_path):
    (tmp_path / "own" / "broken.yaml").write_text("a: [")
    entry = library.entries(Sort.SCENARIO)[1]

    assert entry.name == "broken"
    assert "broken.yaml:1: is not valid YAML" in entry.problem


def test_a_folder_without_files_of_its_own_offers_the_shipped_ones(tmp_path):
    library = open_library(tmp_path)

    assert [shelf.folder for shelf in library.shelves] == [shipped_folder()]
    assert "no_fault" in library.names(Sort.SCENARIO)


def test_a_source_checkouts_own_folder_is_searched_once():
    library = open_library(shipped_folder().parent)

    assert [shelf.origin for shelf in library.shelves] == ["this project"]
