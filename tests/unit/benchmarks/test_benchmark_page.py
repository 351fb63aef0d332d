import pytest

from tests.benchmarks.page import markdown_table, put, write

PAGE = """# Figures

By hand, before.

<!-- generated: spool -->

old

<!-- end of spool -->

By hand, after.
"""


def test_a_part_is_replaced_and_what_is_around_it_stays():
    text = put(PAGE, "spool", "new")

    assert text == PAGE.replace("old", "new")


def test_replacing_twice_is_replacing_once():
    assert put(put(PAGE, "spool", "new"), "spool", "new") == put(PAGE, "spool", "new")


def test_a_body_with_backslashes_is_taken_as_it_is():
    assert r"\1 \g<0>" in put(PAGE, "spool", r"\1 \g<0>")


def test_a_part_that_the_page_lacks_comes_at_its_end_and_is_found_again():
    once = put(PAGE, "gateway", "first")
    twice = put(once, "gateway", "second")

    assert once.startswith(PAGE.rstrip())
    assert "first" not in twice
    assert twice == once.replace("first", "second")


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace("<!-- end of spool -->", ""),
        PAGE.replace("<!-- generated: spool -->", ""),
        PAGE + PAGE,
        "<!-- end of spool -->\n<!-- generated: spool -->\n",
    ],
)
def test_a_page_whose_markers_are_damaged_is_refused(page):
    with pytest.raises(ValueError, match="by hand"):
        put(page, "spool", "new")


def test_a_body_that_holds_a_marker_is_refused():
    with pytest.raises(ValueError, match="holds a marker"):
        put(PAGE, "spool", "<!-- end of spool -->")


def test_a_page_stays_as_it_was_when_one_of_its_parts_is_refused(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE)

    with pytest.raises(ValueError, match="holds a marker"):
        write(path, {"spool": "new", "gateway": "<!-- generated: x -->"})
    assert path.read_text() == PAGE


def test_a_table_has_a_rule_under_its_head():
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
