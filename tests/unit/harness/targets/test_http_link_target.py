from collections.abc import Mapping

import pytest

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.capabilities import Interceptable, Severable
from harness.targets.http_link import HttpLinkTarget
from harness.targets.interceptor_client import InterceptorError, Rule, Traffic
from harness.targets.toxiproxy_client import Toxic


class NoToxics:
    """A fault proxy that is not asked."""

    def add_toxic(self, proxy_name: str, toxic: Toxic) -> None:
        raise NotImplementedError

    def remove_toxic(self, proxy_name: str, toxic_name: str) -> None:
        raise NotImplementedError

    def set_enabled(self, name: str, enabled: bool) -> None:
        raise NotImplementedError


class FakeInterceptor:
    """Keeps rules as an interceptor does; its counters are what each question in turn is told."""

    def __init__(self, *counted: Mapping[str, int], works: bool = True) -> None:
        self.rules: dict[tuple[str, str], Rule] = {}
        self._counted = list(counted)
        self._works = works

    def put_rule(self, interceptor_name: str, rule_name: str, rule: Rule) -> None:
        self._require()
        self.rules[interceptor_name, rule_name] = rule

    def remove_rule(self, interceptor_name: str, rule_name: str) -> None:
        self._require()
        del self.rules[interceptor_name, rule_name]

    def counters(self, interceptor_name: str, rule_name: str) -> Mapping[str, int]:
        self._require()
        return self._counted.pop(0) if len(self._counted) > 1 else self._counted[0]

    def traffic(self, interceptor_name: str) -> Traffic:
        self._require()
        return Traffic(connections=1, connected_ns=2, answers=3)

    def _require(self) -> None:
        if not self._works:
            raise InterceptorError("no answer")


def link(interceptor: FakeInterceptor) -> HttpLinkTarget:
    address = ("127.0.0.1", 1)
    return HttpLinkTarget(
        "to_store",
        "http://127.0.0.1:1",
        "run-to_store",
        address,
        NoToxics(),
        "http://127.0.0.1:2",
        interceptor,
    )


def test_http_link_can_be_severed_and_intercepted() -> None:
    target = link(FakeInterceptor())

    assert isinstance(target, Severable)
    assert isinstance(target, Interceptable)


def test_rule_lands_on_the_interceptor_of_the_link_and_goes_again() -> None:
    interceptor = FakeInterceptor()
    target = link(interceptor)

    target.add_rule("storm", "requests_refused", {"status": 429}, 0.5, 7)
    kept = dict(interceptor.rules)
    target.remove_rule("storm")

    assert kept == {("run-to_store", "storm"): Rule("requests_refused", {"status": 429}, 0.5, 7)}
    assert interceptor.rules == {}


def test_undo_names_the_rule_and_where_it_can_be_removed() -> None:
    assert link(FakeInterceptor()).undo_rule("storm") == Undo(
        "remove_rule",
        {
            "link": "to_store",
            "interceptor_url": "http://127.0.0.1:2",
            "interceptor": "run-to_store",
            "rule": "storm",
        },
    )


def test_altered_waits_for_the_counters_asked_for() -> None:
    interceptor = FakeInterceptor({"seen": 1}, {"seen": 2}, {"seen": 3, "refused": 1})

    assert link(interceptor).altered("storm", ["refused"], timeout_seconds=10) == {"seen": 3, "refused": 1}


def test_altered_gives_up_after_its_timeout_and_tells_what_there_is() -> None:
    assert link(FakeInterceptor({"seen": 1})).altered("storm", ["refused"], timeout_seconds=0) == {"seen": 1}


def test_interceptor_that_does_not_work_is_a_fault_error_that_names_the_link() -> None:
    target = link(FakeInterceptor(works=False))

    with pytest.raises(FaultError, match='link "to_store": rule requests_refused was not taken'):
        target.add_rule("storm", "requests_refused", {}, 1.0, 7)
    with pytest.raises(FaultError, match='link "to_store": rule storm was not removed'):
        target.remove_rule("storm")
    with pytest.raises(FaultError, match='link "to_store": the interceptor tells no counters'):
        target.altered("storm", ["refused"])


def test_what_it_carries_is_what_the_interceptor_tells() -> None:
    assert link(FakeInterceptor()).traffic() == Traffic(connections=1, connected_ns=2, answers=3)

    with pytest.raises(FaultError, match='link "to_store": the interceptor tells no counters: no answer'):
        link(FakeInterceptor(works=False)).traffic()
