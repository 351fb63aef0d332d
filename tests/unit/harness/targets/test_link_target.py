import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from harness.model.errors import FaultError, StackError
from harness.model.protocols import Undo
from harness.processes.ports import free_port
from harness.targets.capabilities import Disconnectable, Killable, Severable
from harness.targets.link import LinkTarget
from harness.targets.toxiproxy_client import Toxic

LOOPBACK = "127.0.0.1"


class FakeToxics:
    """Keeps toxics as a fault proxy does: a name once, and only what is there can go."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Toxic] = {}
        self.enabled: dict[str, bool] = {}

    def add_toxic(self, proxy_name: str, toxic: Toxic) -> None:
        if (proxy_name, toxic.name) in self.kept:
            raise StackError("toxic already exists")
        self.kept[proxy_name, toxic.name] = toxic

    def remove_toxic(self, proxy_name: str, toxic_name: str) -> None:
        if (proxy_name, toxic_name) not in self.kept:
            raise StackError("toxic not found")
        del self.kept[proxy_name, toxic_name]

    def set_enabled(self, name: str, enabled: bool) -> None:
        self.enabled[name] = enabled


def link(port: int = 1, toxics: FakeToxics | None = None) -> LinkTarget:
    return LinkTarget(
        "to_store", "http://127.0.0.1:8474", "run-to_store", (LOOPBACK, port), toxics or FakeToxics()
    )


@contextmanager
def peer(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection with `behave` on a port of its own, which is yielded."""
    with socket.create_server((LOOPBACK, 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def answer(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")


def close(connection: socket.socket) -> None:
    connection.recv(1024)


def reset(connection: socket.socket) -> None:
    connection.recv(1024)
    # Lingering for no time makes close(2) send RST (socket(7), SO_LINGER).
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


@pytest.mark.parametrize(("behave", "outcome"), [(answer, "answered"), (close, "closed"), (reset, "reset")])
def test_probe_tells_what_its_connection_met(behave: Callable[[socket.socket], None], outcome: str) -> None:
    with peer(behave) as port:
        probe = link(port).probe(timeout_seconds=10)

    assert probe.outcome == outcome
    assert 0 < probe.elapsed_ms < 10_000


def test_probe_of_a_black_hole_is_silent_for_the_whole_timeout() -> None:
    with peer(stay_silent) as port:
        probe = link(port).probe(timeout_seconds=0.05)

    assert probe.outcome == "silent"
    assert probe.elapsed_ms >= 49


def test_probe_of_a_port_where_nothing_listens_is_refused() -> None:
    assert link(free_port()).probe().outcome == "refused"


def test_link_target_can_be_severed_and_is_no_process() -> None:
    assert isinstance(link(), Severable)
    assert not isinstance(link(), Killable)


def test_toxic_lands_on_the_proxy_of_the_link_and_goes_again() -> None:
    toxics = FakeToxics()
    target = link(toxics=toxics)

    target.add_toxic("hole", "timeout", "upstream", {"timeout": 0}, 0.5)
    kept = dict(toxics.kept)
    target.remove_toxic("hole")

    assert kept == {
        ("run-to_store", "hole"): Toxic(
            name="hole", type="timeout", stream="upstream", toxicity=0.5, attributes={"timeout": 0}
        )
    }
    assert toxics.kept == {}


def test_toxic_that_the_proxy_refuses_is_a_failed_fault() -> None:
    target = link()
    target.add_toxic("hole", "timeout", "upstream", {"timeout": 0}, 1.0)

    with pytest.raises(FaultError, match='"to_store": toxic timeout was not taken: toxic already exists'):
        target.add_toxic("hole", "timeout", "upstream", {"timeout": 0}, 1.0)


def test_toxic_that_cannot_be_removed_is_a_failed_fault() -> None:
    with pytest.raises(FaultError, match="toxic hole was not removed: toxic not found"):
        link().remove_toxic("hole")


def test_undo_of_a_toxic_names_the_proxy_and_where_its_api_answers() -> None:
    undo = link().undo_toxic("hole")

    assert undo == Undo(
        "remove_toxic",
        {
            "link": "to_store",
            "proxy_url": "http://127.0.0.1:8474",
            "proxy": "run-to_store",
            "toxic": "hole",
        },
    )


def test_link_goes_down_and_comes_up_as_the_proxy_is_told() -> None:
    toxics = FakeToxics()
    target = link(toxics=toxics)
    target.disconnect()
    down = dict(toxics.enabled)
    target.connect()

    assert isinstance(target, Disconnectable)
    assert down == {"run-to_store": False}
    assert toxics.enabled == {"run-to_store": True}


def test_link_that_the_proxy_does_not_take_down_is_a_failed_fault() -> None:
    class Deaf(FakeToxics):
        def set_enabled(self, name: str, enabled: bool) -> None:
            raise StackError("no answer")

    with pytest.raises(FaultError, match='link "to_store" does not go down: no answer'):
        link(toxics=Deaf()).disconnect()


def test_undo_of_a_link_that_is_down_names_the_proxy_and_where_its_api_answers() -> None:
    assert link().undo_disconnect() == Undo(
        "enable_proxy", {"link": "to_store", "proxy_url": "http://127.0.0.1:8474", "proxy": "run-to_store"}
    )


def test_the_links_own_connections_are_counted_until_one_is_refused():
    """While a link refuses, nobody counts whom else it refuses."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        target = link(listening.getsockname()[1])
        before = target.own_connections
        target.probe(0.05)
        target.push(8, 0.05)
        counted = target.own_connections
    refused = target.probe(0.05).outcome

    assert (before, counted) == (0, 2)
    assert (refused, target.own_connections) == ("refused", -1)
