"""What both proxies do with toxics that shape a stream: bandwidth, slicer, limit_data, slow_close."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.targets.toxiproxy_client import ProxyInputError, Toxic
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

MIB = 1024 * 1024
EARLY_CONNECTIONS = 16
# What both kernel buffers of a connection hold at most; a proxy adds little to it.
KERNEL_BYTES_MAX = 16 * MIB


# bandwidth.


def test_bandwidth_passes_that_many_thousand_bytes_a_second(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("narrow", "bandwidth", attributes={"rate": 200}))
    data = os.urandom(100_000)
    start = time.monotonic()
    received = carry(far, near, data)
    seconds = time.monotonic() - start

    assert received == data
    assert 0.45 <= seconds < 5


def test_bandwidth_lets_the_first_bytes_of_a_large_chunk_pass_before_the_last(wire: Wire) -> None:
    near, far = wire.live_pair()
    # The whole chunk would take ten seconds, which a reader that comes late does not reach.
    wire.client.add_toxic("wire", Toxic("narrow", "bandwidth", attributes={"rate": 1}))
    far.sendall(bytes(10_000))
    first = near.recv(65536)
    wire.client.remove_toxic("wire", "narrow")

    assert 0 < len(first) < 10_000
    assert len(receive_exactly(near, 10_000 - len(first))) == 10_000 - len(first)


def test_bandwidth_holds_back_clients_that_send_before_the_upstream_is_dialled(wire: Wire) -> None:
    """Most of a connection's first bytes race the dial, so many are opened: each must be held back."""
    wire.client.add_toxic("wire", Toxic("narrow", "bandwidth", "upstream", attributes={"rate": 1}))

    def pour(_: int) -> int:
        return send_until_held_back(wire.connect(), bytes_max=64 * MIB, patience_seconds=1.0)

    with ThreadPoolExecutor(EARLY_CONNECTIONS) as pool:
        poured = list(pool.map(pour, range(EARLY_CONNECTIONS)))

    assert max(poured) < KERNEL_BYTES_MAX


def test_bandwidth_leaves_the_other_direction_alone(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("narrow", "bandwidth", "upstream", attributes={"rate": 1}))
    data = os.urandom(200_000)

    assert carry(far, near, data) == data


def test_bandwidth_zero_holds_every_byte_and_the_end_behind_them(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("shut", "bandwidth", attributes={"rate": 0}))
    far.sendall(b"held")
    far.close()
    was_held = nothing_arrives(near, 0.4)
    wire.client.remove_toxic("wire", "shut")

    assert was_held
    assert receive_to_end(near) == b"held"


def test_raised_bandwidth_sends_the_chunk_in_hand_at_once(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("shut", "bandwidth", attributes={"rate": 0}))
    far.sendall(b"held")
    was_held = nothing_arrives(near, 0.2)
    wire.client.update_toxic("wire", Toxic("shut", "bandwidth", attributes={"rate": 1}))

    assert was_held
    assert receive_exactly(near, 4) == b"held"


def test_bandwidth_holds_the_sender_back(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("shut", "bandwidth", attributes={"rate": 0}))
    send_until_held_back(far, bytes_max=512 * MIB, patience_seconds=1.0)

    assert nothing_arrives(near, 0.2)


# slicer.


def test_slicer_delivers_every_byte_in_order(wire: Wire) -> None:
    attributes = {"average_size": 700, "size_variation": 300, "delay": 0}
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("slices", "slicer", attributes=attributes))
    data = os.urandom(300_000)

    assert carry(far, near, data) == data


def test_slicer_pauses_between_its_pieces(wire: Wire) -> None:
    near, far = wire.live_pair()
    attributes = {"average_size": 10, "size_variation": 0, "delay": 50_000}
    wire.client.add_toxic("wire", Toxic("slices", "slicer", attributes=attributes))
    pieces: list[int] = []
    # Pieces that wait for a late reader come to it as one.
    with at_least(0.140):
        far.sendall(b"x" * 40)
        while sum(pieces) < 40:
            pieces.append(len(near.recv(65536)))

    assert sum(pieces) == 40
    assert {size % 10 for size in pieces} == {0}


def test_slicer_varies_the_size_of_its_pieces_within_bounds(wire: Wire) -> None:
    near, far = wire.live_pair()
    attributes = {"average_size": 20, "size_variation": 10, "delay": 20_000}
    wire.client.add_toxic("wire", Toxic("slices", "slicer", attributes=attributes))
    far.sendall(b"x" * 400)
    pieces: list[int] = []
    while sum(pieces) < 400:
        pieces.append(len(near.recv(30)))

    assert sum(pieces) == 400
    assert len(pieces) >= 400 / 30
    assert len(set(pieces)) > 1


def test_removed_slicer_sends_the_rest_at_once(wire: Wire) -> None:
    near, far = wire.live_pair()
    attributes = {"average_size": 1, "size_variation": 0, "delay": 3_600_000_000}
    wire.client.add_toxic("wire", Toxic("slices", "slicer", attributes=attributes))
    far.sendall(b"abcdefgh")
    first = receive_exactly(near, 1)
    was_held = nothing_arrives(near, 0.2)
    wire.client.remove_toxic("wire", "slices")

    assert first == b"a"
    assert was_held
    assert receive_exactly(near, 7) == b"bcdefgh"


@pytest.mark.parametrize(
    "attributes", [{}, {"average_size": 0}, {"average_size": 5, "size_variation": 6}], ids=str
)
def test_slicer_that_kills_the_server_is_never_sent(wire: Wire, attributes: dict[str, int]) -> None:
    with pytest.raises(ProxyInputError, match="crashes the proxy server"):
        wire.client.add_toxic("wire", Toxic("slices", "slicer", attributes=attributes))


# limit_data.


@pytest.mark.parametrize("sent", [b"0123456789", b"0123456789abcdef"], ids=["exactly", "more"])
def test_limit_data_ends_the_stream_after_that_many_bytes(wire: Wire, sent: bytes) -> None:
    wire.client.add_toxic("wire", Toxic("quota", "limit_data", attributes={"bytes": 10}))
    near, far = wire.pair()
    far.sendall(sent)

    assert receive_to_end(near) == b"0123456789"


def test_limit_data_counts_each_connection_by_itself(wire: Wire) -> None:
    wire.client.add_toxic("wire", Toxic("quota", "limit_data", attributes={"bytes": 4}))
    for _ in range(2):
        near, far = wire.pair()
        far.sendall(b"abc")

        assert receive_exactly(near, 3) == b"abc"


def test_limit_data_added_to_a_live_connection_counts_from_then_on(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("quota", "limit_data", attributes={"bytes": 3}))
    far.sendall(b"abcdef")

    assert receive_to_end(near) == b"abc"


def test_changed_limit_counts_what_has_passed_already(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("quota", "limit_data", attributes={"bytes": 100}))
    passed = carry(far, near, b"abc")
    wire.client.update_toxic("wire", Toxic("quota", "limit_data", attributes={"bytes": 5}))
    far.sendall(b"defghi")

    assert passed == b"abc"
    assert receive_to_end(near) == b"de"


def test_limit_of_nothing_closes_at_the_first_byte(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("quota", "limit_data", attributes={"bytes": 0}))
    was_open = nothing_arrives(near, 0.2)
    far.sendall(b"a")

    assert was_open
    assert receive_to_end(near) == b""


# slow_close.


def test_slow_close_delays_the_end(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("linger", "slow_close", attributes={"delay": 400}))
    with at_least(0.400):
        far.sendall(b"last words")
        far.close()

        assert receive_to_end(near) == b"last words"


def test_slow_close_holds_no_byte_and_its_removal_ends_at_once(wire: Wire) -> None:
    near, far = wire.live_pair()
    wire.client.add_toxic("wire", Toxic("linger", "slow_close", attributes={"delay": 3_600_000}))
    far.sendall(b"last words")
    far.close()
    words = receive_exactly(near, 10)
    was_open = nothing_arrives(near, 0.2)
    wire.client.remove_toxic("wire", "linger")

    assert words == b"last words"
    assert was_open
    assert receive_to_end(near) == b""


# toxicity.


@pytest.mark.parametrize(
    ("type_name", "attributes"),
    [
        ("bandwidth", {"rate": 0}),
        ("slicer", {"average_size": 1, "delay": 3_600_000_000}),
        ("limit_data", {"bytes": 1}),
        ("slow_close", {"delay": 3_600_000}),
    ],
)
def test_toxicity_zero_touches_nothing(wire: Wire, type_name: str, attributes: dict[str, int]) -> None:
    wire.client.add_toxic("wire", Toxic("t", type_name, toxicity=0.0, attributes=attributes))
    near, far = wire.live_pair()
    data = os.urandom(100_000)
    carried = carry(far, near, data)
    far.close()

    assert carried == data
    assert receive_to_end(near) == b""
