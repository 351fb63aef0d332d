"""Which handler a method and a path mean, and which parameters it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from harness.programs.elastic_lite.api.http import Handler
from harness.programs.elastic_lite.language.errors import PlainError, illegal_argument

COMMON = frozenset({"pretty", "human", "error_trace", "filter_path", "format"})
TARGETS = frozenset(
    {"ignore_unavailable", "allow_no_indices", "expand_wildcards", "local", "master_timeout", "timeout"}
)


@dataclass(frozen=True, slots=True)
class Route:
    """One handler: the methods and the path it serves, and the parameters it knows."""

    methods: tuple[str, ...]
    path: str
    handler: Handler
    parameters: frozenset[str] = frozenset()

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The names in a path, or None when it is another one."""
        pattern = self.path.strip("/").split("/") if self.path != "/" else []
        if len(pattern) != len(segments):
            return None
        names: dict[str, str] = {}
        for part, segment in zip(pattern, segments, strict=True):
            if part.startswith("{"):
                names[part[1:-1]] = segment
            elif part != segment:
                return None
        return names


class Router:
    """All routes; words in a path go before names, as in Elasticsearch's own lookup."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = sorted(
            routes, key=lambda route: [part.startswith("{") for part in route.path.split("/")]
        )

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and the names in its path.

        Args:
            method: In capitals.
            raw_path: As sent: percent signs are decoded segment by segment, so an id may hold a slash.

        Raises:
            PlainError: 400 when no route has this path, 405 when none has it with this method.
        """
        segments = [unquote(part) for part in raw_path.split("/") if part]
        allowed: tuple[str, ...] = ()
        pattern: str | None = None
        for route in self.routes:
            names = route.match(segments) if pattern in (None, route.path) else None
            if names is None:
                continue
            if method in route.methods:
                return route, names
            pattern, allowed = route.path, (*allowed, *route.methods)
        if not allowed:
            raise PlainError(400, f"no handler found for uri [{raw_path}] and method [{method}]")
        reason = (
            f"Incorrect HTTP method for uri [{raw_path}] and method [{method}], allowed: "
            f"[{', '.join(allowed)}]"
        )
        raise PlainError(405, reason, allowed)


def check_parameters(route: Route, raw_path: str, given: Iterable[str]) -> None:
    """Refuse parameters that a route does not know.

    Raises:
        ElasticError: 400, as Elasticsearch answers a misspelt one.
    """
    unknown = sorted(set(given) - COMMON - route.parameters)
    if unknown:
        word = "parameter" if len(unknown) == 1 else "parameters"
        listed = ", ".join(f"[{name}]" for name in unknown)
        raise illegal_argument(f"request [{raw_path}] contains unrecognized {word}: {listed}")
