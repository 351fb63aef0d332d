from __future__ import annotations

import pytest

from harness.programs.tcp_proxy.errors import ApiError
from harness.programs.tcp_proxy.names import checked_name, join_address, loopback_address, split_address


@pytest.mark.parametrize(
    ("address", "pair"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:80", ("::1", 80)),
        (":80", ("127.0.0.1", 80)),
        ("h:0", ("h", 0)),
    ],
)
def test_address_is_split_into_host_and_port(address: str, pair: tuple[str, int]) -> None:
    assert split_address(address) == pair


@pytest.mark.parametrize(
    "address", ["", "host", "[::1]", "host:", "host:http", "host:65536", "host:-1", "host:²"]
)
def test_text_without_a_port_is_refused_as_the_real_server_does(address: str) -> None:
    with pytest.raises(ApiError, match="address") as refused:
        split_address(address)

    assert refused.value.status == 500


@pytest.mark.parametrize("address", ["127.0.0.1:80", "[::1]:80"])
def test_joined_address_is_the_one_that_was_split(address: str) -> None:
    assert join_address(*split_address(address)) == address


@pytest.mark.parametrize(
    ("address", "pair"),
    [("localhost:80", ("127.0.0.1", 80)), ("", ("127.0.0.1", 0)), ("127.1.2.3:1", ("127.1.2.3", 1))],
)
def test_loopback_address_may_be_listened_on(address: str, pair: tuple[str, int]) -> None:
    assert loopback_address(address) == pair


@pytest.mark.parametrize("address", ["0.0.0.0:80", "10.0.0.1:80", "[::]:80", "example.org:80"])
def test_other_addresses_may_not(address: str) -> None:
    with pytest.raises(ApiError, match="loopback") as refused:
        loopback_address(address)

    assert refused.value.status == 400


@pytest.mark.parametrize("name", ["a", "two words", "ü?#%", "...", "x" * 255])
def test_name_that_fits_into_a_path_is_kept(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["a/b", ".", "..", "x" * 256])
def test_name_that_no_path_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match="deleted"):
        checked_name(name)
