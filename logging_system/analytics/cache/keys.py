"""What makes two questions the same: who asks, in which namespace, of what, and the canonical body."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_ORDERED = frozenset({"sort", "order"})
"""Objects under these keys say an order by the order of their own keys."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom answers are kept; two scopes never share one.

    Attributes:
        namespace: The namespace asked about; it may be empty.
        identity: Who asks, as `identity_of` tells; it may be empty where nobody is told apart.
    """

    namespace: str
    identity: str


def identity_of(token: str) -> str:
    """Return a name for who asks with a token, from which the token cannot be told."""
    return hashlib.sha256(b"logquake analytics identity\0" + token.encode()).hexdigest()


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return a search's body so that the same question is the same bytes, whatever its order of keys.

    Raises:
        TypeError: The body holds what is no JSON.
    """
    return orjson.dumps(_in_order(body, ordered=False))


def question_key(scope: Scope, target: str, body: Mapping[str, Any]) -> bytes:
    """Return the key of a question.

    Args:
        scope: For whom.
        target: Data streams, as the search names them.
        body: The body of `_search`.

    Raises:
        TypeError: The body holds what is no JSON.
    """
    digest = hashlib.sha256()
    for part in (scope.namespace.encode(), scope.identity.encode(), target.encode(), canonical(body)):
        # The length before each part: no two lists of parts run together to the same bytes.
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _in_order(value: Any, *, ordered: bool) -> Any:
    if isinstance(value, Mapping):
        names = list(value) if ordered else sorted(value)
        return {name: _in_order(value[name], ordered=name in _ORDERED) for name in names}
    if isinstance(value, (list, tuple)):
        return [_in_order(each, ordered=ordered) for each in value]
    return value
