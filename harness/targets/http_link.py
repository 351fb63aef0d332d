"""A link that speaks HTTP as a target: what `link.py` has, and rules on it through the interceptor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.model.declarations import Arguments
from harness.model.errors import FaultError, HarnessError
from harness.model.protocols import Undo
from harness.targets.interceptor_client import Rule, Traffic
from harness.targets.link import LinkTarget, ToxicServer

_POLL_SECONDS = 0.05


class RuleServer(Protocol):
    """What this target needs of the interceptor; `InterceptorClient` is one."""

    def put_rule(self, interceptor_name: str, rule_name: str, rule: Rule) -> None:
        """Set a rule on an interceptor.

        Args:
            interceptor_name: the link's name there.
            rule_name: how the rule is called from then on; one of that name is replaced.
            rule: what it does to which requests.
        """
        ...

    def remove_rule(self, interceptor_name: str, rule_name: str) -> None:
        """Take the rule `rule_name` off the link that the server calls `interceptor_name`."""
        ...

    def counters(self, interceptor_name: str, rule_name: str) -> Mapping[str, int]:
        """Return what the rule `rule_name` has done on the link that is called `interceptor_name` there."""
        ...

    def traffic(self, interceptor_name: str) -> Traffic:
        """Return what has come so far through the link that the server calls `interceptor_name`."""
        ...


class HttpLinkTarget(LinkTarget):
    """One link through the fault proxy and then the interceptor; implements Severable and Interceptable.

    Args:
        name: how scenarios call it.
        proxy_url: where the fault proxy's API is, for whoever has to undo a fault later.
        proxy_name: how both the fault proxy and the interceptor call this link.
        listen: host and port that the stack connects to.
        server: the fault proxy.
        interceptor_url: where the interceptor's API is, for whoever has to undo a fault later.
        interceptor: the interceptor.
        sequence_path: where documents on it hold their record's number; empty = nowhere.
    """

    def __init__(
        self,
        name: str,
        proxy_url: str,
        proxy_name: str,
        listen: tuple[str, int],
        server: ToxicServer,
        interceptor_url: str,
        interceptor: RuleServer,
        sequence_path: str = "",
    ) -> None:
        super().__init__(name, proxy_url, proxy_name, listen, server)
        self._interceptor_name = proxy_name
        self._interceptor_url = interceptor_url
        self._interceptor = interceptor
        self.sequence_path = sequence_path

    def add_rule(self, name: str, kind: str, arguments: Arguments, share: float, seed: int) -> None:
        """Change exchanges from now on, for a share (above 0 to 1) of requests.

        Raises:
            FaultError: the interceptor does not take it.
        """
        try:
            self._interceptor.put_rule(self._interceptor_name, name, Rule(kind, arguments, share, seed))
        except HarnessError as error:
            raise FaultError(f'link "{self.name}": rule {kind} was not taken: {error}') from error

    def remove_rule(self, name: str) -> None:
        """Take a rule off again.

        Raises:
            FaultError: the interceptor does not do it.
        """
        try:
            self._interceptor.remove_rule(self._interceptor_name, name)
        except HarnessError as error:
            raise FaultError(f'link "{self.name}": rule {name} was not removed: {error}') from error

    def undo_rule(self, name: str) -> Undo:
        """Name the rule, the interceptor it is on and where that interceptor's API answers."""
        return Undo(
            "remove_rule",
            {
                "link": self.name,
                "interceptor_url": self._interceptor_url,
                "interceptor": self._interceptor_name,
                "rule": name,
            },
        )

    def altered(self, name: str, counters: Sequence[str], timeout_seconds: float = 5.0) -> Mapping[str, int]:
        """Wait until one of these counters of a rule is above 0, at most that long; return all its counters.

        Raises:
            FaultError: the interceptor does not tell.
        """
        until = time.monotonic() + timeout_seconds
        while True:
            try:
                counted = self._interceptor.counters(self._interceptor_name, name)
            except HarnessError as error:
                raise FaultError(f'link "{self.name}": the interceptor tells no counters: {error}') from error
            if any(counted.get(counter, 0) for counter in counters) or time.monotonic() >= until:
                return counted
            time.sleep(_POLL_SECONDS)

    def traffic(self) -> Traffic:
        """Return what has come through this link so far.

        Raises:
            FaultError: the interceptor does not tell.
        """
        try:
            return self._interceptor.traffic(self._interceptor_name)
        except HarnessError as error:
            raise FaultError(f'link "{self.name}": the interceptor tells no counters: {error}') from error
