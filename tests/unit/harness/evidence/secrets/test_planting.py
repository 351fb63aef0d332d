"""Canaries are planted at known spans: what is told of a line is what stands in it."""

import pytest

from harness.evidence.lines import GeneratedLines
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.secrets.planting import IN_LINE, INTERVAL, PATHS, PlantedLines
from harness.model.protocols import ARGUMENT, EXTRA, MESSAGE, URL

BARE = GeneratedLines(7)


def lines(kinds=tuple(KINDS), paths=PATHS, run_id="run-1"):
    return PlantedLines(BARE, 7, run_id, kinds, paths)


def test_the_span_of_a_line_holds_the_canary_and_without_its_text_the_line_is_the_bare_one():
    planted = lines()
    for sequence in range(0, 400, INTERVAL):
        canary = planted.planted(sequence).canary
        text = planted.text(sequence)
        for begin, end in planted.spans(sequence):
            assert text[begin:end] == canary.masked
            assert text.replace(f"{canary.text} ", "", 1) == BARE.text(sequence)


def test_no_number_of_the_line_can_be_read_as_the_end_of_a_planted_one():
    planted = lines(kinds=("card", "iban"), paths=(MESSAGE,))
    followed = [
        planted.text(sequence)[end : end + 2]
        for sequence in range(0, 4_000, INTERVAL)
        for _, end in planted.spans(sequence)
    ]

    assert set(followed) == {", "}


def test_three_of_four_lines_are_left_as_they_are():
    planted = lines()
    untouched = [sequence for sequence in range(200) if sequence % INTERVAL]

    assert all(planted.text(sequence) == BARE.text(sequence) for sequence in untouched)
    assert not any(planted.spans(sequence) or planted.secret(sequence) for sequence in untouched)


def test_every_kind_takes_every_path_that_it_can():
    planted = lines()
    taken = {(each.canary.kind, each.path) for n in range(0, 400, INTERVAL) if (each := planted.planted(n))}

    assert taken == set(planted.canaries)
    assert {(kind, path) for kind in KINDS for path in PATHS if path != URL} < taken


def test_a_canary_beside_the_line_leaves_the_line_alone():
    planted = lines(paths=(EXTRA,))

    assert planted.text(0) == BARE.text(0)
    assert planted.spans(0) == ()
    assert planted.secret(0).path not in IN_LINE


def test_every_other_argument_is_only_half_of_its_secret():
    planted = lines(kinds=("jwt",), paths=(ARGUMENT,))
    shares = []
    for sequence in (0, INTERVAL):
        secret, ((begin, end),) = planted.secret(sequence), planted.spans(sequence)
        shares.append((secret.to_character - secret.from_character) / (end - begin))

    assert shares[0] == 1.0
    assert shares[1] == pytest.approx(0.5, abs=0.01)


def test_no_two_paths_and_no_two_runs_share_a_value():
    one, other = lines(), lines(run_id="run-2")
    secrets = [
        secret for each in (one, other) for canary in each.canaries.values() for secret in canary.secrets
    ]

    assert len(secrets) == len(set(secrets))


def test_without_kinds_nothing_is_planted():
    assert lines(kinds=()).planted(0) is None


def test_a_message_path_alone_plants_in_messages_alone():
    assert {path for _, path in lines(paths=(MESSAGE,)).canaries} == {MESSAGE}
