"""Each fault's label: where its cause lies, by what it does and to what."""

from dataclasses import replace

import pytest

from harness.judging.fault_causes import causes_of
from harness.model.declarations import Keys, Part, Promises, Stack, Step

STACK = Stack(
    name="s",
    needs=("elasticsearch", "vault", "smtp"),
    links={"to_store": "elasticsearch", "to_kms": "vault", "to_mail": "smtp"},
    processes=(),
    intake=Part("python_logging"),
    acknowledged_by="return",
    archive=Part("elasticsearch", {"url": "{elasticsearch.url}", "index": "i"}),
    promises=Promises(),
    keys=Keys(("rotate",), ("status",), provider_link="to_kms"),
)


@pytest.mark.parametrize(
    ("fault", "target", "causes"),
    [
        ("killed", "elasticsearch", {"store_down", "network"}),
        ("black_hole", "to_store", {"network", "store_down", "store_slow"}),
        ("requests_refused", "to_store", {"store_refuses"}),
        ("black_hole", "to_kms", {"keys"}),
        ("killed", "key_server", {"keys"}),
        ("killed", "vault", {"keys"}),
        ("disk_full", "spool", {"disk"}),
        ("spike", "load", {"load"}),
        ("new_error", "load", {"application"}),
        ("killed", "application", set()),
        ("killed", "shipper", set()),
        ("black_hole", "to_mail", set()),
        ("lying_answers", "to_store", set()),
        ("latency", "to_store", set()),
        ("my_package:MyFault", "to_store", set()),
    ],
)
def test_the_label_follows_from_what_is_done_to_what(fault, target, causes):
    assert causes_of([Step(fault, target, 1, 6)], STACK) == (frozenset(causes),)


@pytest.mark.parametrize("target", ["elasticsearch", "elasticsearch_2", "elected_master", "to_store"])
def test_one_node_of_several_is_no_store_that_is_down(target):
    cluster = replace(STACK, needs=("elasticsearch", "elasticsearch_2"))

    assert causes_of([Step("killed", target, 1, 6)], cluster) == (frozenset(),)
