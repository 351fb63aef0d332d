"""Namespaces: whose records these are (a tenant, a team), as the last part of a data stream's name.

A data stream is called `logs-<dataset>-<namespace>`
(https://www.elastic.co/guide/en/ecs/8.17/ecs-data_stream.html). Neither part may hold a `-`, so the last one
of a name ends its dataset, whatever else the name is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DEFAULT_NAMESPACE = "default"
NAMESPACES_MAX = 32
"""Namespaces of one service: each is a data stream with shards of its own, which a store has to hold."""

NAMESPACE_KEY = "namespace"
"""What `extra`, and so a label, calls the namespace that one record asks for."""

_current: ContextVar[str | None] = ContextVar("logging_system_namespace", default=None)
_NAME = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}")
_BACKING = re.compile(r"\.(?:ds|fs)-(?P<stream>.+)-\d{4}\.\d{2}\.\d{2}-\d{6,}")


@contextmanager
def namespace(name: str) -> Iterator[None]:
    """Let what is logged within the block, in this thread or task, belong to a namespace.

    A log call that names one itself (`extra={"namespace": …}`) keeps it. Which namespaces there are says the
    setting `namespaces`: records of another one go to the default, and say so.

    Args:
        name: The namespace, such as that of the tenant whose request is served.
    """
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


def name_namespace(record: logging.LogRecord) -> bool:
    """Let a record ask for the namespace of the block it is logged in; one that it names itself stays.

    Args:
        record: Gets an attribute for it; none outside of every block.

    Returns:
        True, so that as a filter of `logging` it lets every record pass.
    """
    name = _current.get()
    if name is not None:
        record.__dict__.setdefault(NAMESPACE_KEY, name)
    return True


def is_namespace(name: object) -> bool:
    """Whether Elasticsearch takes a name as the namespace of a data stream."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def checked_namespace(name: str) -> str:
    """Return a namespace's name.

    Raises:
        ValueError: It can be none.
    """
    if not is_namespace(name):
        raise ValueError(
            f"{name[:100]!r} is no namespace; it has lower case letters, digits, '_' and '.', 100 at most, "
            "and begins with a letter or digit"
        )
    return name


def stream_of(dataset: str, namespace: str) -> str:
    """Return the data stream of a dataset in a namespace."""
    return f"logs-{dataset}-{namespace}"


def stream_of_index(index: str) -> str:
    """Return the data stream that a backing index belongs to; of any other name the name itself."""
    found = _BACKING.fullmatch(index)
    return found["stream"] if found else index


def namespace_of_stream(stream: str) -> str:
    """Return the namespace of a data stream; empty where its name tells none."""
    parts = stream.split("-")
    return parts[-1] if len(parts) >= 3 and is_namespace(parts[-1]) else ""
