"""A line has the shape that was planned for it, in every process that asks."""

import re

from harness.evidence.lines import GeneratedLines, identify, stamp
from harness.evidence.shaped_lines import NEVER_LOGGED, ORDINARY, UNIQUE, USUAL_ERROR, ShapedLines

SEED = 7


def lines(shapes):
    return ShapedLines(GeneratedLines(SEED), SEED, shapes)


def words_alone(text):
    return re.sub(r"\d+", "<*>", text)


def test_no_two_lines_of_a_flood_are_alike_even_without_their_numbers():
    flood = lines(UNIQUE * 5_000)

    assert len({words_alone(flood.text(sequence)) for sequence in range(5_000)}) == 5_000


def test_new_errors_are_alike_but_for_their_numbers_and_like_nothing_else():
    mixed = lines((ORDINARY + USUAL_ERROR + UNIQUE + NEVER_LOGGED) * 200)
    heads: dict[str, set[str]] = {}
    for sequence in range(800):
        shape = (ORDINARY, USUAL_ERROR, UNIQUE, NEVER_LOGGED)[sequence % 4]
        heads.setdefault(shape, set()).add(words_alone(mixed.text(sequence).partition("\n")[0]))

    assert heads[NEVER_LOGGED] == {"cannot open ledger <*>: its index is damaged"}
    assert len(heads[USUAL_ERROR]) == 3
    assert heads[NEVER_LOGGED].isdisjoint(heads[ORDINARY] | heads[USUAL_ERROR] | heads[UNIQUE])


def test_ordinary_lines_are_those_of_the_source_also_beyond_the_plan():
    source = GeneratedLines(SEED)
    mixed = lines(UNIQUE + ORDINARY)

    assert [mixed.text(sequence) for sequence in (1, 2)] == [source.text(sequence) for sequence in (1, 2)]


def test_every_shape_keeps_its_identity_and_is_a_function_of_seed_and_sequence():
    shapes = ORDINARY + USUAL_ERROR + UNIQUE + NEVER_LOGGED
    for sequence in range(4):
        line = stamp(lines(shapes).text(sequence), "run", sequence)
        assert identify(line, "run") == sequence
        assert line == stamp(lines(shapes).text(sequence), "run", sequence)
