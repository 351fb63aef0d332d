"""All proxies of the process, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.programs.tcp_proxy.clock import Clock
from harness.programs.tcp_proxy.errors import ApiError, bad_request, missing_field
from harness.programs.tcp_proxy.names import checked_name
from harness.programs.tcp_proxy.proxy import Mode, Proxy
from harness.programs.tcp_proxy.toxic import text_field

PROXIES_MAX = 1024


@dataclass(frozen=True, slots=True)
class _Description:
    """What a request says a proxy should be."""

    name: str
    listen: str
    upstream: str
    enabled: bool


class Collection:
    """Creates, finds and removes proxies; its callers let one change at a time through."""

    def __init__(self, mode: Mode, clock: Clock) -> None:
        self._mode = mode
        self._clock = clock
        self._proxies: dict[str, Proxy] = {}

    def documents(self) -> dict[str, object]:
        """Every proxy as the API writes it, sorted by name."""
        return {name: self._proxies[name].document() for name in sorted(self._proxies)}

    def get(self, name: str) -> Proxy:
        """The proxy of that name.

        Raises:
            ApiError: there is none (404).
        """
        if name not in self._proxies:
            raise ApiError(404, "proxy not found")
        return self._proxies[name]

    async def create(self, body: Mapping[str, object]) -> Proxy:
        """A new proxy, listening unless `enabled` is false.

        Raises:
            ApiError: a field missing or wrong (400), name taken (409), address not free (500).
        """
        description = _description(body, "")
        if description.name in self._proxies:
            raise ApiError(409, "proxy already exists")
        return await self._start(description)

    async def populate(self, bodies: Sequence[object], done: list[Proxy]) -> None:
        """Create or replace proxies in order; one with the same addresses stays, with its toxics and state.

        Args:
            bodies: the proxies wanted.
            done: filled as they are ready, so that the caller can tell how far it came when this raises.

        Raises:
            ApiError: an entry is wrong (400, before any is touched), or cannot be started (500).
        """
        descriptions = [
            _description(object_of(body), f" at proxy {number}")
            for number, body in enumerate(bodies, start=1)
        ]
        for description in descriptions:
            existing = self._proxies.get(description.name)
            if existing is not None and not existing.differs(description.listen, description.upstream):
                done.append(existing)
                continue
            if existing is not None:
                await existing.stop()
            done.append(await self._start(description))

    async def update(self, name: str, body: Mapping[str, object]) -> Proxy:
        """Change a proxy's listen address, upstream or state; what the body leaves out stays.

        Raises:
            ApiError: no such proxy (404), a wrong field (400), or the address is not free (500).
        """
        proxy = self.get(name)
        await proxy.update(
            listen=text_field(body, "listen") or proxy.listen,
            upstream=text_field(body, "upstream") or proxy.upstream,
            enabled=_enabled(body, proxy.is_enabled),
        )
        return proxy

    async def remove(self, name: str) -> None:
        """Stop a proxy and forget it.

        Raises:
            ApiError: there is none (404).
        """
        await self.get(name).stop()
        del self._proxies[name]

    async def reset(self) -> None:
        """Enable every proxy and take every toxic off.

        Raises:
            ApiError: a proxy cannot listen again (500).
        """
        for proxy in list(self._proxies.values()):
            await proxy.start()
            proxy.reset_toxics()

    async def stop(self) -> None:
        """Stop every proxy."""
        for proxy in list(self._proxies.values()):
            await proxy.stop()

    async def _start(self, description: _Description) -> Proxy:
        if description.name not in self._proxies and len(self._proxies) >= PROXIES_MAX:
            raise ApiError(409, f"there are {PROXIES_MAX} proxies already; delete one first")
        proxy = Proxy(description.name, description.listen, description.upstream, self._mode, self._clock)
        if description.enabled:
            await proxy.start()
        self._proxies[proxy.name] = proxy
        return proxy


def object_of(value: object) -> Mapping[str, object]:
    """A JSON value that must be an object; null is an empty one, as in Go.

    Raises:
        ApiError: it is something else (400).
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request(f"expected an object, got {type(value).__name__}")
    return value


def _description(body: Mapping[str, object], place: str) -> _Description:
    name = text_field(body, "name")
    upstream = text_field(body, "upstream")
    listen = text_field(body, "listen")
    enabled = _enabled(body, True)
    for field, value in (("name", name), ("upstream", upstream)):
        if not value:
            raise missing_field(f"{field}{place}")
    return _Description(checked_name(name), listen, upstream, enabled)


def _enabled(body: Mapping[str, object], default: bool) -> bool:
    value = body.get("enabled")
    if value is None:
        return default
    if not isinstance(value, bool):
        raise bad_request(f"enabled must be true or false, got {value!r}")
    return value
