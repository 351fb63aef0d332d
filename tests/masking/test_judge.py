"""The judge is shown maskers that are wrong in a way that is known, and must say so."""

from __future__ import annotations

import pytest

from tests.masking.corpus import lines
from tests.masking.judge import Span, Spans, covered, judge, sensitive, spans_of_masked
from tests.masking.labelled import KINDS, Line, Secret

LINES = tuple(lines("judging", 11, 460))
BY_TEXT = {line.text: line for line in LINES}


def oracle(text: str) -> list[Span]:
    """Knows the labels."""
    return [Span(it.start, it.end, it.kind) for it in BY_TEXT[text].secrets]


def secret_at(text: str, span: Span) -> Secret:
    (found,) = [it for it in BY_TEXT[text].secrets if it.start == span.start]
    return found


def blind(kind: str) -> Spans:
    return lambda text: [span for span in oracle(text) if span.kind != kind]


def test_one_that_knows_the_labels_is_perfect_in_every_kind():
    verdict = judge(LINES, oracle)

    assert not verdict.missed
    assert not verdict.strayed
    assert {kind for kind in verdict.scores if verdict.scores[kind].f1() == 1} == set(KINDS)


def test_one_that_does_nothing_finds_no_secret_and_harms_no_line():
    verdict = judge(LINES, lambda text: [])

    assert verdict.total().recall() == 0
    assert verdict.total().precision() is None
    assert verdict.total().f1() == 0
    assert len(verdict.missed) == sum(len(line.secrets) for line in LINES)


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_misses_a_kind_is_told_in_that_kind_alone(kind):
    verdict = judge(LINES, blind(kind))

    assert verdict.scores[kind].recall() == 0
    assert {miss.secret.kind for miss in verdict.missed} == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_leaves_the_last_sensitive_character_finds_nothing_of_the_kind(kind):
    def tail(text):
        return [
            Span(it.start, max(sensitive(text, secret_at(text, it))), it.kind) if it.kind == kind else it
            for it in oracle(text)
        ]

    verdict = judge(LINES, tail)

    assert verdict.scores[kind].recall() == 0
    assert verdict.scores[kind].recall(detected=True) == 1
    assert all(miss.secret.kind == kind and miss.left for miss in verdict.missed)


def test_one_that_takes_whole_lines_strays_in_every_line_with_innocent_text():
    verdict = judge(LINES, lambda text: [Span(0, len(text), "all")])

    assert verdict.total().recall() == 1
    without_secret = [line for line in LINES if not line.secrets and line.text]
    assert {id(line) for line in without_secret} <= {id(it.line) for it in verdict.strayed}
    assert any(it.line.secrets for it in verdict.strayed)


def test_one_that_takes_long_numbers_strays_where_a_number_resembles_a_card():
    def digits(text):
        runs, start = [], None
        for place, character in enumerate(text + " "):
            if character.isdigit() and start is None:
                start = place
            elif not character.isdigit() and start is not None:
                runs += [Span(start, place, "card")] if place - start >= 14 else []
                start = None
        return runs

    verdict = judge(LINES, digits)

    assert verdict.scores["card"].strayed > 0
    precision = verdict.scores["card"].precision()
    assert precision is not None
    assert precision < 1


def test_the_name_and_quotation_marks_may_go_with_a_secret_but_not_the_next_field():
    line = Line('password="hunter2" user=anna', (Secret(10, 17, "password", 0, 18),), "literal")

    assert not judge([line], lambda text: [Span(0, 18, "x")]).strayed
    assert judge([line], lambda text: [Span(0, 24, "x")]).strayed[0].taken == "user"


def test_groups_of_a_card_number_may_keep_their_separators():
    line = Line("4111 1111", (Secret(0, 9, "card", 0, 9),), "literal")

    assert judge([line], lambda text: [Span(0, 4, "card"), Span(5, 9, "card")]).scores["card"].found == 1
    assert judge([line], lambda text: [Span(0, 4, "card"), Span(5, 8, "card")]).missed[0].left == "1"


def test_an_empty_answer_of_nothing_is_no_division_by_zero():
    verdict = judge([], lambda text: [])

    assert verdict.total().f1() is None
    assert verdict.total().precision() is None


def test_a_span_outside_its_line_is_refused():
    with pytest.raises(ValueError, match="does not lie within a line of 3 characters"):
        covered([Span(1, 4, "x")], 3)


def test_masked_text_is_judged_as_spans_are():
    line = Line("key=abcdefgh1234 ok then", (Secret(4, 16, "api_key", 0, 16),), "literal")

    assert judge([line], spans_of_masked(lambda text: "key=*** ok then")).scores["api_key"].found == 1
    assert judge([line], spans_of_masked(lambda text: "key=***1234 ok then")).missed[0].left == "1234"
    assert judge([line], spans_of_masked(lambda text: "key=***4 ok then")).missed[0].left == "4"
    assert judge([line], spans_of_masked(lambda text: "key=*** then")).strayed
    assert not judge([line], spans_of_masked(lambda text: text)).strayed


def test_masked_text_of_the_whole_corpus_is_judged_as_its_spans_are():
    def mask(text):
        out = text
        for span in reversed(oracle(text)):
            out = out[: span.start] + "\N{FULL BLOCK}" + out[span.end :]
        return out

    verdict = judge(LINES, spans_of_masked(mask))

    assert not verdict.strayed
    assert not verdict.missed
