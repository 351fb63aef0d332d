"""What is read from a part's class, and that every shipped part says what its arguments mean."""

from __future__ import annotations

from typing import Literal

import pytest

from harness.config.part_signature import Argument, signature_of
from harness.config.parts import FAMILIES

PARTS = [
    pytest.param(family, word, id=f"{family.noun} {word}") for family in FAMILIES for word in family.kinds
]


class Documented:
    """Does something.

    It says more about that here.

    Args:
        run: comes from the run, and no file can give it.
        path: where it is; a meaning may
            go on in another line.
        mode: how.
        limit_seconds: at most so long; none without it.
        options: what else there is.

    Raises:
        ValueError: never.
    """

    argument_prefixes = ("option.",)

    def __init__(
        self,
        run: object,
        path: str,
        mode: Literal["fast", "slow"] = "fast",
        *,
        limit_seconds: float | None = None,
        **options: str,
    ) -> None: ...


class Bare:
    """Takes anything."""

    def __init__(self, count: int = 2, strict: bool = False, text: str = "", **others: str) -> None: ...


def test_names_types_defaults_and_meanings_are_read():
    arguments = signature_of(Documented).arguments

    assert list(arguments.values()) == [
        Argument("path", str, True, None, "where it is; a meaning may go on in another line."),
        Argument("mode", Literal["fast", "slow"], False, "fast", "how."),
        Argument("limit_seconds", float | None, False, None, "at most so long; none without it."),
    ]
    assert [each.type_words() for each in arguments.values()] == ["text", "fast or slow", "number"]
    assert [each.default_words() for each in arguments.values()] == ["required", "fast", "none"]


def test_other_keywords_and_how_they_begin_are_read():
    signature = signature_of(Documented)

    assert (signature.takes_more, signature.prefixes) == ("what else there is.", ("option.",))
    assert signature.about == "Does something."


def test_a_class_without_meanings_has_them_empty():
    signature = signature_of(Bare)

    assert [each.meaning for each in signature.arguments.values()] == ["", "", ""]
    assert [each.default_words() for each in signature.arguments.values()] == ["2", "false", "empty"]
    assert (signature.takes_more, signature.prefixes) == ("more arguments", ("",))


@pytest.mark.parametrize(("family", "word"), PARTS)
def test_every_argument_of_every_shipped_part_says_what_it_means(family, word):
    signature = signature_of(family.resolve(word))

    assert [each.name for each in signature.arguments.values() if not each.meaning.endswith(".")] == []
    assert signature.takes_more != "more arguments"
