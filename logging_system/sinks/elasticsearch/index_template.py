"""The index templates of a data stream: only what is searched is mapped, so no line can break the mapping.

```
logging-system-<stream>          index template: the stream's name, priority, and what it is composed of
  ├─ logging-system@mappings     ECS fields; everything else is kept in `_source` and not indexed
  ├─ logging-system@settings     malformed values, replicas, logsdb
  ├─ logging-system@lifecycle    where the server rolls streams over by itself
  └─ logging-system@custom       the operator's own; it need not exist, wins over ours and is never written
```
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

PRIORITY = 200
"""Above the built-in `logs-*-*` template's 100."""

VERSION = 2
"""Rises with every change here: a server's templates of ours are brought up to it, newer ones are left."""

OWNER = "logging_system"

MAPPINGS_NAME = "logging-system@mappings"
SETTINGS_NAME = "logging-system@settings"
LIFECYCLE_NAME = "logging-system@lifecycle"
CUSTOM_NAME = "logging-system@custom"

_KEYWORD = {"type": "keyword", "ignore_above": 1024}
_TEXT = {"type": "text", "norms": False}
_NUMBER = {"type": "long", "ignore_malformed": True}

_PROPERTIES: dict[str, object] = {
    "@timestamp": {"type": "date", "ignore_malformed": False},
    "message": _TEXT,
    "ecs": {"properties": {"version": _KEYWORD}},
    "event": {
        "properties": {
            "action": _KEYWORD,
            "dataset": _KEYWORD,
            "duration": _NUMBER,
            "outcome": _KEYWORD,
            "sequence": _NUMBER,
        }
    },
    "error": {
        "properties": {
            "type": _KEYWORD,
            "message": _TEXT,
            "stack_trace": {"type": "keyword", "index": False, "doc_values": False},
        }
    },
    "host": {"properties": {"name": _KEYWORD}},
    # A flattened value is stored with its key as one term, of which Lucene takes 32,766 bytes.
    "labels": {"type": "flattened", "ignore_above": 4096},
    "log": {"properties": {"level": _KEYWORD, "logger": _KEYWORD}},
    "process": {
        "properties": {
            "pid": _NUMBER,
            "entity_id": _KEYWORD,
            "thread": {"properties": {"name": _KEYWORD}},
        }
    },
    "service": {
        "properties": {"name": _KEYWORD, "version": _KEYWORD, "environment": _KEYWORD},
    },
    "span": {"properties": {"id": _KEYWORD}},
    "tags": _KEYWORD,
    "trace": {"properties": {"id": _KEYWORD}},
    "transaction": {"properties": {"id": _KEYWORD}},
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server was seen to do, beyond what every Elasticsearch 8 does.

    Attributes:
        logsdb: Index mode `logsdb` (8.17): smaller on disk.
        match_only_text: The field type ECS asks of `message`: as searchable, smaller.
        lifecycle: Data streams are rolled over by the server.
    """

    logsdb: bool = False
    match_only_text: bool = False
    lifecycle: bool = False

    def names(self) -> list[str]:
        """Return the names of those it has."""
        return [name for name in ("logsdb", "match_only_text", "lifecycle") if getattr(self, name)]


def component_templates(abilities: Abilities) -> dict[str, dict[str, object]]:
    """Return the bodies of `PUT _component_template/…`, by name.

    Args:
        abilities: What the server was seen to do; the template of lifecycles is there only with that ability.
    """
    parts: dict[str, dict[str, object]] = {
        MAPPINGS_NAME: {"mappings": _mappings(abilities)},
        SETTINGS_NAME: {"settings": {"index": _settings(abilities)}},
    }
    if abilities.lifecycle:
        parts[LIFECYCLE_NAME] = {"lifecycle": {"enabled": True}}
    return {name: {"template": part, "_meta": meta(abilities)} for name, part in parts.items()}


def index_template(stream: str, abilities: Abilities | None = None, retention: str = "") -> dict[str, object]:
    """Return the body of `PUT _index_template/…` for the data stream `stream`, kept for `retention`.

    Args:
        stream: The data stream; the template is for no other.
        abilities: What the server was seen to do; None for what every Elasticsearch 8 does.
        retention: As the server writes it, such as `30d`. None is set where it is empty or the server has no
            lifecycles.
    """
    abilities = abilities or Abilities()
    kept = {"data_retention": retention} if retention and abilities.lifecycle else {}
    return {
        **({"template": {"lifecycle": kept}} if kept else {}),
        "index_patterns": [stream],
        "priority": PRIORITY,
        "data_stream": {},
        "composed_of": [*component_templates(abilities), CUSTOM_NAME],
        "ignore_missing_component_templates": [CUSTOM_NAME],
        "_meta": {**meta(abilities), **kept},
    }


def meta(abilities: Abilities) -> dict[str, object]:
    """Return by what we know a template as ours and as up to date.

    Args:
        abilities: Those it was made for: a server that has got others needs the template again.
    """
    return {"managed_by": OWNER, "version": VERSION, "abilities": abilities.names()}


def _mappings(abilities: Abilities) -> dict[str, object]:
    properties = copy.deepcopy(_PROPERTIES)
    if abilities.match_only_text:
        properties["message"] = {"type": "match_only_text"}
    return {"dynamic": False, "_meta": {"managed_by": OWNER}, "properties": properties}


def _settings(abilities: Abilities) -> dict[str, object]:
    settings: dict[str, object] = {
        # One node has nowhere to put a replica, and a yellow index would look like an unhealthy one.
        "auto_expand_replicas": "0-1",
        "mapping": {"ignore_malformed": True},
    }
    if abilities.logsdb:
        settings["mode"] = "logsdb"
        # A synthetic source gives arrays sorted and labels as text: not what was logged.
        settings["mapping"] = {"ignore_malformed": True, "source": {"mode": "stored"}}
    return settings
