"""The data stream's template: only what is searched is mapped, so no line can break the mapping."""

from __future__ import annotations

PRIORITY = 200
"""Above the built-in `logs-*-*` template's 100."""

_KEYWORD = {"type": "keyword", "ignore_above": 1024}
_TEXT = {"type": "text", "norms": False}

_PROPERTIES: dict[str, object] = {
    "@timestamp": {"type": "date"},
    "message": _TEXT,
    "log": {"properties": {"level": _KEYWORD, "logger": _KEYWORD}},
    "service": {"properties": {"name": _KEYWORD}},
    "process": {
        "properties": {
            "pid": {"type": "long", "ignore_malformed": True},
            "entity_id": _KEYWORD,
            "thread": {"properties": {"name": _KEYWORD}},
        }
    },
    "event": {"properties": {"sequence": {"type": "long", "ignore_malformed": True}}},
    "error": {
        "properties": {
            "type": _KEYWORD,
            "message": _TEXT,
            "stack_trace": {"type": "keyword", "index": False, "doc_values": False},
        }
    },
    # A flattened value is stored with its key as one term, of which Lucene takes 32,766 bytes.
    "labels": {"type": "flattened", "ignore_above": 4096},
}


def index_template(stream: str) -> dict[str, object]:
    """Return the body of `PUT _index_template/…` for the data stream `stream`."""
    return {
        "index_patterns": [stream],
        "priority": PRIORITY,
        "data_stream": {},
        "template": {
            # One node has nowhere to put a replica, and a yellow index would look like an unhealthy one.
            "settings": {"index": {"auto_expand_replicas": "0-1"}},
            "mappings": {"dynamic": False, "properties": _PROPERTIES},
        },
        "_meta": {"managed_by": "logging_system"},
    }
