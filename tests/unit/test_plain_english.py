"""Pages and scenarios avoid phrases that a reader with English as a second language cannot follow."""

from __future__ import annotations

import re

import pytest

from tests.repository import REPOSITORY

UNWANTED = {
    r"\bno more[,.;]": "say what stopped: `the process has ended`",
    r"\b(?:gave|give|gives) way\b": "say what was deleted, and by which setting",
    r"\btold apart\b": "say how the two differ",
    r"\bwhose company\b": "name what is beside it",
    r"\bin good order\b": "the term is `clean shutdown`",
    r"\b(?:is|are|was|were) met with\b": "say what happened",
    r"\bnobody (?:can|could)\b": "say what is unknown or impossible",
    r"(?<![\d,.])0 of [\d,]+ (?:records|documents|lines)\b": "say nothing about zero of something",
    r"\bwithout a word\b": "the word is `silently`",
    r"\bof anybody's\b": "name who",
}
TEXTS = sorted(
    path
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/*/*.md", "scenarios/**/*.yaml")
    for path in REPOSITORY.glob(pattern)
    if path.parent.name != "decisions"  # they record how a choice was discussed then
)


def unwanted(text: str) -> list[str]:
    """Return each unwanted phrase of a text with what to write instead; a line break is a blank."""
    flat = re.sub(r"\n[ #>]*", " ", text)
    return [
        f"{found[0]!r}: {instead}"
        for pattern, instead in UNWANTED.items()
        for found in re.finditer(pattern, flat, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_text_is_plain_english(path):
    assert unwanted(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "riddle",
    [
        "pid 12 is gone, it did not stop in good order",
        "the oldest segments give\nway",
        "0 of 1,150 records were lost",
        "which ones, nobody can tell",
    ],
)
def test_a_riddle_is_found(riddle):
    assert len(unwanted(riddle)) == 1


def test_a_number_that_ends_in_zero_is_no_riddle():
    assert unwanted("10 of 1,150 records were refused; 3,000 of 4,000 documents arrived") == []


def test_pages_and_scenarios_are_looked_at():
    names = {path.name for path in TEXTS}

    assert {
        "README.md",
        "CONTRIBUTING.md",
        "verdicts.md",
        "first-run.md",
        "spike.yaml",
        "reference.yaml",
    } <= names
