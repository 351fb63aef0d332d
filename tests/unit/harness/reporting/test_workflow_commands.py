from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.workflow_commands import Disarming, command, disarmed

CANARIES = [
    "::add-mask::canary",
    "  \t::error file=a,line=1::canary",
    "a line\n::stop-commands::canary",
    "a line\r::warning::canary",
    "\u2028::notice::canary",
    "text ##[add-mask]canary",
    "###[group]canary",
    "##[error]::canary",
    "\n\n  ::set-output name=score::100",
    "\u3000::error::canary",
]


def obeyed(text: str) -> list[str]:
    """Return the lines that a runner takes for commands, as its own parser decides."""
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("text", CANARIES)
def test_what_a_runner_would_obey_is_disarmed(text):
    assert obeyed(text)
    assert obeyed(disarmed(text)) == []
    assert disarmed(text).replace("\\", "") == text


@pytest.mark.parametrize("text", ["", "a::b", "std::string", "[::1]:9200", "## [x]", "10:20:30", ": :"])
def test_ordinary_text_stays_as_it_is(text):
    assert disarmed(text) == text


@given(st.lists(st.text(st.sampled_from(":#[ \n\rx\u2028"), max_size=6), max_size=12))
def test_it_makes_no_difference_how_a_text_is_cut_into_pieces(pieces):
    disarming = Disarming()

    told = "".join(map(disarming.text, pieces))
    assert told == disarmed("".join(pieces))
    assert obeyed(told) == []


def test_a_command_escapes_what_ends_a_message_or_a_property():
    assert command("error", "50 %\r\n::add-mask::x", file="a,b:c%.yaml", line="7", title="") == (
        "::error file=a%2Cb%3Ac%25.yaml,line=7::50 %25%0D%0A::add-mask::x"
    )


@given(st.text(), st.text())
def test_whatever_a_command_says_it_is_one_line_and_says_it(message, title):
    told = command("warning", message, title=title)
    data = told.split("::", 2)[2]

    assert "\n" not in told
    assert "\r" not in told
    assert data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") == message
