"""The client of every TCP fault proxy: the embedded one and the real Toxiproxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from harness import http_client
from harness.http_client import HttpAnswer, TimedOutError, TooLongError, UnreachableError
from harness.model.errors import FaultError

Attribute = int | float | str | bool

ANSWER_BYTES_MAX = 16 * 1024 * 1024
NAME_LENGTH_MAX = 255
_DAY_MS = 86_400_000
# Largest value of each attribute of Toxiproxy's toxics; its times overflow far above, and it then panics.
_ATTRIBUTE_MAX: Mapping[str, Mapping[str, int]] = {
    "noop": {},
    "latency": {"latency": _DAY_MS, "jitter": _DAY_MS},
    "timeout": {"timeout": _DAY_MS},
    "reset_peer": {"timeout": _DAY_MS},
    "slow_close": {"delay": _DAY_MS},
    "bandwidth": {"rate": 1_000_000_000},
    "slicer": {"average_size": 1 << 30, "size_variation": 1 << 30, "delay": _DAY_MS * 1000},
    "limit_data": {"bytes": 1 << 62},
}


class ProxyError(FaultError):
    """The fault proxy could not be made to do what a fault or its undo needs."""


class ProxyInputError(ProxyError):
    """The call was refused before it was sent: the server would crash on it or keep it for good."""


class ProxyUnreachableError(ProxyError):
    """Nothing answers HTTP at the proxy's address."""


class ProxyTimeoutError(ProxyError):
    """The proxy accepted the call and did not answer in time."""


class ProxyAnswerError(ProxyError):
    """The proxy answered with an error, or with something that is not Toxiproxy's API.

    Attributes:
        status: the HTTP status: 400 malformed, 403 browser, 404 unknown name, 409 name taken, 500 address
            not free, 503 the proxy gave up on itself.

    Args:
        message: the call, what was answered and the remedy.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Toxic:
    """One fault on one direction of a proxy's connections.

    Attributes:
        stream: `downstream` (server to client) or `upstream` (client to server).
        toxicity: share of links, 0 to 1, that it takes hold of.
        attributes: as Toxiproxy documents them for the type; times in milliseconds.
    """

    name: str
    type: str
    stream: str = "downstream"
    toxicity: float = 1.0
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A listener at `listen` whose connections are forwarded to `upstream`, both `host:port`."""

    name: str
    listen: str
    upstream: str
    enabled: bool = True
    toxics: tuple[Toxic, ...] = ()


class ToxiproxyClient:
    """Drives one proxy server. Each call opens a connection of its own, so a restarted server needs no care.

    A call ends after `timeout_seconds` with the whole answer or an error: a Toxiproxy that hangs answers
    nothing at all.

    Every call raises ProxyInputError, ProxyUnreachableError, ProxyTimeoutError or ProxyAnswerError.
    """

    def __init__(self, url: str, timeout_seconds: float = 5.0) -> None:
        """Remember where the server is; nothing is sent yet.

        Args:
            url: `http://host:port` of the API.
            timeout_seconds: bound of each call.
        """
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def version(self) -> str:
        """The server's version; a Toxiproxy built with `go install` says `git`."""
        call = self._call("GET", "/version")
        return _text(call, _object(call, _document(call)), "version")

    def list(self) -> dict[str, Proxy]:
        """Return all proxies by name."""
        call = self._call("GET", "/proxies")
        return {name: _proxy(call, value) for name, value in _object(call, _document(call)).items()}

    def get(self, name: str) -> Proxy:
        """The proxy of that name."""
        call = self._call("GET", _path(name))
        return _proxy(call, _document(call))

    def create(self, name: str, listen: str, upstream: str, enabled: bool = True) -> Proxy:
        """A new proxy.

        Args:
            name: unused so far.
            listen: `host:port`; port 0 takes a free one, which the answer tells.
            upstream: `host:port` to forward to.
            enabled: listen at once.
        """
        _check_name("proxy", name)
        body = {"name": name, "listen": listen, "upstream": upstream, "enabled": enabled}
        call = self._call("POST", "/proxies", body)
        return _proxy(call, _document(call))

    def delete(self, name: str) -> None:
        """Stop and forget a proxy; its connections end."""
        self._call("DELETE", _path(name))

    def set_enabled(self, name: str, enabled: bool) -> Proxy:
        """Let a proxy listen, or refuse new connections and end the open ones."""
        call = self._call("PATCH", _path(name), {"enabled": enabled})
        return _proxy(call, _document(call))

    def add_toxic(self, proxy_name: str, toxic: Toxic) -> Toxic:
        """Put a toxic on all connections, open and to come."""
        _check_toxic(toxic)
        call = self._call("POST", f"{_path(proxy_name)}/toxics", _toxic_body(toxic))
        return _toxic(call, _document(call))

    def update_toxic(self, proxy_name: str, toxic: Toxic) -> Toxic:
        """Give the toxic of that name these attributes and this toxicity; attributes not named stay.

        Args:
            proxy_name: the proxy that has it.
            toxic: its name must be there; type and stream cannot be changed.

        Returns:
            The toxic as it is now.
        """
        _check_toxic(toxic)
        body = {"toxicity": toxic.toxicity, "attributes": dict(toxic.attributes)}
        call = self._call("PATCH", _path(proxy_name, toxic.name), body)
        return _toxic(call, _document(call))

    def remove_toxic(self, proxy_name: str, toxic_name: str) -> None:
        """Take a toxic off; what it held back goes on at once, and `timeout` closes what it was on."""
        self._call("DELETE", _path(proxy_name, toxic_name))

    def populate(self, proxies: Sequence[Proxy]) -> tuple[Proxy, ...]:
        """Create or replace proxies; one whose addresses are unchanged stays, with its toxics and state.

        The toxics of the arguments are not sent. On an error some of the proxies may be there.
        """
        for proxy in proxies:
            _check_name("proxy", proxy.name)
        body = [
            {"name": p.name, "listen": p.listen, "upstream": p.upstream, "enabled": p.enabled}
            for p in proxies
        ]
        call = self._call("POST", "/populate", body)
        done = _object(call, _document(call)).get("proxies")
        return tuple(_proxy(call, value) for value in _list(call, done))

    def reset(self) -> None:
        """Enable all proxies and remove all toxics."""
        self._call("POST", "/reset")

    def _call(self, method: str, path: str, body: object = None) -> HttpAnswer:
        try:
            answer = http_client.call(
                method,
                self.url + path,
                timeout_seconds=self._timeout_seconds,
                answer_bytes_max=ANSWER_BYTES_MAX,
                body=None if body is None else orjson.dumps(body),
            )
        except TimedOutError as error:
            raise ProxyTimeoutError(f"{error} {_HANGS}") from error
        except UnreachableError as error:
            raise ProxyUnreachableError(
                f"{error} Check that the proxy runs and that this is its API's address."
            ) from error
        except TooLongError as error:
            raise ProxyAnswerError(str(error), error.status) from error
        if answer.status >= 300:
            raise _refused(answer)
        return answer


_HANGS = (
    "Toxiproxy locks a proxy for good when a toxic is removed while a connection's reader is stalled; "
    "listing and reset hang then too. Restart the proxy server."
)


def _document(answer: HttpAnswer) -> object:
    try:
        value: object = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise _foreign(answer, f"no JSON ({error})") from error
    return value


def _refused(answer: HttpAnswer) -> ProxyAnswerError:
    reason = answer.body[:500].decode("utf-8", "replace").strip() or "no reason given"
    remedy = {
        403: "The proxy turns browsers away; something put a Mozilla User-Agent on the call.",
        404: "List the proxies to see which names exist.",
        409: "Delete the one that has this name first, or choose another name.",
        500: "Another process may hold the address; choose port 0 for a free one.",
        503: "The proxy gave up on the call and may be locked for good: restart it.",
    }.get(answer.status, "Correct the call.")
    return ProxyAnswerError(f"{answer.where}: HTTP {answer.status}: {reason}. {remedy}", answer.status)


def _foreign(answer: HttpAnswer, what: str) -> ProxyAnswerError:
    return ProxyAnswerError(
        f"{answer.where}: {what}. This is not Toxiproxy's API; check which program listens there.",
        answer.status,
    )


# What would crash the server or could never be deleted is refused here.


def _check_name(noun: str, name: str) -> None:
    if not name or "/" in name or name in {".", ".."} or len(name) > NAME_LENGTH_MAX:
        raise ProxyInputError(
            f"{noun} name {name[:40]!r}: it could be created and never deleted. Use 1 to {NAME_LENGTH_MAX} "
            "characters without a slash, and not dots alone."
        )


def _path(proxy_name: str, toxic_name: str | None = None) -> str:
    _check_name("proxy", proxy_name)
    path = f"/proxies/{quote(proxy_name, safe='')}"
    if toxic_name is None:
        return path
    _check_name("toxic", toxic_name)
    return f"{path}/toxics/{quote(toxic_name, safe='')}"


def _check_toxic(toxic: Toxic) -> None:
    _check_name("toxic", toxic.name)
    where = f"toxic {toxic.name!r}"
    if toxic.stream not in {"upstream", "downstream"}:
        raise ProxyInputError(f"{where}: stream {toxic.stream!r} is neither `upstream` nor `downstream`.")
    if not 0 <= toxic.toxicity <= 1:
        raise ProxyInputError(f"{where}: toxicity {toxic.toxicity} is no share of links; use 0 to 1.")
    # Types that Toxiproxy does not have are another server's own; it checks them itself.
    known = _ATTRIBUTE_MAX.get(toxic.type)
    if known is not None:
        for name, value in toxic.attributes.items():
            _check_attribute(where, name, value, known)
    if toxic.type == "slicer":
        _check_slicer(where, toxic.attributes)


def _check_attribute(where: str, name: str, value: Attribute, known: Mapping[str, int]) -> None:
    if name not in known:
        raise ProxyInputError(f"{where}: no attribute {name!r}; this type has {sorted(known)}.")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= known[name]:
        raise ProxyInputError(
            f"{where}: {name} = {value!r} may crash the proxy server; use a whole number, 0 to {known[name]}."
        )


def _check_slicer(where: str, attributes: Mapping[str, Attribute]) -> None:
    average = attributes.get("average_size", 0)
    variation = attributes.get("size_variation", 0)
    if not isinstance(average, int) or not isinstance(variation, int) or average < 1 or variation > average:
        raise ProxyInputError(
            f"{where}: average_size {average!r} with size_variation {variation!r} crashes the proxy server; "
            "average_size must be at least 1, and size_variation no larger."
        )


# JSON to nouns.


def _toxic_body(toxic: Toxic) -> dict[str, object]:
    return {
        "name": toxic.name,
        "type": toxic.type,
        "stream": toxic.stream,
        "toxicity": toxic.toxicity,
        "attributes": dict(toxic.attributes),
    }


def _proxy(answer: HttpAnswer, value: object) -> Proxy:
    document = _object(answer, value)
    return Proxy(
        name=_text(answer, document, "name"),
        listen=_text(answer, document, "listen"),
        upstream=_text(answer, document, "upstream"),
        enabled=document.get("enabled") is True,
        toxics=tuple(_toxic(answer, toxic) for toxic in _list(answer, document.get("toxics"))),
    )


def _toxic(answer: HttpAnswer, value: object) -> Toxic:
    document = _object(answer, value)
    toxicity = document.get("toxicity")
    if not isinstance(toxicity, int | float):
        raise _foreign(answer, f"toxicity is {toxicity!r}")
    attributes = _object(answer, document.get("attributes"))
    return Toxic(
        name=_text(answer, document, "name"),
        type=_text(answer, document, "type"),
        stream=_text(answer, document, "stream"),
        toxicity=float(toxicity),
        attributes={k: v for k, v in attributes.items() if isinstance(v, int | float | str | bool)},
    )


def _object(answer: HttpAnswer, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _foreign(answer, f"expected an object, got {type(value).__name__}")
    return value


def _list(answer: HttpAnswer, value: object) -> Sequence[object]:
    if value is None:  # Go writes an empty slice as null.
        return ()
    if not isinstance(value, list):
        raise _foreign(answer, f"expected a list, got {type(value).__name__}")
    return value


def _text(answer: HttpAnswer, document: Mapping[str, object], field_name: str) -> str:
    value = document.get(field_name)
    if not isinstance(value, str):
        raise _foreign(answer, f"{field_name} is {value!r}")
    return value
