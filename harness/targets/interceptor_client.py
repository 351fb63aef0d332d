"""The client of `elastic_gate`, the proxy that bends a store's HTTP answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from harness import http_client
from harness.http_client import HttpAnswer, TimedOutError, TooLongError, UnreachableError
from harness.model.errors import FaultError
from harness.model.protocols import Arguments

ANSWER_BYTES_MAX = 4 * 1024 * 1024
NAME_LENGTH_MAX = 255


class GateError(FaultError):
    """The gate could not be made to do what a fault or its undo needs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to bend the exchanges through a gate.

    Attributes:
        kind: the gate's word for it, e.g. `refuse`.
        arguments: what that kind takes.
        share: the share of its requests, above 0 to 1, that it takes hold of.
        seed: decides which ones, and all its other chance.
    """

    kind: str
    arguments: Arguments = field(default_factory=dict)
    share: float = 1.0
    seed: int = 0


class ElasticGateClient:
    """Drives one gate program. Each call opens a connection of its own and ends after `timeout_seconds`.

    Every call raises GateError where the gate does not answer, refuses, or answers something else.
    """

    def __init__(self, url: str, timeout_seconds: float = 5.0) -> None:
        """Remember where the program is; nothing is sent yet.

        Args:
            url: `http://host:port` of the control API.
            timeout_seconds: bound of each call.
        """
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def create(self, name: str, listen: str, upstream: str) -> str:
        """Make a gate and return the `host:port` it listens on; port 0 takes a free one."""
        content = self._call("POST", "/gates", {"name": name, "listen": listen, "upstream": upstream})
        return str(content.get("listen", ""))

    def delete(self, name: str) -> None:
        """Stop and forget a gate; its connections end."""
        self._call("DELETE", _path(name))

    def gates(self) -> list[str]:
        """Return the names of all gates."""
        return sorted(self._call("GET", "/gates"))

    def put_rule(self, gate_name: str, rule_name: str, rule: Rule) -> None:
        """Set a rule on a gate, in the place of one of that name."""
        body = {
            "kind": rule.kind,
            "arguments": dict(rule.arguments),
            "share": rule.share,
            "seed": rule.seed,
        }
        self._call("PUT", _path(gate_name, rule_name), body)

    def remove_rule(self, gate_name: str, rule_name: str) -> None:
        """Take a rule off a gate; requests under way finish as they began."""
        self._call("DELETE", _path(gate_name, rule_name))

    def counters(self, gate_name: str, rule_name: str) -> Mapping[str, int]:
        """Return what a rule has done since it was set; empty where it is not there."""
        content = self._call("GET", f"{_path(gate_name)}/counters")
        rules = content.get("rules")
        counted = rules.get(rule_name, {}) if isinstance(rules, dict) else {}
        return {name: count for name, count in counted.items() if isinstance(count, int)}

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
            raise GateError(f"{error} Restart the gate program.") from error
        except UnreachableError as error:
            raise GateError(
                f"{error} Check that the gate runs and that this is its API's address."
            ) from error
        except TooLongError as error:
            raise GateError(str(error)) from error
        content = _content(answer)
        if answer.status >= 300:
            raise GateError(
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


def _foreign(where: str) -> GateError:
    return GateError(f"{where}: this is not a gate's API; check which program listens there.")


def _path(gate_name: str, rule_name: str | None = None) -> str:
    names = (gate_name,) if rule_name is None else (gate_name, rule_name)
    for name in names:
        if not name or "/" in name or name in {".", ".."} or len(name) > NAME_LENGTH_MAX:
            raise GateError(
                f"name {name[:40]!r}: use 1 to {NAME_LENGTH_MAX} characters without a slash, not dots alone."
            )
    return "/gates/" + "/rules/".join(quote(name, safe="") for name in names)
