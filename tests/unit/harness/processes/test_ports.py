import socket
from pathlib import Path

from harness.processes.ports import LOOPBACK, free_port, release_port


def test_port_is_handed_out_only_once() -> None:
    ports = [free_port() for _ in range(50)]

    assert len(set(ports)) == 50
    for port in ports:
        release_port(port)


def test_port_lies_outside_the_range_of_outgoing_connections() -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())

    port = free_port()

    assert not lowest <= port <= highest
    release_port(port)


def test_port_that_something_listens_on_is_passed_over() -> None:
    first = free_port()
    with socket.create_server((LOOPBACK, first)):
        release_port(first)
        second = free_port()

    assert second != first
    release_port(second)
