from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.facts import Acknowledged, Event, Found
from harness.model.protocols import Status
from harness.model.result import Attempt
from harness.reporting.redaction import BLOCK_CHARACTERS, Redaction, masked
from tests.unit.harness.reporting.example_result import scenario_result

PRIVATE = "Accepted password for alice from 203.0.113.7 port 50022 ssh2"
HERE = Path("/home/someone/project")
LINES = ("kernel: eth0 is up", PRIVATE)


@given(st.text())
def test_a_mask_keeps_the_shape_and_no_letter_or_digit(text):
    """As long as the text; whatever is alphanumeric is one of X, x, 0, and so is whatever is not ASCII."""
    shape = masked(text)

    assert len(shape) == len(text)
    assert all(
        new in "Xx0" if old.isalnum() or not old.isascii() else new == old
        for old, new in zip(text, shape, strict=True)
    )


def test_a_quoted_copy_is_masked_cut_and_told_by_its_hash():
    found = Found(7, "9c41d2e0", "logs/1", f"{PRIVATE} " + "y" * 100)
    (shown,) = Redaction(LINES, HERE).events([found])

    assert isinstance(shown, Found)
    assert shown.excerpt.startswith(
        "Xxxxxxxx xxxxxxxx xxx xxxxx xxxx 000.0.000.0 xxxx 00000 xxx0 yyy".replace("y", "x")
    )
    assert shown.excerpt.endswith("x (masked; hash 9c41d2e0)")
    assert len(shown.excerpt) == 80 + len(" (masked; hash 9c41d2e0)")


def test_facts_without_text_and_copies_that_match_are_left_alone():
    events: list[Event] = [Acknowledged(1, 5), Found(1, "aa", "logs/1")]

    assert Redaction(LINES, HERE).events(events) == events


def test_without_an_input_everything_may_be_shown():
    found = Found(7, "9c41d2e0", "logs/1", "a generated line")

    assert Redaction((), HERE).events([found]) == [found]
    assert Redaction((), HERE).result(_quoting(PRIVATE)).remarks == (PRIVATE,)


def _quoting(text):
    result = scenario_result()
    return replace(
        result,
        remarks=(text,),
        verdicts=(replace(result.verdicts[0], summary=text, evidence=(text,), counterexample=(text,)),),
        bands=(replace(result.bands[0], proof=text),),
        attempts=(Attempt(Status.INCONCLUSIVE, (text,), 1.0, "history/a"),),
    )


@pytest.mark.parametrize(
    "text",
    [
        f"the shipper ended with 1; the end of its log:\nMessage: '{PRIVATE}'\nArguments: ()",
        f"could not send {PRIVATE[5:40]!r}",
        f"{PRIVATE[-24:]}",
    ],
)
def test_a_stretch_of_the_input_is_masked_wherever_a_result_quotes_it(text):
    hidden = Redaction(LINES, HERE).result(_quoting(text))

    for place in (
        hidden.remarks[0],
        hidden.verdicts[0].summary,
        hidden.verdicts[0].evidence[0],
        hidden.verdicts[0].counterexample[0],
        hidden.bands[0].proof,
        hidden.attempts[0].reasons[0],
    ):
        assert not any(word in place for word in ("alice", "203", "50022", "password"))


def test_what_broke_around_a_run_is_masked_too():
    assert "alice" not in Redaction(LINES, HERE).text(f"load: the end of its log: {PRIVATE}")


def test_our_own_sentences_are_left_alone():
    result = scenario_result()

    assert replace(Redaction(LINES, HERE).result(result), scenario=result.scenario) == result


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (HERE / "scenarios" / "mine.yaml", "scenarios/mine.yaml"),
        (Path("/elsewhere/mine.yaml"), "/elsewhere/mine.yaml"),
        (Path("other/mine.yaml"), "other/mine.yaml"),
        (Path("../mine.yaml"), "../mine.yaml"),
        (Path("no_fault"), "no_fault"),
    ],
)
def test_a_scenario_is_told_from_here_or_as_it_was_named(source, told):
    result = scenario_result()
    result = replace(result, scenario=replace(result.scenario, source=str(source)))

    assert Redaction((), HERE).result(result).scenario.source == told


@given(st.data())
def test_no_long_stretch_of_a_line_survives(data):
    """Any stretch of twice a block or more, between any words, loses all of its letters and digits."""
    line = data.draw(st.text("abcdefgh ", min_size=3 * BLOCK_CHARACTERS, max_size=80))
    begin = data.draw(st.integers(0, len(line) - 2 * BLOCK_CHARACTERS))
    end = data.draw(st.integers(begin + 2 * BLOCK_CHARACTERS, len(line)))
    quoted = line[begin:end]
    hidden = Redaction((line,), HERE).result(replace(scenario_result(), remarks=(f"said: {quoted}",)))

    assert hidden.remarks[0].endswith(masked(quoted))
