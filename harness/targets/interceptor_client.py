"""The client of `http_interceptor`, the proxy that bends a store's HTTP answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from harness import http_client
from harness.http_client import HttpAnswer, TimedOutError, TooLongError, UnreachableError
from harness.model.declarations import Arguments
from harness.model.errors import FaultError

ANSWER_BYTES_MAX = 4 * 1024 * 1024
NAME_LENGTH_MAX = 255


class InterceptorError(FaultError):
    """The interceptor could not be made to do what a fault or its undo needs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to bend the exchanges through an interceptor.

    Attributes:
        kind: the interceptor's word for it, e.g. `refuse`.
        arguments: what that kind takes.
        share: the share of its requests, above 0 to 1, that it takes hold of.
        seed: decides which ones, and all its other chance.
    """

    kind: str
    arguments: Arguments = field(default_factory=dict)
    share: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What has come through an interceptor so far.

    Attributes:
        connections: how many it has accepted.
        connected_ns: when it accepted the last of them, by CLOCK_MONOTONIC; 0 before the first.
        answers: how many have begun to come from the store.
    """

    connections: int
    connected_ns: int
    answers: int


class InterceptorClient:
    """Drives one interceptor program; each call has a connection of its own and ends after `timeout_seconds`.

    Every call raises InterceptorError where the program does not answer, refuses, or answers something else.
    """

    def __init__(self, url: str, timeout_seconds: float = 5.0) -> None:
        """Remember where the program is; nothing is sent yet.

        Args:
            url: `http://host:port` of the control API.
            timeout_seconds: bound of each call.
        """
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def create(self, name: str, listen: str, upstream: str, record: str = "") -> str:
        """Make an interceptor and return the `host:port` it listens on; port 0 takes a free one.

        Args:
            name: what it is called in other calls.
            listen: `host:port`.
            upstream: `host:port` of the store.
            record: a file, made by this, that takes all requests as they come; empty = none.
        """
        body = {"name": name, "listen": listen, "upstream": upstream}
        content = self._call("POST", "/interceptors", {**body, "record": record} if record else body)
        return str(content.get("listen", ""))

    def delete(self, name: str) -> None:
        """Stop and forget an interceptor; its connections end."""
        self._call("DELETE", _path(name))

    def interceptors(self) -> list[str]:
        """Return the names of all interceptors."""
        return sorted(self._call("GET", "/interceptors"))

    def put_rule(self, interceptor_name: str, rule_name: str, rule: Rule) -> None:
        """Set a rule on an interceptor, in the place of one of that name."""
        body = {
            "kind": rule.kind,
            "arguments": dict(rule.arguments),
            "share": rule.share,
            "seed": rule.seed,
        }
        self._call("PUT", _path(interceptor_name, rule_name), body)

    def remove_rule(self, interceptor_name: str, rule_name: str) -> None:
        """Take a rule off an interceptor; requests under way finish as they began."""
        self._call("DELETE", _path(interceptor_name, rule_name))

    def counters(self, interceptor_name: str, rule_name: str) -> Mapping[str, int]:
        """Return what a rule has done since it was set; empty where it is not there."""
        content = self._counters(interceptor_name)
        rules = content.get("rules")
        counted = rules.get(rule_name, {}) if isinstance(rules, dict) else {}
        return {name: count for name, count in counted.items() if isinstance(count, int)}

    def traffic(self, interceptor_name: str) -> Traffic:
        """Return what has come through an interceptor so far."""
        content = self._counters(interceptor_name)
        counted = [content.get(name) for name in ("connections", "connected_ns", "answers")]
        connections, connected_ns, answers = (each if isinstance(each, int) else 0 for each in counted)
        return Traffic(connections, connected_ns, answers)

    def _counters(self, interceptor_name: str) -> dict[str, object]:
        return self._call("GET", f"{_path(interceptor_name)}/counters")

    def _call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        try:
            answer = http_client.call(
                method,
                self.url + path,
                timeout_seconds=self._timeout_seconds,
                answer_bytes_max=ANSWER_BYTES_MAX,
                body=None if body is None else orjson.dumps(body),
            )
        except TimedOutError as error:
            raise InterceptorError(f"{error} Restart the interceptor program.") from error
        except UnreachableError as error:
            raise InterceptorError(
                f"{error} Check that the interceptor runs and that this is its API's address."
            ) from error
        except TooLongError as error:
            raise InterceptorError(str(error)) from error
        content = _content(answer)
        if answer.status >= 300:
            raise InterceptorError(
                f"{answer.where}: HTTP {answer.status}: {content.get('error', 'no reason given')}"
            )
        return content


def _content(answer: HttpAnswer) -> dict[str, object]:
    try:
        content = orjson.loads(answer.body or b"{}")
    except orjson.JSONDecodeError as error:
        raise _foreign(answer.where) from error
    if not isinstance(content, dict):
        raise _foreign(answer.where)
    return content


def _foreign(where: str) -> InterceptorError:
    return InterceptorError(f"{where}: this is not an interceptor's API; check which program listens there.")


def _path(interceptor_name: str, rule_name: str | None = None) -> str:
    names = (interceptor_name,) if rule_name is None else (interceptor_name, rule_name)
    for name in names:
        if not name or "/" in name or name in {".", ".."} or len(name) > NAME_LENGTH_MAX:
            raise InterceptorError(
                f"name {name[:40]!r}: use 1 to {NAME_LENGTH_MAX} characters without a slash, not dots alone."
            )
    return "/interceptors/" + "/rules/".join(quote(name, safe="") for name in names)
