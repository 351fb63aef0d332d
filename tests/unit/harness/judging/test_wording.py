import pytest

from harness.judging.wording import count, sentence


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("record",), "0 records"),
        (1, ("record",), "1 record"),
        (1_150, ("record",), "1,150 records"),
        (2, ("copy", "copies"), "2 copies"),
        (1, ("record was", "records were"), "1 record was"),
    ],
)
def test_a_number_goes_with_its_noun(number, words, said):
    assert count(number, *words) == said


@pytest.mark.parametrize("text", ["It ended.", "It ended", "Why?"])
def test_a_sentence_ends_once(text):
    assert sentence(sentence(text)) == sentence(text)
    assert sentence(text)[-1] in ".?"
