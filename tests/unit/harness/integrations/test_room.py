"""Who has the machine: many that share it, or one alone."""

from __future__ import annotations

import pytest

from harness.integrations.alone import Room
from harness.model.errors import UnavailableError


@pytest.fixture
def rooms(tmp_path):
    made = [Room(tmp_path / "folder" / "room.lock", wait_seconds_max=0.0) for _ in range(2)]
    yield made
    for room in made:
        room.leave()


def test_two_that_share_are_in_at_once(rooms):
    for room in rooms:
        room.enter(alone=False)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_one_that_is_alone_waits_for_the_others_and_they_for_it(rooms, first, second):
    rooms[0].enter(alone=first)

    with pytest.raises(UnavailableError, match="run the scenarios without -n"):
        rooms[1].enter(alone=second)

    rooms[0].leave()
    rooms[1].enter(alone=second)


def test_without_others_there_is_always_room():
    room = Room(None)

    room.enter(alone=True)
    room.leave()
