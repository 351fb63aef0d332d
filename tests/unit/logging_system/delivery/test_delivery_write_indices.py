from __future__ import annotations

from logging_system.delivery.write_indices import INDICES_MAX, WriteIndices


def test_only_the_newest_write_indices_are_kept_and_places_stay_true() -> None:
    indices = WriteIndices()
    nothing = indices.mark()
    indices.saw("first")
    first = indices.mark()
    for number in range(INDICES_MAX):
        indices.saw(f"i-{number}")
        indices.saw("")

    assert indices.since(nothing) == ()
    assert len(indices.since(first)) == INDICES_MAX
    assert indices.since(indices.mark()) == (f"i-{INDICES_MAX - 1}",)
