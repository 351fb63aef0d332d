"""The elected master of an Elasticsearch cluster as a target: the node that is it when a fault begins."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from harness import http_client
from harness.model.declarations import ELECTED_MASTER
from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.process import ProcessTarget

_SECONDS = 5.0
_ANSWER_BYTES_MAX = 1 << 16


class ElectedMasterTarget:
    """Whichever node is the elected master; implements Killable, Stoppable and Pausable.

    It is asked for when a fault's undo is noted, and is that node until the next fault begins, also when the
    others have elected another one.

    Args:
        nodes: all nodes, by their names in the cluster.
        urls: where each answers, by the same names; others may be among them.
    """

    def __init__(self, nodes: Mapping[str, ProcessTarget], urls: Mapping[str, str]) -> None:
        self._nodes = nodes
        self._urls = urls
        self._held: ProcessTarget | None = None

    def kill(self) -> None:
        """Kill it (SIGKILL) and return when it is gone; raises FaultError."""
        self._master().kill()

    def stop(self) -> None:
        """Ask it to end, and return when it is gone; raises FaultError."""
        self._master().stop()

    def restart(self) -> None:
        """Start it again and return when it has joined the others; raises FaultError."""
        self._master().restart()

    def pause(self) -> None:
        """Stop it (SIGSTOP) and return when it stands; raises FaultError."""
        self._master().pause()

    def resume(self) -> None:
        """Let it go on (SIGCONT) and return when it does; raises FaultError."""
        self._master().resume()

    def alive(self) -> bool:
        """Tell whether the node runs."""
        return self._master().alive()

    def paused(self) -> bool:
        """Tell whether the node is stopped."""
        return self._master().paused()

    def stopped_orderly(self) -> bool:
        """Tell whether the node shut down cleanly instead of dying at the kill."""
        return self._master().stopped_orderly()

    def describe_state(self) -> str:
        """Return which node it is and what can be seen of it from outside, for a person."""
        master = self._master()
        return f"{master.name}, the elected master when the fault began: {master.describe_state()}"

    def undo_kill(self) -> Undo:
        """Ask for the elected master, and name its process; raises FaultError where no node tells."""
        self._held = self._ask()
        return self._held.undo_kill()

    def undo_pause(self) -> Undo:
        """Ask for the elected master, and name its process; raises FaultError where no node tells."""
        self._held = self._ask()
        return self._held.undo_pause()

    def _master(self) -> ProcessTarget:
        self._held = self._held or self._ask()
        return self._held

    def _ask(self) -> ProcessTarget:
        """Return the node that a node says is the elected master."""
        said = [_elected(self._urls[name]) for name, node in self._nodes.items() if node.alive()]
        found = next((self._nodes[name] for name in said if name in self._nodes), None)
        if found is None:
            answers = ", ".join(said) or "no node runs"
            raise FaultError(f'target "{ELECTED_MASTER}": the cluster has none now ({answers})')
        return found


def _elected(url: str) -> str:
    """Return the name of the elected master as one node knows it, or why it is not known."""
    try:
        answer = http_client.call(
            "GET",
            f"{url}/_cat/master?format=json",
            timeout_seconds=_SECONDS,
            answer_bytes_max=_ANSWER_BYTES_MAX,
        )
        return (
            str(orjson.loads(answer.body)[0]["node"]) if answer.status == 200 else f"status {answer.status}"
        )
    except (http_client.HttpError, ValueError, LookupError, TypeError) as error:
        return f"no answer ({type(error).__name__})"
