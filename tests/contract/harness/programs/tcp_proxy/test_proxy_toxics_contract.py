"""What the TCP proxy and the real Toxiproxy both do to bytes, quirks included."""

from __future__ import annotations

import os
import socket
import time

import pytest

from harness.targets.toxiproxy_client import Proxy, Toxic, ToxiproxyClient
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import (
    Wire,
    at_least,
    carry,
    client,
    nothing_arrives,
    proxy_url,
    receive_exactly,
    receive_to_end,
    send_until_held_back,
    wire,
)

__all__ = ["client", "proxy_url", "wire"]

UPSTREAM = "127.0.0.1:1"
LATENCY_FOREVER = Toxic("hold", "latency", attributes={"latency": 3_600_000})


# Bytes without toxics.


def test_bytes_pass_both_ways_unchanged(wire: Wire) -> None:
    near, far = wire.pair()
    request, answer = os.urandom(1_000_003), os.urandom(1_000_003)

    assert carry(near, far, request) == request
    assert carry(far, near, answer) == answer


def test_bytes_sent_before_the_upstream_answers_are_kept(wire: Wire) -> None:
    for number in range(20):
        near = wire.connect()
        near.sendall(b"early%03d" % number)

        assert receive_exactly(wire.accept(), 8) == b"early%03d" % number


def test_stalled_reader_holds_the_sender_back_and_loses_nothing(wire: Wire) -> None:
    near, far = wire.pair()
    sent = send_until_held_back(near, bytes_max=512 * 1024 * 1024, patience_seconds=1.0)

    assert len(receive_exactly(far, sent)) == sent


def test_half_close_by_the_client_ends_both_directions(wire: Wire) -> None:
    near, far = wire.live_pair()
    near.sendall(b"last words")
    near.shutdown(socket.SHUT_WR)

    assert receive_to_end(far) == b"last words"
    assert receive_to_end(near) == b""


def test_close_by_the_server_ends_the_client_after_all_bytes(wire: Wire) -> None:
    near, far = wire.live_pair()
    far.sendall(b"last words")
    far.close()

    assert receive_to_end(near) == b"last words"


def test_dead_upstream_looks_like_connect_then_end(client: ToxiproxyClient, wire: Wire) -> None:
    wire.listener.close()
    near = wire.connect()

    assert receive_to_end(near) == b""


# latency.


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_delays_its_direction_at_least_as_asked(wire: Wire, stream: str) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("slow", "latency", stream, attributes={"latency": 150}))
    sender, receiver = (near, far) if stream == "upstream" else (far, near)

    receiver.sendall(b"undelayed")
    assert receive_exactly(sender, 9) == b"undelayed"
    for _ in range(3):
        with at_least(0.150):
            sender.sendall(b"delayed")
            assert receive_exactly(receiver, 7) == b"delayed"


def test_latency_is_pipelined(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("slow", "latency", attributes={"latency": 300}))
    start = time.monotonic()
    for number in range(20):
        far.sendall(b"%02d" % number)
        time.sleep(0.005)
    received = receive_exactly(near, 40)
    seconds = time.monotonic() - start

    assert received == b"".join(b"%02d" % number for number in range(20))
    assert 0.3 <= seconds < 20 * 0.3


def test_latency_holds_the_end_of_the_stream_behind_the_bytes(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("slow", "latency", attributes={"latency": 150}))

    with at_least(0.150):
        far.sendall(b"late")
        far.close()
        assert receive_to_end(near) == b"late"


def test_removing_latency_sends_what_it_held_at_once(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", LATENCY_FOREVER)
    far.sendall(b"held")
    was_held = nothing_arrives(near, 0.2)
    wire.client.remove_toxic("wire", LATENCY_FOREVER.name)

    assert was_held
    assert receive_exactly(near, 4) == b"held"
    assert carry(near, far, b"goes on") == b"goes on"


def test_updating_latency_releases_the_chunk_that_waits(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", LATENCY_FOREVER)
    far.sendall(b"held")
    was_held = nothing_arrives(near, 0.2)
    wire.client.update_toxic("wire", Toxic("hold", "latency", attributes={"latency": 3_500_000}))

    assert was_held
    assert receive_exactly(near, 4) == b"held"


def test_two_latencies_add_up(wire: Wire) -> None:
    near, far = wire.live_pair()
    for name in ("one", "two"):
        wire.client.add_toxic("wire", Toxic(name, "latency", attributes={"latency": 100}))

    with at_least(0.200):
        far.sendall(b"delayed")
        assert receive_exactly(near, 7) == b"delayed"


# timeout.


def test_timeout_zero_swallows_bytes_and_its_removal_closes(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("hole", "timeout"))
    far.sendall(b"swallowed")
    near.sendall(b"other direction")
    was_silent = nothing_arrives(near, 0.3)
    arrived = receive_exactly(far, 15)
    wire.client.remove_toxic("wire", "hole")

    assert was_silent
    assert arrived == b"other direction"
    assert receive_to_end(near) == b""
    assert receive_to_end(far) == b""


def test_timeout_closes_after_that_much_silence(wire: Wire) -> None:
    near, far = wire.live_pair()
    with at_least(0.400):
        wire.client.add_toxic("wire", Toxic("hole", "timeout", attributes={"timeout": 400}))

        assert receive_to_end(near) == b""
    assert receive_to_end(far) == b""


def test_timeout_starts_anew_with_each_chunk(wire: Wire) -> None:
    near, far = wire.live_pair()
    # Long, because the chunk must be there before the first timeout is over.
    with at_least(3.200):
        wire.client.add_toxic("wire", Toxic("hole", "timeout", attributes={"timeout": 3_000}))
        time.sleep(0.2)
        far.sendall(b"swallowed")

        assert receive_to_end(near) == b""


def test_timeout_ends_with_the_stream(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("hole", "timeout"))
    far.close()

    assert receive_to_end(near) == b""


def test_removing_timeout_closes_even_what_its_toxicity_spared(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("hole", "timeout", toxicity=0.0))
    passed = carry(far, near, b"spared")
    wire.client.remove_toxic("wire", "hole")

    assert passed == b"spared"
    assert receive_to_end(near) == b""


# reset_peer.


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_reset_peer_resets_both_ends_of_a_new_connection(wire: Wire, stream: str) -> None:
    wire.client.add_toxic("wire", Toxic("reset", "reset_peer", stream))
    near, far = wire.pair()
    (near if stream == "upstream" else far).sendall(b"springs it")

    with pytest.raises(ConnectionResetError):
        receive_to_end(near)
    with pytest.raises(ConnectionResetError):
        receive_to_end(far)


def test_reset_peer_waits_for_bytes_and_then_for_its_timeout(wire: Wire) -> None:
    wire.client.add_toxic("wire", Toxic("reset", "reset_peer", attributes={"timeout": 200}))
    near, far = wire.pair()
    was_silent = nothing_arrives(near, 0.3)
    with at_least(0.200):
        far.sendall(b"springs it")
        with pytest.raises(ConnectionResetError):
            receive_to_end(near)

    assert was_silent


def test_reset_peer_added_to_a_live_connection_ends_it_without_reset(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("reset", "reset_peer"))
    far.sendall(b"springs it")

    assert receive_to_end(near) == b""


def test_reset_peer_with_toxicity_zero_still_turns_a_close_into_a_reset(wire: Wire) -> None:
    wire.client.add_toxic("wire", Toxic("reset", "reset_peer", toxicity=0.0))
    near, far = wire.live_pair()
    far.close()

    with pytest.raises(ConnectionResetError):
        receive_to_end(near)


# down.


def test_disabled_proxy_ends_live_connections_and_refuses_new_ones(wire: Wire) -> None:
    near, far = wire.live_pair()
    disabled = wire.client.set_enabled("wire", False)

    assert disabled == Proxy("wire", wire.proxy.listen, wire.proxy.upstream, enabled=False)
    assert receive_to_end(near) == b""
    assert receive_to_end(far) == b""
    with pytest.raises(ConnectionRefusedError):
        wire.connect()


def test_enabled_again_it_listens_on_the_same_port_with_its_toxics(wire: Wire) -> None:
    toxic = wire.client.add_toxic("wire", Toxic("slow", "latency", attributes={"latency": 100, "jitter": 0}))
    wire.live_pair()
    wire.client.set_enabled("wire", False)
    enabled = wire.client.set_enabled("wire", True)
    near, far = wire.pair()

    assert enabled == Proxy("wire", wire.proxy.listen, wire.proxy.upstream, toxics=(toxic,))
    with at_least(0.100):
        assert carry(far, near, b"again") == b"again"


def test_deleted_proxy_ends_live_connections_and_frees_its_port(wire: Wire) -> None:
    near, _ = wire.live_pair()
    wire.client.delete("wire")

    assert receive_to_end(near) == b""
    assert wire.client.create("other", wire.proxy.listen, UPSTREAM).listen == wire.proxy.listen


# toxicity.


@pytest.mark.parametrize("type_name", ["latency", "timeout", "reset_peer"])
def test_toxicity_zero_touches_no_bytes(wire: Wire, type_name: str) -> None:
    attribute = "latency" if type_name == "latency" else "timeout"
    wire.client.add_toxic("wire", Toxic("t", type_name, toxicity=0.0, attributes={attribute: 1}))
    data = os.urandom(100_000)
    for _ in range(3):
        near, far = wire.live_pair()

        assert carry(far, near, data) == data


def test_toxicity_is_drawn_for_each_connection(wire: Wire) -> None:
    wire.client.add_toxic("wire", Toxic("t", "timeout", "upstream", toxicity=0.5))
    passed = 0
    for _ in range(40):
        near, far = wire.pair()
        near.sendall(b"?")
        near.shutdown(socket.SHUT_WR)
        passed += receive_to_end(far) == b"?"

    assert 0 < passed < 40
