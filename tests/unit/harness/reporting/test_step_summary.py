from __future__ import annotations

from harness.reporting.markdown import MarkdownReport
from harness.reporting.step_summary import fitted
from tests.unit.harness.reporting.example_result import vetoed_result


def test_what_fits_stays_whole():
    assert fitted("# PASS\n", 7, "scorecard.md") == "# PASS\n"


def test_what_does_not_fit_is_cut_before_a_section_with_a_word():
    text = MarkdownReport().text(vetoed_result())
    cut = fitted(text, len(text.encode()) - 1, "scorecard.md")
    head, _, word = cut.partition("\n\n*The summary is cut here: ")

    assert text.startswith(head)
    assert head.count("<details") == head.count("</details>")
    assert word.endswith(f" of {len(text.encode()):,} bytes are shown. scorecard.md has all of it.*\n")


def test_however_little_room_there_is_it_is_kept_to_and_no_character_is_torn():
    text = "é" * 500 + "\n" + "ü" * 500
    for room in range(0, len(text.encode()), 7):
        assert len(fitted(text, room, "scorecard.md").encode()) <= room
