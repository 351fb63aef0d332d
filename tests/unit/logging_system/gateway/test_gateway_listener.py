from __future__ import annotations

import socket

import pytest

from logging_system.gateway.server import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_accepted_connection_sends_its_answer_at_once(host: str) -> None:
    if host == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        accepted, _address = listener.accept()
        with accepted:
            nodelay = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert nodelay
