"""Mappings: declared fields, what a document may hold under them, and what a new field becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from harness.programs.elastic_lite.language.errors import (
    illegal_argument,
    unsupported,
)
from harness.programs.elastic_lite.mapping.declared import OBJECTS, PARSING, mapper_error
from harness.programs.elastic_lite.mapping.dynamic import Detection, detection_of
from harness.programs.elastic_lite.mapping.field_types import (
    READERS,
    BadValueError,
    Field,
    flatten_lists,
    read_value,
)

Json = dict[str, Any]
FIELDS_MAX = 1000
FIXED = {
    "index": True,
    "doc_values": True,
    "store": False,
    "null_value": None,
    "format": None,
    "analyzer": "default",
    "scaling_factor": None,
    "path": None,
    "value": None,
}
"""Parameters that a field keeps for ever, with their defaults."""
NOTHING_SAID = Detection()
DEFAULTS = {"index": True, "doc_values": True, "store": False, "enabled": True}
"""What a field has without saying so: Elasticsearch does not show it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What an index's settings say about its mapping.

    Args:
        ignore_malformed: A malformed value is kept and not indexed.
        coerce: A text or a fraction may stand for a whole number.
        fields_max: How many fields there may be; None where no index is meant yet.
    """

    ignore_malformed: bool = False
    coerce: bool = True
    fields_max: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectNode:
    """One object of a mapping: its members and what happens to members it does not declare."""

    path: str
    dynamic: str
    enabled: bool = True
    children: dict[str, ObjectNode | Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping: as JSON, as a tree for documents, and its leaves by dotted name for queries."""

    body: Json
    root: ObjectNode
    leaves: dict[str, Field]
    options: Options = Options()
    detection: Detection = NOTHING_SAID
    objects: frozenset[str] = frozenset()
    takers: dict[str, tuple[Field, ...]] = field(default_factory=dict)


def compile_mapping(body: Json, options: Options = Options()) -> Mapping:
    """A mapping ready for use.

    Args:
        body: `{"dynamic": …, "properties": …}`, as `mapping_of` gives it.
        options: What the index's settings say about it.

    Raises:
        ElasticError: 400 for an alias or a copy of what is not there, or more fields than there may be.
    """
    dynamic = dynamic_of(body, "true")
    properties = body.get("properties") or {}
    if options.fields_max is not None and count_leaves(properties) > options.fields_max:
        raise illegal_argument(f"Limit of total fields [{options.fields_max}] has been exceeded")
    tree = Tree(options)
    children = tree.compile(properties, "", dynamic, nested=False)
    tree.copy_values()
    tree.point_aliases()
    root = ObjectNode("", dynamic, True, children)
    return Mapping(
        body, root, tree.leaves, options, detection_of(body), frozenset(tree.objects), tree.takers()
    )


def shown_mapping(mapping: Mapping) -> Json:
    """An index's mapping as Elasticsearch shows it: some types leave out what its settings say already."""
    body = shown(mapping.body)
    return without_malformed(body) if mapping.options.ignore_malformed else body


def without_malformed(body: Json) -> Json:
    """A mapping whose dates and addresses do not show that they ignore malformed values."""
    hidden = body.get("type") in ("date", "date_nanos", "ip") and body.get("ignore_malformed") in (
        True,
        "true",
    )
    out = {key: value for key, value in body.items() if not (hidden and key == "ignore_malformed")}
    for key in ("properties", "fields"):
        if key in out:
            out[key] = {name: without_malformed(inner) for name, inner in out[key].items()}
    return out


def shown(body: Json) -> Json:
    """A mapping as Elasticsearch shows it: `dynamic` as text, no defaults, no type beside members."""
    out = {
        key: value
        for key, value in body.items()
        if key not in DEFAULTS or value not in (DEFAULTS[key], str(DEFAULTS[key]).lower())
    }
    if "dynamic" in out:
        out["dynamic"] = str(out["dynamic"]).lower()
    if isinstance(out.get("copy_to"), str):
        out["copy_to"] = [out["copy_to"]]
    if out.get("type") == "object" and out.get("properties"):
        del out["type"]
    for key in ("properties", "fields"):
        members = out.pop(key, None)
        if members:
            out[key] = {name: shown(declared) for name, declared in sorted(members.items())}
    return out


def dynamic_of(body: Json, inherited: str) -> str:
    """What an object does with new members: `true`, `false` or `strict`."""
    value = body.get("dynamic")
    return inherited if value is None else str(value).lower()


@dataclass(slots=True)
class Tree:
    """A mapping being compiled: its leaves and objects so far, and what is to be tied up at the end."""

    options: Options
    leaves: dict[str, Field] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[str, str]] = field(default_factory=list)

    def compile(
        self, properties: Json, prefix: str, dynamic: str, nested: bool
    ) -> dict[str, ObjectNode | Field]:
        """The members of one object, its leaves noted under their dotted names."""
        nodes: dict[str, ObjectNode | Field] = {}
        for name, declared in properties.items():
            path = prefix + name
            kind = declared.get("type", "object")
            if kind in OBJECTS:
                nodes[name] = self.compile_object(path, declared, dynamic, nested or kind == "nested")
            else:
                nodes[name] = self.compile_leaf(path, kind, declared, nested)
        return nodes

    def compile_object(self, path: str, declared: Json, dynamic: str, nested: bool) -> ObjectNode:
        """One object with its members."""
        self.objects.add(path)
        inner = dynamic_of(declared, dynamic)
        members = self.compile(declared.get("properties") or {}, f"{path}.", inner, nested)
        return ObjectNode(path, inner, declared.get("enabled", True) in (True, "true"), members)

    def compile_leaf(self, path: str, kind: str, declared: Json, nested: bool) -> Field:
        """One leaf with its multi-fields, which read the values of the field that they hang on."""
        if kind == "alias":
            self.aliases[path] = str(declared["path"])
            return Field(path, "alias", declared)
        leaf = self.leaf(path, kind, declared, path, nested)
        copied = declared.get("copy_to") or []
        self.copies += [(path, str(it)) for it in (copied if isinstance(copied, list) else [copied])]
        for extra, sub in (declared.get("fields") or {}).items():
            self.leaf(f"{path}.{extra}", str(sub.get("type")), sub, path, nested)
        return leaf

    def leaf(self, path: str, kind: str, declared: Json, holder: str, nested: bool) -> Field:
        """A leaf, noted; its null value must be one that it could hold."""
        if kind not in READERS:
            raise unsupported(f"the field type `{kind}` of `{path}`", PARSING)
        kept = {name: value for name, value in declared.items() if name not in ("type", "fields")}
        if not self.options.coerce:
            kept = {"coerce": False, **kept}
        leaf = self.leaves[path] = Field(path, kind, kept, holder, (), nested)
        if leaf.null_value is not None:
            try:
                read_value(replace(leaf, parameters={**kept, "coerce": True}), leaf.null_value)
            except BadValueError as error:
                raise mapper_error(f"Error parsing [null_value] on field [{path}]: {error}") from error
        return leaf

    def copy_values(self) -> None:
        """Let the targets of `copy_to`, and their multi-fields, read what is copied to them."""
        for source, target in self.copies:
            if target not in self.leaves or self.leaves[source].nested or self.leaves[target].nested:
                raise unsupported(f"`copy_to` of `{target}`, which the mapping does not declare as a field")
            for path, leaf in self.leaves.items():
                if leaf.holder == target:
                    self.leaves[path] = replace(leaf, sources=(*leaf.sources, source))

    def takers(self) -> dict[str, tuple[Field, ...]]:
        """Which fields take the values under a name: itself, its multi-fields, what it is copied to."""
        found: dict[str, tuple[Field, ...]] = {}
        for path, leaf in self.leaves.items():
            if path in self.aliases:
                continue
            for place in (leaf.holder, *leaf.sources):
                found[place] = (*found.get(place, ()), leaf)
        return found

    def point_aliases(self) -> None:
        """Let each alias mean the field that it names."""
        for path, target in self.aliases.items():
            if target not in self.leaves:
                raise mapper_error(
                    f"Invalid [path] value [{target}] for field alias [{path}]: an alias must refer to an "
                    "existing field in the mappings."
                )
            self.leaves[path] = self.leaves[target]


def merge_mappings(old: Json, new: Json, change_types: bool = False) -> Json:
    """One mapping on top of another.

    Args:
        old: The mapping in force.
        new: What is added or repeated.
        change_types: Whether a field may change its type, as a later template may.

    Raises:
        ElasticError: 400 when a field would change its type and may not.
    """
    merged = {**old, **{name: value for name, value in new.items() if name != "properties"}}
    if change_types and "dynamic_templates" in old and "dynamic_templates" in new:
        merged["dynamic_templates"] = merge_templates(old["dynamic_templates"], new["dynamic_templates"])
    if "properties" in old or "properties" in new:
        merged["properties"] = merge_properties(
            old.get("properties") or {}, new.get("properties") or {}, "", change_types
        )
    return merged


def merge_templates(old: list[Json], new: list[Json]) -> list[Json]:
    """Dynamic templates of two parts: one of a name that is there takes its place."""
    merged: Json = {}
    for entry in (*old, *new):
        merged.update(entry)
    return [{name: body} for name, body in merged.items()]


def merge_properties(old: Json, new: Json, prefix: str, change_types: bool) -> Json:
    """The members of two versions of one object together."""
    merged = dict(old)
    for name, declared in new.items():
        before = merged.get(name)
        if before is None:
            merged[name] = declared
            continue
        was, becomes = before.get("type", "object"), declared.get("type", "object")
        if was != becomes and not change_types:
            raise illegal_argument(
                f"mapper [{prefix}{name}] cannot be changed from type [{was}] to [{becomes}]"
            )
        if was != becomes or was not in OBJECTS:
            merged[name] = declared if change_types else changed_leaf(f"{prefix}{name}", before, declared)
            continue
        inner = {**before, **declared}
        members = merge_properties(
            before.get("properties") or {}, declared.get("properties") or {}, f"{prefix}{name}.", change_types
        )
        if members:
            inner["properties"] = members
        merged[name] = inner
    return merged


def changed_leaf(path: str, before: Json, declared: Json) -> Json:
    """A leaf declared again: what may change is as declared now, multi-fields are added.

    Raises:
        ElasticError: 400 for a parameter that a field keeps for ever, or that this store cannot change.
    """
    for name in FIXED:
        was, becomes = (str(it.get(name, FIXED[name])).lower() for it in (before, declared))
        if was != becomes:
            raise illegal_argument(
                f"Mapper for [{path}] conflicts with existing mapper:\n\tCannot update parameter [{name}] "
                f"from [{was}] to [{becomes}]"
            )
    if before.get("ignore_above") != declared.get("ignore_above"):
        # Elasticsearch goes on finding what it has indexed; here documents are read by the mapping of now.
        raise unsupported(f"a change of `ignore_above` of the field `{path}`")
    fields = merge_properties(before.get("fields") or {}, declared.get("fields") or {}, f"{path}.", False)
    return {**declared, **({"fields": fields} if fields else {})}


def count_leaves(properties: Json) -> int:
    """How many fields, objects and multi-fields included, some properties declare."""
    return sum(
        1 + count_leaves(declared.get("properties") or {}) + len(declared.get("fields") or {})
        for declared in properties.values()
    )


def values_at(source: Any, path: str, null_value: Any = None) -> Iterator[Any]:
    """Every value of a document under a dotted path, through lists and dotted member names.

    Args:
        source: The document, or a part of it.
        path: Dotted names.
        null_value: What an explicit null counts as; None leaves it out.
    """
    for element in flatten_lists(source):
        if not isinstance(element, dict):
            continue
        for name, member in element.items():
            if name == path:
                yield from flatten_lists(member, null_value)
            elif path.startswith(name) and path[len(name) : len(name) + 1] == ".":
                yield from values_at(member, path[len(name) + 1 :], null_value)
