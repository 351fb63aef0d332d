"""Marks of charts on the page's cards; texts are measured as a browser shows them, in tests/system."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

MARKS = (
    "error",
    "warning",
    "info",
    "debug",
    "other",
    "p50",
    "p95",
    "p99",
    "backlog",
    "spool",
    "admitted",
    "delivered",
)
STYLE = (files("logging_system.console") / "static" / "console.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([a-z0-9]+(?:-tint)?): (#[0-9a-f]{6}|#[0-9a-f]{3})", part))
    for part in STYLE.split("prefers-color-scheme: dark")[:2]
)


def luminance(colour: str) -> float:
    """Return what https://www.w3.org/TR/WCAG22/#dfn-relative-luminance says of a colour."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_a_mark_can_be_told_from_the_card(scheme: str, colours: dict[str, str], mark: str) -> None:
    """See https://www.w3.org/TR/WCAG22/#non-text-contrast."""
    assert ratio(colours[mark], colours["card"]) >= 3, scheme


def test_both_schemes_have_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_the_ratio_is_that_of_the_guidelines() -> None:
    assert round(ratio("#ffffff", "#000000"), 2) == 21
    assert round(ratio("#ffffff", "#767676"), 2) == 4.54


def test_nothing_on_the_page_moves_for_people_whom_that_makes_ill() -> None:
    """Whoever adds motion asks `prefers-reduced-motion`, and names it here."""
    assert not re.search(r"transition|animation|@keyframes|scroll-behavior", STYLE)
