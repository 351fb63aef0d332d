"""Putting a block on an index over HTTP; it is lifted through the index's settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.indices_api import WILDCARDS_REFUSED
from harness.programs.elastic_lite.api.routes import NO_WAIT, ONE_COPY, TARGETS, Route, takes
from harness.programs.elastic_lite.language.errors import illegal_argument, index_not_found, validation_failed
from harness.programs.elastic_lite.storage.blocks import (
    ALLOW_DELETE,
    OF_INDEX,
    Block,
    Level,
    of_cluster,
    refuse_blocked,
)
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.targets import Targets
from harness.programs.elastic_lite.storage.writer import Transaction

Json = dict[str, Any]
BY_NAME = {block.setting.rpartition(".")[2]: block for block in OF_INDEX}


async def add_block(server: Server, call: Call) -> Answer:
    """Put a block on indices; those that have it already are not named in the answer."""
    block = block_of(call.names["block"])
    expression = call.names["index"]
    strict = server.catalog.setting("action.destructive_requires_name", "true") == "true"
    if strict and (expression == "_all" or "*" in expression):
        raise illegal_argument(WILDCARDS_REFUSED)
    targets = call.targets()
    added = await server.write(lambda it: put_block(it, expression, block, targets))
    indices = [{"name": name, "blocked": True} for name in added]
    return Answer({"acknowledged": True, "shards_acknowledged": bool(added), "indices": indices})


def block_of(name: str) -> Block:
    """The block of a name.

    Raises:
        ElasticError: 400 for none, and for the one that only a full disk puts up.
    """
    block = BY_NAME.get(name)
    if block is None:
        raise illegal_argument(f"No block found with name {name}")
    if block is ALLOW_DELETE:
        raise validation_failed(f"{name} block is for internal use only")
    return block


def put_block(transaction: Transaction, expression: str, block: Block, targets: Targets) -> list[str]:
    """Put a block on the indices that an expression means; the names of those that had none.

    Raises:
        ElasticError: 404 for a name that is no index, 403 for one whose settings are blocked.
    """
    catalog = transaction.catalog
    for name in expression.split(","):
        if name in catalog.streams:
            raise index_not_found(name, excluded_data_stream=True)
    indices = catalog.resolve(expression, targets)
    if Level.METADATA_WRITE not in block.levels or of_cluster(catalog, Level.METADATA_WRITE):
        refuse_blocked(catalog, indices, Level.METADATA_WRITE)
    new = [index for index in indices if index.settings.get(block.setting) != "true"]
    for index in new:
        transaction.catalog = transaction.catalog.with_index(with_block(index, block))
    return [index.name for index in new]


def with_block(index: Index, block: Block) -> Index:
    """An index with a block put up."""
    return replace(index, settings={**index.settings, block.setting: "true"})


PARAMETERS = takes(*TARGETS, inert=NO_WAIT, only={"wait_for_active_shards": ONE_COPY})
ROUTES = [Route(("PUT",), "/{index}/_block/{block}", add_block, PARAMETERS, None)]
