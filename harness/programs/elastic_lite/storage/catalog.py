"""What exists: indices, data streams, templates and cluster settings, as one immutable value."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field, replace
from typing import Any

from harness.programs.elastic_lite.language.errors import index_not_found
from harness.programs.elastic_lite.language.names import matches
from harness.programs.elastic_lite.mapping.mappings import FIELDS_MAX, Mapping, Options, compile_mapping
from harness.programs.elastic_lite.storage.targets import Targets, refuse_special

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its declaration and the next sequence number it gives to a write."""

    number: int
    name: str
    uuid: str
    created_ms: int
    settings: Json
    mapping: Mapping
    seq_no_next: int = 0
    data_stream: str | None = None

    @property
    def shards(self) -> int:
        """Primary shards as declared; the documents lie in one place whatever it says."""
        return int(self.settings.get("index.number_of_shards", 1))

    @property
    def copies(self) -> int:
        """Shards with their replicas, which a single node never assigns."""
        return self.shards * (1 + int(self.settings.get("index.number_of_replicas", 1)))

    @property
    def refresh_interval(self) -> str:
        """How old a write gets before a search finds it; `-1` means only after an explicit refresh."""
        return str(self.settings.get("index.refresh_interval", "1s"))

    def as_json(self) -> Json:
        """What is kept on disk, the sequence number apart: that is read from the documents."""
        return {
            "number": self.number,
            "name": self.name,
            "uuid": self.uuid,
            "created_ms": self.created_ms,
            "settings": self.settings,
            "mapping": self.mapping.body,
            "data_stream": self.data_stream,
        }


@dataclass(frozen=True, slots=True)
class DataStream:
    """A name that appends to the last of its backing indices and searches all of them."""

    name: str
    template: str
    generation: int
    backing: tuple[str, ...]

    @property
    def write_index(self) -> str:
        """The backing index that takes new documents."""
        return self.backing[-1]

    def as_json(self) -> Json:
        """What is kept on disk."""
        return {
            "name": self.name,
            "template": self.template,
            "generation": self.generation,
            "backing": list(self.backing),
        }


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything but the documents. A change makes a new one."""

    indices: ReadOnly[str, Index] = field(default_factory=dict)
    streams: ReadOnly[str, DataStream] = field(default_factory=dict)
    index_templates: ReadOnly[str, Json] = field(default_factory=dict)
    component_templates: ReadOnly[str, Json] = field(default_factory=dict)
    cluster_settings: ReadOnly[str, Json] = field(default_factory=dict)

    def with_index(self, index: Index) -> Catalog:
        """This catalog with an index added or changed."""
        return replace(self, indices={**self.indices, index.name: index})

    def with_stream(self, stream: DataStream) -> Catalog:
        """This catalog with a data stream added or changed."""
        return replace(self, streams={**self.streams, stream.name: stream})

    def setting(self, name: str, default: str) -> str:
        """A cluster setting in force: transient before persistent before the default."""
        for scope in ("transient", "persistent"):
            value = self.cluster_settings.get(scope, {}).get(name)
            if value is not None:
                return str(value)
        return default

    def resolve(self, expression: str, targets: Targets = Targets()) -> list[Index]:  # noqa: B008 - frozen
        """The indices that a path's comma-separated names, data streams and patterns mean, in name order.

        Args:
            expression: Names, patterns, and after a pattern exclusions that begin with `-`.
            targets: What may be missing, and what a wildcard reaches.

        Raises:
            ElasticError: 404 for a name without wildcard that does not exist, unless ignored.
        """
        found: dict[str, Index] = {}
        patterns_before = False
        for part in expression.split(","):
            refuse_special(part)
            if part.startswith("-") and patterns_before:
                for index in list(self.meant_by(part[1:], targets)):
                    found.pop(index.name, None)
                continue
            everything = part in ("", "_all")
            hits = list(self.meant_by("*" if everything else part, targets))
            patterns_before = patterns_before or everything or "*" in part
            is_name = "*" not in part and not everything
            lenient = targets.ignore_unavailable if is_name else targets.allow_no_indices
            if not hits and not lenient:
                raise index_not_found(part)
            found.update((index.name, index) for index in hits)
        if not found and not targets.allow_no_indices:
            raise index_not_found(expression)
        return [found[name] for name in sorted(found)]

    def meant_by(self, pattern: str, targets: Targets) -> Iterator[Index]:
        """What a name or pattern means; a wildcard passes by hidden indices unless it starts with a dot."""
        if "*" not in pattern:
            yield from self.named(pattern)
        elif targets.reaches_open:
            for index in self.indices.values():
                shown = not is_hidden(index) or targets.reaches_hidden or is_dotted(pattern, index)
                if shown and matches(pattern, index.name):
                    yield index
            for name in self.streams:
                if matches(pattern, name):
                    yield from self.named(name)

    def named(self, name: str) -> Iterator[Index]:
        """The index of a name, or the backing indices of a data stream."""
        if name in self.indices:
            yield self.indices[name]
        elif name in self.streams:
            yield from (self.indices[backing] for backing in self.streams[name].backing)

    def concrete(self, name: str) -> Index:
        """The one index under a name; a data stream is none, as for reading a document by id.

        Raises:
            ElasticError: 404.
        """
        index = self.indices.get(name)
        if index is None:
            raise index_not_found(name, excluded_data_stream=name in self.streams)
        return index


def is_hidden(index: Index) -> bool:
    """Whether wildcards pass an index by."""
    return str(index.settings.get("index.hidden", "false")).lower() == "true"


def is_dotted(pattern: str, index: Index) -> bool:
    """Whether a pattern asks for dotted names, and the index has one: it is then found though hidden."""
    return pattern.startswith(".") and index.name.startswith(".")


def index_of(body: Json, seq_no_next: int) -> Index:
    """An index from what was kept on disk."""
    mapping = compile_mapping(body["mapping"], options_of(body["settings"]))
    return Index(
        body["number"],
        body["name"],
        body["uuid"],
        body["created_ms"],
        body["settings"],
        mapping,
        seq_no_next,
        body["data_stream"],
    )


def stream_of(body: Json) -> DataStream:
    """A data stream from what was kept on disk."""
    return DataStream(body["name"], body["template"], body["generation"], tuple(body["backing"]))


def options_of(settings: Json) -> Options:
    """What an index's settings say about its mapping."""
    return Options(
        str(settings.get("index.mapping.ignore_malformed", "false")).lower() == "true",
        str(settings.get("index.mapping.coerce", "true")).lower() == "true",
        int(settings.get("index.mapping.total_fields.limit", FIELDS_MAX)),
    )
