from __future__ import annotations

import dataclasses

import pytest

from harness.programs.tcp_proxy.errors import ApiError
from harness.programs.tcp_proxy.toxics import KINDS, kind_of, with_attributes
from harness.programs.tcp_proxy.toxics.stage import Stage
from tests.unit.harness.programs.tcp_proxy.stage_bench import Bench


@pytest.mark.parametrize("type_name", KINDS)
def test_each_kind_resolves_with_bounded_whole_number_attributes(type_name: str) -> None:
    kind = kind_of(type_name)

    assert isinstance(kind.stage(Bench().context()), Stage)
    assert all(field.metadata["maximum"] > 0 and field.default == 0 for field in dataclasses.fields(kind))


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ApiError, match="invalid toxic type") as refused:
        kind_of("latencyy")

    assert refused.value.status == 400


def test_noop_passes_everything_on() -> None:
    bench = Bench()
    stage = kind_of("noop").stage(bench.context())
    stage.receive(b"a", bench.clock.now())
    stage.finish()

    assert bench.outcome.written == [b"a"]
    assert bench.outcome.is_closed


def test_attributes_not_named_or_null_stay() -> None:
    kind = with_attributes(kind_of("latency"), {"latency": 5, "jitter": 1}, strict=False)

    assert dataclasses.asdict(with_attributes(kind, {"jitter": 2, "latency": None}, strict=False)) == {
        "latency": 5,
        "jitter": 2,
    }
    assert with_attributes(kind, None, strict=False) is kind


@pytest.mark.parametrize("value", [-1, 1.5, True, "5", 1 << 62, [5]])
def test_value_that_would_break_the_real_server_is_refused(value: object) -> None:
    with pytest.raises(ApiError, match=r"attributes\.latency") as refused:
        with_attributes(kind_of("latency"), {"latency": value}, strict=False)

    assert refused.value.status == 400


def test_attributes_must_be_an_object() -> None:
    with pytest.raises(ApiError, match="object"):
        with_attributes(kind_of("latency"), [1], strict=False)


def test_unknown_attribute_is_ignored_unless_strict() -> None:
    kind = kind_of("latency")

    assert with_attributes(kind, {"delay": 1}, strict=False) == kind
    with pytest.raises(ApiError, match="delay"):
        with_attributes(kind, {"delay": 1}, strict=True)


@pytest.mark.parametrize(
    "attributes", [None, {}, {"average_size": 0}, {"average_size": 5, "size_variation": 6}]
)
def test_combination_that_would_kill_the_real_server_is_refused(attributes: object) -> None:
    with pytest.raises(ApiError, match=r"attributes\.(average_size|size_variation) must") as refused:
        with_attributes(kind_of("slicer"), attributes, strict=False)

    assert refused.value.status == 400
