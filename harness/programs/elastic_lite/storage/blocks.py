"""Blocks on the cluster and on indices: what each of them stops, and the answer to what it stops.

Source: an 8.19 server's answers. The block of the flood stage answers 429, all others 403.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from harness.programs.elastic_lite.language.errors import ElasticError
from harness.programs.elastic_lite.storage.catalog import Catalog, Index

FORBIDDEN, TOO_MANY_REQUESTS = 403, 429
WORDS = {FORBIDDEN: "FORBIDDEN", TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS"}
FLOOD_STAGE = (
    "disk usage exceeded flood-stage watermark, index has read-only-allow-delete block; for more "
    "information, see https://www.elastic.co/guide/en/elasticsearch/reference/8.19/fix-watermark-errors.html"
)


class Level(Enum):
    """What a request does to the indices it names."""

    READ = "read"
    WRITE = "write"
    METADATA_READ = "metadata_read"
    METADATA_WRITE = "metadata_write"


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of block: the setting that puts it up, its number and words, and what it stops."""

    setting: str
    number: int
    words: str
    levels: frozenset[Level]
    status: int = FORBIDDEN
    lets_delete: bool = False

    def __str__(self) -> str:
        """Its part of a reason."""
        return f"{WORDS[self.status]}/{self.number}/{self.words}"


WRITES = frozenset({Level.WRITE, Level.METADATA_WRITE})
READ_ONLY = Block("index.blocks.read_only", 5, "index read-only (api)", WRITES)
READ = Block("index.blocks.read", 7, "index read (api)", frozenset({Level.READ}))
WRITE = Block("index.blocks.write", 8, "index write (api)", frozenset({Level.WRITE}))
METADATA = Block(
    "index.blocks.metadata",
    9,
    "index metadata (api)",
    frozenset({Level.METADATA_READ, Level.METADATA_WRITE}),
)
ALLOW_DELETE = Block(
    "index.blocks.read_only_allow_delete",
    12,
    FLOOD_STAGE,
    frozenset({Level.WRITE}),
    TOO_MANY_REQUESTS,
    lets_delete=True,
)
OF_INDEX = (ALLOW_DELETE, METADATA, WRITE, READ, READ_ONLY)
CLUSTER_ALLOW_DELETE = Block(
    "cluster.blocks.read_only_allow_delete",
    13,
    "cluster read-only / allow delete (api)",
    WRITES,
    lets_delete=True,
)
CLUSTER_READ_ONLY = Block("cluster.blocks.read_only", 6, "cluster read-only (api)", WRITES)
OF_CLUSTER = (CLUSTER_ALLOW_DELETE, CLUSTER_READ_ONLY)

CLUSTER_SETTINGS = frozenset(block.setting for block in OF_CLUSTER)


def of_cluster(catalog: Catalog, level: Level, deleting: bool = False) -> list[Block]:
    """The cluster's blocks that stop a level; deleting indices passes those that make room."""
    return [
        block
        for block in OF_CLUSTER
        if level in block.levels
        and not (deleting and block.lets_delete)
        and catalog.setting(block.setting, "false") == "true"
    ]


def of_index(index: Index, level: Level) -> list[Block]:
    """An index's own blocks that stop a level."""
    return [
        block for block in OF_INDEX if level in block.levels and index.settings.get(block.setting) == "true"
    ]


def blocked(
    catalog: Catalog, indices: Iterable[Index], level: Level, deleting: bool = False
) -> ElasticError | None:
    """What stops a request to indices, or None; every index that is blocked is named with its blocks.

    Args:
        catalog: Holds the cluster's blocks, which lie on every index.
        indices: What the request is about.
        level: What it does to them.
        deleting: Whether it removes them whole.
    """
    above = of_cluster(catalog, level, deleting)
    found = {index.name: [*above, *of_index(index, level)] for index in indices}
    return error_of([(f"index [{name}] ", blocks) for name, blocks in found.items() if blocks])


def error_of(parts: list[tuple[str, list[Block]]]) -> ElasticError | None:
    """The answer to what is stopped; the wish to try again only where nothing else stands in the way."""
    if not parts:
        return None
    reason = "".join(f"{where}blocked by: [{', '.join(map(str, blocks))}];" for where, blocks in parts)
    statuses = {block.status for _, blocks in parts for block in blocks}
    status = TOO_MANY_REQUESTS if statuses == {TOO_MANY_REQUESTS} else FORBIDDEN
    return ElasticError(status, "cluster_block_exception", reason)


def refuse_blocked(catalog: Catalog, indices: Iterable[Index], level: Level, deleting: bool = False) -> None:
    """An error when an index, or the cluster around it, is blocked.

    Raises:
        ElasticError: 403, or 429 at the flood stage.
    """
    error = blocked(catalog, indices, level, deleting)
    if error is not None:
        raise error


def refuse_blocked_cluster(catalog: Catalog, level: Level, where: str = "") -> None:
    """An error when the cluster is blocked.

    Args:
        catalog: Holds the cluster's blocks.
        level: What the request does.
        where: What the reason begins with, for a request that names an index to be.

    Raises:
        ElasticError: 403.
    """
    blocks = of_cluster(catalog, level)
    error = error_of([(where, blocks)] if blocks else [])
    if error is not None:
        raise error


def refuse_settings_change(catalog: Catalog, indices: Iterable[Index], changes: dict[str, object]) -> None:
    """An error when index settings may not be changed; those that lift a block may.

    Raises:
        ElasticError: 403.
    """
    refuse_blocked_cluster(catalog, Level.METADATA_WRITE)
    lifting = {READ_ONLY.setting, ALLOW_DELETE.setting} & changes.keys()
    if not lifting and list(changes) != [METADATA.setting]:
        refuse_blocked(catalog, indices, Level.METADATA_WRITE)


def refuse_cluster_settings_change(catalog: Catalog, changes: Iterable[tuple[str, object]]) -> None:
    """An error when cluster settings may not be changed; a request that only lifts blocks may.

    Raises:
        ElasticError: 403.
    """
    if any(name not in CLUSTER_SETTINGS or value not in (None, "false") for name, value in changes):
        refuse_blocked_cluster(catalog, Level.METADATA_WRITE)
