"""Where a record comes from: what is the same for each call at one place of a program, in one thread."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter

from logging_system.records.document import Document, encode_document

_PLACES_MAX = 512

origin_of = itemgetter("levelname", "name", "filename", "lineno", "funcName", "process", "threadName")
"""Takes from a record's attributes what its origin is made of.

Raises:
    KeyError: Somebody has taken one out.
"""


def origin_fields(
    service: object,
    entity_id: object,
    level: object,
    logger: object,
    file: object,
    line: object,
    function: object,
    pid: object,
    thread: object,
) -> Document:
    """Return the fields `log`, `service` and `process`.

    Args:
        service: `service.name`.
        entity_id: `process.entity_id`.
        level: The rest is what `origin_of` took, in order. An application may have put anything there.
        logger: `log.logger`.
        file: `log.origin.file.name`.
        line: `log.origin.file.line`.
        function: `log.origin.function`.
        pid: `process.pid`.
        thread: `process.thread.name`.
    """
    return {
        "log": {
            "level": str(level).lower(),
            "logger": logger,
            "origin": {"file": {"name": file, "line": line}, "function": function},
        },
        "service": {"name": service},
        "process": {"pid": pid, "entity_id": entity_id, "thread": {"name": thread}},
    }


# By type, too: 1 and True are equal, and not the same as JSON.
@lru_cache(maxsize=_PLACES_MAX, typed=True)
def origin_members(*origin: object) -> bytes:
    """Return `origin_fields` as members of a JSON object, without its braces; those used last are kept.

    Args:
        origin: The arguments of `origin_fields`, in its order.

    Raises:
        TypeError: One of them cannot be looked up.
    """
    return encode_document(origin_fields(*origin))[1:-1]
