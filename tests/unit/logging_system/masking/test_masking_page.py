"""The reference page is what the rules make of it."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from logging_system.config.reference import masking_page
from logging_system.masking.reference import tables
from logging_system.masking.rules import FAMILIES, RULES
from tests.repository import DOCS

PAGE = (DOCS / "reference" / "masking.md").read_text()


def test_the_page_is_what_the_rules_make_of_it() -> None:
    assert masking_page(PAGE) == PAGE, "run `make schemas`"


def test_every_rule_has_a_row_of_four_cells() -> None:
    rendered = MarkdownIt().enable("table").render(tables())

    assert rendered.count("<tr>") == len(RULES) + len(FAMILIES)
    assert rendered.count("<td>") == 4 * len(RULES)


def test_a_page_without_a_place_for_the_tables_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="put them where the tables belong"):
        masking_page("# Masking\n")
