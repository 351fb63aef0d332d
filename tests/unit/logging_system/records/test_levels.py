from __future__ import annotations

import pytest

from logging_system.records.levels import RANKS, is_error, level_name, level_rank, spelled_where, spellings


@pytest.mark.parametrize("name", RANKS)
def test_a_level_is_known_in_the_letters_that_programs_write_it_in(name: str) -> None:
    for spelled in (name, name.upper(), name.title()):
        assert spelled in spellings(name)
        assert level_name(spelled) == name
        assert level_rank(spelled) == RANKS[name]
        assert is_error(spelled) is (spelled in spelled_where(lambda rank: rank >= 40))


@pytest.mark.parametrize("stored", ["", "verbose", "(none)", "eRRor", "Level 45", "error2"])
def test_what_is_stored_otherwise_keeps_its_name_and_is_no_error(stored: str) -> None:
    assert level_name(stored) == stored
    assert not is_error(stored)
