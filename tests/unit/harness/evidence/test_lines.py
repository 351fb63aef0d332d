import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.lines import (
    LETTERS,
    SEQUENCE_MAX,
    FileLines,
    GeneratedLines,
    digest,
    identify,
    identities,
    identity,
    read_lines,
    stamp,
)
from harness.model.errors import InternalError, ScenarioError

RUN = "20260101-000000-abcd-01"


@given(st.text(), st.integers(0, SEQUENCE_MAX))
def test_a_stamped_line_gives_its_sequence_back(text, sequence):
    """Whatever the text holds, the identity at the end is found."""
    assert identify(stamp(text, RUN, sequence), RUN) == sequence


def test_a_line_of_another_run_is_not_ours():
    assert identify(stamp("hello", "other", 7), RUN) is None


@pytest.mark.parametrize("line", ["", "hello", stamp("hello", RUN, 7)[:-1]])
def test_a_line_without_a_whole_identity_has_none(line):
    assert identify(line, RUN) is None


def test_damage_to_an_identity_is_noticed_but_for_one_in_thousands():
    run, written, check = identity(RUN, 7).split("-")
    others = [
        f"{run}-{written[:at]}{letter}{written[at + 1 :]}-{check}"
        for at in range(len(written))
        for letter in LETTERS
        if letter != written[at]
    ]

    assert [identify(other, RUN) for other in others] == [None] * len(others)


@pytest.mark.parametrize("sequence", [-1, SEQUENCE_MAX + 1])
def test_a_record_that_no_identity_can_name_is_refused(sequence):
    with pytest.raises(InternalError, match="at most 268,435,456 records"):
        identity(RUN, sequence)


def test_lines_that_were_joined_claim_each_of_their_records():
    joined = f"{stamp('one', RUN, 1)} {stamp('two', RUN, 2)}"

    assert identities(joined, RUN) == (1, 2)
    assert identify(joined, RUN) == 2


def test_a_changed_text_keeps_its_sequence_and_changes_its_digest():
    line = stamp("hello", RUN, 7)
    changed = line.replace("hello", "jello")

    assert identify(changed, RUN) == 7
    assert digest(changed) != digest(line)


def test_a_lone_surrogate_can_be_stamped_and_fingerprinted():
    assert identify(stamp("\udc80", RUN, 1), RUN) == 1
    assert digest("\udc80") != digest("\udc81")


def test_generated_lines_are_a_function_of_seed_and_sequence():
    first, again, other = GeneratedLines(1), GeneratedLines(1), GeneratedLines(2)

    assert [first.text(n) for n in range(50)] == [again.text(n) for n in reversed(range(50))][::-1]
    assert first.text(0) != other.text(0)


def test_generated_lines_are_of_realistic_lengths_and_some_have_many_lines():
    texts = [GeneratedLines(1).text(n) for n in range(2_000)]

    assert max(map(len, texts)) <= 16_384
    assert max(map(len, texts)) > 10_000
    assert sorted(map(len, texts))[1_000] < 120
    assert sum("Traceback" in text for text in texts) > 20
    assert any(not text.isascii() for text in texts)


def test_lines_of_a_file_are_taken_byte_for_byte(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b"plain\r\n  two  \t\n\n\r\r\nna\xc3\xafve\nlast without newline")

    assert read_lines(path, 100) == ["plain", "  two  \t", "", "\r", "naïve", "last without newline"]


def test_bytes_that_are_no_utf8_become_escapes(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b"a\xff\xfeb\n")

    assert read_lines(path, 100) == ["a\\xff\\xfeb"]


def test_a_short_file_starts_over(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("a\nb\n")

    lines = FileLines(path, 100)

    assert [lines.text(n) for n in range(5)] == ["a", "b", "a", "b", "a"]


def test_no_more_lines_are_read_than_asked_for(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("a\nb\nc\n")

    assert read_lines(path, 2) == ["a", "b"]


@pytest.mark.parametrize(("content", "said"), [(None, "cannot read"), (b"", "no line")])
def test_an_unusable_input_is_refused_with_its_path(tmp_path, content, said):
    path = tmp_path / "app.log"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ScenarioError, match=said) as caught:
        read_lines(path, 10)

    assert str(path) in str(caught.value)
