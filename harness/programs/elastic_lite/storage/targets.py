"""How names and patterns of a path are read: what may be missing, and what a wildcard reaches."""

from __future__ import annotations

from dataclasses import dataclass

from harness.programs.elastic_lite.language.errors import illegal_argument, unsupported

DEFAULT = frozenset({"open"})
KNOWN = frozenset({"open", "closed", "hidden", "all"})


@dataclass(frozen=True, slots=True)
class Targets:
    """How names and patterns are read.

    Args:
        ignore_unavailable: A name that does not exist is passed by.
        allow_no_indices: A pattern may fit nothing.
        wildcards: What a wildcard reaches: `open`, `closed` (there are none here), `hidden`, `all`.
    """

    ignore_unavailable: bool = False
    allow_no_indices: bool = True
    wildcards: frozenset[str] = DEFAULT

    @property
    def reaches_open(self) -> bool:
        """Whether a wildcard reaches open indices; every index here is open."""
        return bool(self.wildcards & {"open", "all"})

    @property
    def reaches_hidden(self) -> bool:
        """Whether a wildcard reaches hidden indices."""
        return bool(self.wildcards & {"hidden", "all"})


def parse_wildcards(value: str | None, expression: str) -> frozenset[str]:
    """The `expand_wildcards` parameter.

    Args:
        value: As given.
        expression: The names and patterns that it is about; it means nothing to plain names.

    Raises:
        ElasticError: 400 for an unknown word, and where patterns would be plain names.
    """
    if value is None:
        return DEFAULT
    words = frozenset(value.split(","))
    if not words <= KNOWN | {"none"}:
        raise illegal_argument(f"No valid expand wildcard value [{value}]")
    literal = "none" in words or words == {"hidden"}
    if literal and ("*" in expression or expression in ("", "_all")):
        raise unsupported(f"`expand_wildcards` of `{value}`")
    return DEFAULT if literal else words


def refuse_special(part: str) -> None:
    """Refuse names that only Elasticsearch resolves: date math, other clusters, selectors.

    Raises:
        ElasticError: 400 that names the kind.
    """
    if part.startswith("<"):
        raise unsupported(f"date math in the index name `{part}`")
    if "::" in part:
        raise unsupported(f"the selector in `{part}`")
    if ":" in part:
        raise unsupported(f"the remote cluster in `{part}`")
