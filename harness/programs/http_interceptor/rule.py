"""One named rule on one interceptor: which requests it is for, its chance, and what it has done."""

from __future__ import annotations

import dataclasses
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from harness.programs.http_interceptor.errors import ApiError
from harness.programs.http_interceptor.messages import Answer, Onward, Request
from harness.programs.http_interceptor.rules import kind_of
from harness.programs.http_interceptor.rules.kind import Kind

COUNTERS_MAX = 2_000
ARGUMENTS = ("kind", "arguments", "share", "seed", "path")


@dataclass
class Rule:
    """A kind at work.

    Attributes:
        share: the share of its requests, 0 to 1, that it takes hold of.
        seed: decides which ones, and all other chance of the rule.
        path: the last part of the paths it is for (`_bulk`), or `*`.
        counters: what it has done; `seen` counts the requests it was asked about.
    """

    kind_word: str
    kind: Kind
    share: float
    seed: int
    path: str
    counters: Counter[str] = field(default_factory=Counter)

    def concerns(self, target: bytes) -> bool:
        """Whether it is for requests to this target, whatever its share."""
        if self.path == "*":
            return True
        return urlsplit(target.decode("latin-1")).path.rstrip("/").rpartition("/")[2] == self.path

    async def handle(self, request: Request, onward: Onward) -> Answer:
        """Bend the exchange, or take it onward as it is.

        The chance of the n-th request depends on the seed and n alone, not on what came between.
        """
        self._note("seen", 1)
        rng = Random(self.seed * 1_000_003 + self.counters["seen"])  # noqa: S311 - reproducible, no secret
        if rng.random() >= self.share:
            return await onward(request)
        return await self.kind.handle(request, onward, rng, self._note)

    def document(self) -> dict[str, object]:
        """The rule as the API writes it."""
        return {
            "kind": self.kind_word,
            "arguments": dataclasses.asdict(self.kind),  # type: ignore[call-overload]
            "share": self.share,
            "seed": self.seed,
            "path": self.path,
        }

    def _note(self, counter: str, count: int) -> None:
        if counter in self.counters or len(self.counters) < COUNTERS_MAX:
            self.counters[counter] += count


def rule_of(name: str, body: Mapping[str, object]) -> Rule:
    """Return the rule that a request describes.

    Raises:
        ApiError: a field unknown, missing, of the wrong type or out of range (400).
    """
    if unknown := sorted(set(body) - set(ARGUMENTS)):
        raise ApiError(400, f"unknown fields {unknown}; a rule has {list(ARGUMENTS)}")
    word, arguments = body.get("kind"), body.get("arguments", {})
    if not isinstance(word, str) or not isinstance(arguments, dict):
        raise ApiError(400, "kind must be text and arguments an object")
    kind = kind_of(word, arguments)
    share, seed, path = body.get("share", 1.0), body.get("seed"), body.get("path", kind.path)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise ApiError(400, f"share must be above 0 and at most 1, got {share!r}")
    if seed is None:
        seed = zlib.crc32(name.encode())
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ApiError(400, f"seed must be a whole number, got {seed!r}")
    if not isinstance(path, str) or not path or "/" in path:
        raise ApiError(400, f"path must be the last part of a path, such as _bulk, or *, got {path!r}")
    return Rule(word, kind, float(share), seed, path)
