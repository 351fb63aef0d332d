"""Lines whose identity is damaged or gone are known by their texts, and nothing is guessed."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.lines import GeneratedLines, identity, stamp
from harness.evidence.recognition import Claim, Texts, cut_at_bytes

RUN = "20260101-000000-abcd-01"
EVERY = range(1_000)


def texts_of(*texts):
    return Texts(RUN, len(texts), lambda sequence: stamp(texts[sequence], RUN, sequence))


def claimed(texts, *lines, taken=(), owed=EVERY):
    return [claim.sequences for claim in texts.claims(lines, frozenset(taken), frozenset(owed))]


DIFFERENT = texts_of("order 12 was paid", "größe geändert: 5 Stück", "user 7 opened a session", "")

DAMAGES = {
    "the identity taken off": lambda line: line[:-20],
    "the identity masked": lambda line: line[:-19] + "***",
    "a letter of the identity changed": lambda line: line[:-1] + ("g" if line[-1] != "g" else "h"),
    "cut within the identity": lambda line: line[:-5],
    "non-ASCII as ?, no identity": lambda line: line[:-20].encode("ascii", "replace").decode(),
    "mojibake, no identity": lambda line: line[:-20].encode().decode("latin-1"),
    "capitals, no identity": lambda line: re.sub("[a-z]", lambda letter: letter[0].upper(), line[:-20]),
    "words behind, no identity": lambda line: line[:-20] + " (forwarded)",
    "in quotes, no identity": lambda line: f'"{line[:-20]}"',
    "cut": lambda line: line[:14],
    "cut, and said so": lambda line: line[:14] + "… [truncated]",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_a_line_is_known_by_its_text(damage, sequence):
    sent = stamp(
        ["order 12 was paid", "größe geändert: 5 Stück", "user 7 opened a session"][sequence], RUN, sequence
    )

    assert DIFFERENT.claims([damage(sent)], frozenset(), frozenset()) == [Claim((sequence,))]


@pytest.mark.parametrize(
    "line", ["", "   ", "order", "INFO", "something that nobody sent", "?", "order 13 was lost"]
)
def test_what_nobody_sent_is_nobodys(line):
    assert claimed(DIFFERENT, line) == [()]


def test_a_record_whose_identity_was_found_gives_no_other_line_a_name():
    assert claimed(DIFFERENT, "order 12 was paid", taken={0}) == [()]


def test_of_equal_texts_each_line_is_one_and_what_is_over_is_a_second_copy():
    texts = texts_of("same text", "same text", "another text")

    one, two, three = texts.claims(["same text"] * 3, frozenset(), frozenset(EVERY))

    assert {one.sequences, two.sequences} == {(0,), (1,)}
    assert three.sequences in {(0,), (1,)}
    assert one.ambiguous


def test_of_equal_texts_the_acknowledged_records_are_found_first():
    texts = texts_of("same text", "same text", "same text")

    assert claimed(texts, "same text", owed={2}) == [(2,)]


def test_a_short_beginning_takes_nothing_from_a_longer_one():
    """`request GET` may be either record, `request GET /carts` one alone: together they are both."""
    texts = texts_of("request GET /carts", "request GET /orders")

    assert sorted(claimed(texts, "request GET", "request GET /carts")) == [(0,), (1,)]
    assert sorted(claimed(texts, "request GET", "request GET /orders")) == [(0,), (1,)]


@given(st.lists(st.integers(0, 59), max_size=80), st.integers(8, 200))
def test_never_more_records_are_found_than_lines_are_stored(kept, length):
    """Of lines cut at one length, as many records are found as lines have come, while there are such."""
    lines = [stamp(GeneratedLines(3).text(sequence), RUN, sequence) for sequence in range(60)]
    texts = Texts(RUN, 60, lines.__getitem__)
    stored = [lines[sequence][:length] for sequence in kept]

    found = [claim.sequences for claim in texts.claims(stored, frozenset(), frozenset(range(60)))]

    for line, sequences in zip(stored, found, strict=True):
        assert all(lines[sequence].startswith(line) for sequence in sequences)
    assert len(set(found)) >= len({*kept})
    assert len(set(found)) <= len(kept)


@pytest.mark.parametrize(
    ("stored", "size"),
    [
        ("order 12 was", 12),
        ("order 12 was…", 15),
        ("order 12 was [truncated 40 bytes]", 33),
        ("größe geänd\ufffd", 17),
        ("order 12 was lost", 0),
        ("order", 0),
        (stamp("order 12 was paid", RUN, 0), 0),
        ("", 0),
    ],
)
def test_a_line_that_ends_too_early_is_told_with_its_size(stored, size):
    sent = stamp("größe geändert" if stored.startswith("größe") else "order 12 was paid", RUN, 0)

    assert cut_at_bytes(stored, sent) == size


def test_telling_many_damaged_lines_takes_a_time_that_grows_with_their_number():
    """Ten times the lines take about ten times as long; with a square it would be a hundred times."""

    def seconds(records):
        sent = [stamp(f"request {n * 7919 % records} finished", RUN, n) for n in range(records)]
        texts = Texts(RUN, records, sent.__getitem__)
        stored = [re.sub(" finished.*", "", line) for line in sent] + ["request finished"] * records
        began = time.process_time()
        found = texts.claims(stored, frozenset(), frozenset(range(records)))
        assert len({claim.sequences for claim in found[:records]}) == records
        return time.process_time() - began

    small = min(seconds(2_000) for _ in range(3))
    assert seconds(20_000) < 40 * small


def test_nothing_is_prepared_where_no_line_asks():
    def never(sequence):
        raise AssertionError(sequence)

    assert Texts(RUN, 10, never).claims(["", " "], frozenset(), frozenset()) == [Claim(), Claim()]


def test_an_identity_of_another_run_names_nothing_here():
    assert claimed(DIFFERENT, f"nobody's text {identity('other', 0)}") == [()]
