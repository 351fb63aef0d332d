"""Chooses the node of the next request: nodes take turns, and a failed node is skipped temporarily.

A node whose time is up is given to exactly one request; the others go on elsewhere until that one has come
back. (elastic-transport's own pool puts it back for everybody at once, and logs each failure from inside the
sender, which in a process that logs through us would come back as more to send.)
"""

from __future__ import annotations

import random
from dataclasses import dataclass

PAUSE_SECONDS_FIRST = 1.0
PAUSE_SECONDS_MAX = 30.0
_FAILURES_COUNTED_MAX = 6


@dataclass(slots=True)
class _State:
    failures: int = 0
    not_before_seconds: float = 0.0
    on_trial: bool = False


class NodeChoice:
    """Turns and pauses of the nodes; not safe for threads by itself.

    Args:
        nodes: How many there are, at least one.
        rng: Spreads the shippers of many hosts over a cluster: the first turn and the length of pauses.
    """

    def __init__(self, nodes: int, rng: random.Random) -> None:
        self._states = [_State() for _ in range(nodes)]
        self._rng = rng
        self._next = rng.randrange(nodes)

    def choose(self, now_seconds: float) -> int:
        """Return the place of the node to ask; `failed` or `succeeded` must follow.

        When every node failed lately, the one whose pause ends first is asked: how often is the caller's to
        bound, which knows how many requests are waiting.

        Args:
            now_seconds: Monotonic time.
        """
        states = self._states
        order = [(self._next + step) % len(states) for step in range(len(states))]
        ready = [
            place
            for place in order
            if not states[place].on_trial and states[place].not_before_seconds <= now_seconds
        ]
        place = (
            ready[0]
            if ready
            else min(order, key=lambda each: (states[each].on_trial, states[each].not_before_seconds))
        )
        self._next = (place + 1) % len(states)
        states[place].on_trial = states[place].failures > 0
        return place

    def failed(self, place: int, now_seconds: float) -> None:
        """Report that a node did not answer as it should.

        Args:
            place: The node.
            now_seconds: Monotonic time.
        """
        state = self._states[place]
        if not state.on_trial and now_seconds < state.not_before_seconds:
            return  # under way when the node was given up already: it says nothing new
        state.on_trial = False
        state.failures = min(state.failures + 1, _FAILURES_COUNTED_MAX)
        longest_seconds = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_FIRST * 2.0 ** (state.failures - 1))
        state.not_before_seconds = now_seconds + longest_seconds * (0.5 + 0.5 * self._rng.random())

    def succeeded(self, place: int) -> None:
        """Report that a node answered: it takes turns again.

        Args:
            place: Which node, from 0, in the order of the settings.
        """
        self._states[place] = _State()
