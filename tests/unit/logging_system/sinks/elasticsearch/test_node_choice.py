from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from logging_system.sinks.elasticsearch.node_choice import PAUSE_SECONDS_FIRST, PAUSE_SECONDS_MAX, NodeChoice


def choice(nodes: int, seed: int = 1) -> NodeChoice:
    return NodeChoice(nodes, random.Random(seed))


def test_nodes_that_answer_take_turns() -> None:
    nodes = choice(3)
    asked = []
    for _ in range(9):
        asked.append(nodes.choose(0.0))
        nodes.succeeded(asked[-1])

    assert sorted(asked[:3]) == sorted(asked[3:6]) == sorted(asked[6:]) == [0, 1, 2]


def test_first_turns_of_many_shippers_are_spread() -> None:
    assert {choice(3, seed).choose(0.0) for seed in range(20)} == {0, 1, 2}


def test_a_node_that_failed_is_left_alone_for_its_pause_and_then_tried() -> None:
    nodes = choice(2)
    failed = nodes.choose(0.0)
    nodes.failed(failed, 0.0)
    early = {nodes.choose(PAUSE_SECONDS_FIRST * 0.49) for _ in range(4)}
    late = {nodes.choose(PAUSE_SECONDS_FIRST) for _ in range(4)}

    assert early == {1 - failed}
    assert late == {0, 1}


def test_only_one_request_at_a_time_tries_a_node_that_failed() -> None:
    nodes = choice(2)
    failed = nodes.choose(0.0)
    nodes.failed(failed, 0.0)
    asked = [nodes.choose(100.0 + step) for step in range(10)]
    nodes.succeeded(failed)
    after = [nodes.choose(200.0) for _ in range(10)]

    assert asked.count(failed) == 1
    assert after.count(failed) == 5


def test_pauses_double_up_to_a_bound() -> None:
    nodes = choice(2)
    now_seconds, pauses = 0.0, []
    for _ in range(12):
        nodes._states[0].on_trial = True
        nodes.failed(0, now_seconds)
        pauses.append(nodes._states[0].not_before_seconds - now_seconds)
        now_seconds += PAUSE_SECONDS_MAX

    assert all(later > earlier for earlier, later in zip(pauses[:3:2], pauses[2:5:2], strict=True))
    assert all(PAUSE_SECONDS_MAX / 2 <= pause <= PAUSE_SECONDS_MAX for pause in pauses[6:])


def test_failures_of_requests_that_were_under_way_count_once() -> None:
    nodes = choice(2)
    for _ in range(5):
        nodes.failed(0, 0.0)

    assert nodes.choose(PAUSE_SECONDS_FIRST) + nodes.choose(PAUSE_SECONDS_FIRST) == 1


def test_when_all_failed_the_one_whose_pause_ends_first_is_asked() -> None:
    nodes = choice(2)
    nodes.failed(0, 0.0)
    nodes.failed(1, 50.0)

    assert nodes.choose(0.0) == 0


@given(
    nodes=st.integers(1, 4),
    steps=st.lists(st.tuples(st.sampled_from(["ok", "fail", "hang"]), st.floats(0, 10)), max_size=60),
)
def test_some_node_is_always_asked(nodes: int, steps: list[tuple[str, float]]) -> None:
    """Whatever happened before, a choice is made, and never of a paused node while another is ready."""
    chooser, now_seconds = choice(nodes), 0.0
    for outcome, pause_seconds in steps:
        now_seconds += pause_seconds
        ready = {
            place
            for place, state in enumerate(chooser._states)
            if not state.on_trial and state.not_before_seconds <= now_seconds
        }
        place = chooser.choose(now_seconds)
        assert place in (ready or range(nodes))
        if outcome == "ok":
            chooser.succeeded(place)
        elif outcome == "fail":
            chooser.failed(place, now_seconds)
