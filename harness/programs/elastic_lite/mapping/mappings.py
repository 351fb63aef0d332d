"""Mappings: declared fields, what a document may hold under them, and what a new field becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.programs.elastic_lite.language.dates import DYNAMIC_SLASH_FORMAT, FORMATS, iso_ms, slashed_ms
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    document_error,
    illegal_argument,
    parse_error,
)
from harness.programs.elastic_lite.mapping.field_types import (
    READERS,
    BadValueError,
    Field,
    flatten_lists,
    read_value,
)

Json = dict[str, Any]
DEPTH_MAX = 20
FIELDS_MAX = 1000
OBJECTS = ("object", "nested")
METADATA = frozenset(
    {"_id", "_index", "_routing", "_source", "_seq_no", "_version", "_field_names", "_ignored"}
)


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
    ignore_malformed: bool = False


def compile_mapping(body: Json, ignore_malformed: bool = False) -> Mapping:
    """A mapping ready for use.

    Args:
        body: `{"dynamic": …, "properties": …}`.
        ignore_malformed: The index setting: a malformed value is kept and not indexed.

    Raises:
        ElasticError: 400 mapper_parsing_exception for a type or a date format that does not exist.
    """
    dynamic = dynamic_of(body, "true")
    leaves: dict[str, Field] = {}
    children = compile_properties(body.get("properties") or {}, "", dynamic, leaves)
    return Mapping(body, ObjectNode("", dynamic, True, children), leaves, ignore_malformed)


def mapping_of(value: Any) -> Json:
    """The mapping of a request, in a shape that can be merged and compiled; none is an empty one.

    Raises:
        ElasticError: 400 where something else stands than an object, a field's type or a number.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise parse_error("key [mappings] must be an object")
    check_members(value)
    return value


def check_members(declared: Json) -> None:
    """Refuse members of an object, or multi-fields of a field, that declare nothing."""
    for key in ("properties", "fields"):
        members = declared.get(key) or {}
        if not isinstance(members, dict):
            raise parse_error(f"{key} must be a map type")
        for name, inner in members.items():
            if not isinstance(inner, dict):
                raise mapper_error(f"Expected map for property [{key}] on field [{name}]")
            if not isinstance(inner.get("type", ""), str):
                raise mapper_error(unknown_type(str(inner["type"]), name))
            check_limit(inner.get("ignore_above"), name)
            check_members(inner)


def check_limit(value: Any, name: str) -> None:
    """Refuse an `ignore_above` that is no number."""
    try:
        int(0 if value is None else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise mapper_error(f"Failed to parse value [{value}] of [ignore_above] on field [{name}]") from error


def shown(body: Json) -> Json:
    """A mapping as Elasticsearch shows it: `dynamic` as text, no type on an object that has members."""
    out = dict(body)
    if "dynamic" in out:
        out["dynamic"] = str(out["dynamic"]).lower()
    if out.get("type") == "object" and out.get("properties"):
        del out["type"]
    members = out.pop("properties", None)
    if members:
        out["properties"] = {name: shown(declared) for name, declared in sorted(members.items())}
    return out


def dynamic_of(body: Json, inherited: str) -> str:
    """What an object does with new members: `true`, `false` or `strict`."""
    value = body.get("dynamic")
    return inherited if value is None else str(value).lower()


def compile_properties(
    properties: Json, prefix: str, dynamic: str, leaves: dict[str, Field]
) -> dict[str, ObjectNode | Field]:
    """The members of one object, its leaves added to `leaves` under their dotted names."""
    nodes: dict[str, ObjectNode | Field] = {}
    for name, declared in properties.items():
        path = prefix + name
        kind = declared.get("type", "object")
        if kind in OBJECTS:
            inner = dynamic_of(declared, dynamic)
            members = compile_properties(declared.get("properties") or {}, f"{path}.", inner, leaves)
            nodes[name] = ObjectNode(path, inner, declared.get("enabled", True) in (True, "true"), members)
            continue
        leaf = compile_leaf(path, kind, declared)
        nodes[name] = leaves[path] = leaf
        for extra, sub in (declared.get("fields") or {}).items():
            leaves[f"{path}.{extra}"] = compile_leaf(path, sub.get("type", ""), sub)
    return nodes


def compile_leaf(path: str, kind: str, declared: Json) -> Field:
    """One leaf; a multi-field keeps the path of the field whose values it reads."""
    if kind not in READERS:
        raise mapper_error(unknown_type(kind, path))
    leaf = Field(
        path, kind, {name: value for name, value in declared.items() if name not in ("type", "fields")}
    )
    for name in leaf.date_format.split("||"):
        if name not in FORMATS:
            raise mapper_error(
                f"Invalid format: [{leaf.date_format}]: elastic_lite knows {', '.join(sorted(FORMATS))}"
            )
    return leaf


def unknown_type(kind: str, path: str) -> str:
    """The reason against a field's type that does not exist."""
    return (
        f"The mapper type [{kind}] declared on field [{path}] does not exist. It might have been created "
        "within a future version or requires a plugin to be installed. Check the documentation."
    )


def mapper_error(reason: str) -> ElasticError:
    """A 400 for a mapping that cannot be parsed."""
    cause = {"type": "mapper_parsing_exception", "reason": reason}
    return ElasticError(400, "mapper_parsing_exception", f"Failed to parse mapping: {reason}", cause=cause)


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
    if "properties" in old or "properties" in new:
        merged["properties"] = merge_properties(
            old.get("properties") or {}, new.get("properties") or {}, "", change_types
        )
    return merged


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
            merged[name] = {**before, **declared} if was == becomes else declared
            continue
        inner = {**before, **declared}
        members = merge_properties(
            before.get("properties") or {}, declared.get("properties") or {}, f"{prefix}{name}.", change_types
        )
        if members:
            inner["properties"] = members
        merged[name] = inner
    return merged


def check_document(mapping: Mapping, document: Json, document_id: str) -> Json:
    """Check a document against a mapping.

    Returns:
        The `properties` that the mapping gains from it; empty when every field is known or ignored.

    Raises:
        ElasticError: 400 document_parsing_exception, or strict_dynamic_mapping_exception.
    """
    gained: Json = {}
    Checker(mapping, document_id).check_object(mapping.root, document, gained, 0)
    if gained and len(mapping.leaves) + count_leaves(gained) > FIELDS_MAX:
        reason = (
            f"Limit of total fields [{FIELDS_MAX}] has been exceeded while adding new fields "
            f"[{count_leaves(gained)}]"
        )
        raise document_error(
            f"failed to parse: {reason}", {"type": "illegal_argument_exception", "reason": reason}
        )
    return gained


def count_leaves(properties: Json) -> int:
    """How many fields, objects and multi-fields included, some properties declare."""
    return sum(
        1 + count_leaves(declared.get("properties") or {}) + len(declared.get("fields") or {})
        for declared in properties.values()
    )


@dataclass(frozen=True, slots=True)
class Checker:
    """One document's walk through a mapping."""

    mapping: Mapping
    document_id: str

    def check_object(self, node: ObjectNode, value: Json, gained: Json, depth: int) -> None:
        """Check each member of an object; `gained` collects the properties of new ones."""
        if not node.enabled:
            return
        for name, member in value.items():
            child = node.children.get(name)
            if child is None:
                self.check_unknown(node, name, member, gained, depth)
            elif isinstance(child, Field):
                self.check_leaf(child, member)
            else:
                self.check_inner(child, member, gained, name, depth)

    def check_inner(self, child: ObjectNode, member: Any, gained: Json, name: str, depth: int) -> None:
        """Check a member that the mapping says is an object."""
        inner: Json = {}
        for element in flatten_lists(member) if child.enabled else ():
            if not isinstance(element, dict):
                raise document_error(
                    f"object mapping for [{child.path}] tried to parse field [{name}] as object, "
                    "but found a concrete value"
                )
            self.check_object(child, element, inner, depth + 1)
        if inner:
            known = gained.setdefault(name, {})
            before = known.get("properties") or {}
            known["properties"] = merge_properties(before, inner, f"{child.path}.", False)

    def check_leaf(self, leaf: Field, member: Any) -> None:
        """Check every value of a leaf."""
        for value in flatten_lists(member):
            try:
                read_value(leaf, value)
            except BadValueError as error:
                lenient = leaf.parameters.get("ignore_malformed", self.mapping.ignore_malformed)
                if lenient in (True, "true") and not isinstance(value, dict):
                    continue
                reason = (
                    f"failed to parse field [{leaf.path}] of type [{leaf.kind}] in document with id "
                    f"'{self.document_id}'. Preview of field's value: '{preview(value)}'"
                )
                cause = {"type": "illegal_argument_exception", "reason": str(error)}
                raise document_error(reason, cause) from error

    def check_unknown(self, node: ObjectNode, name: str, member: Any, gained: Json, depth: int) -> None:
        """Check a member under a name that the object does not declare: dotted, refused, ignored or new."""
        check_field_name(name)
        if not node.path and name in METADATA:
            reason = f"Field [{name}] is a metadata field and cannot be added inside a document."
            raise document_error(f"failed to parse field [{name}] of type [{name}]: {reason}")
        if "." in name:
            first, rest = name.split(".", 1)
            self.check_object(node, {first: {rest: member}}, gained, depth)
            return
        path = f"{node.path}.{name}" if node.path else name
        if node.dynamic == "strict":
            reason = (
                f"[1:1] mapping set to strict, dynamic introduction of [{name}] within "
                f"[{node.path or '_doc'}] is not allowed"
            )
            raise ElasticError(400, "strict_dynamic_mapping_exception", reason)
        if node.dynamic == "false":
            return
        self.check_new(node, name, path, member, gained, depth)

    def check_new(
        self, node: ObjectNode, name: str, path: str, member: Any, gained: Json, depth: int
    ) -> None:
        """Declare a new member by its first value and check all its values under that declaration."""
        declared = gained.get(name) or infer(member)
        if declared is None:
            return
        if "properties" not in declared and declared.get("type") not in OBJECTS:
            gained[name] = declared
            self.check_leaf(Field(path, declared["type"], declared), member)
            return
        if depth + 1 >= DEPTH_MAX:
            reason = f"Limit of mapping depth [{DEPTH_MAX}] has been exceeded due to object field [{path}]"
            raise document_error(
                f"failed to parse: {reason}", {"type": "illegal_argument_exception", "reason": reason}
            )
        gained.setdefault(name, {"type": "object"})
        self.check_inner(ObjectNode(path, node.dynamic), member, gained, name, depth)
        if gained[name].get("properties"):
            gained[name].pop("type", None)


def check_field_name(name: str) -> None:
    """Refuse names without a letter between two dots."""
    if not name or any(not part.strip() for part in name.split(".")):
        what = (
            f"field name cannot contain only whitespace: ['{name}']"
            if name
            else "field name cannot be an empty string"
        )
        raise document_error(
            f"failed to parse: {what}", {"type": "illegal_argument_exception", "reason": what}
        )


def infer(member: Any) -> Json | None:
    """The declaration that a new field gets from its first value; None when it has no value yet."""
    value = next(flatten_lists(member), None)
    if value is None:
        return None
    if isinstance(value, str):
        return infer_from_text(value)
    return {"type": INFERRED[type(value)]}


INFERRED = {dict: "object", bool: "boolean", int: "long", float: "float"}


def infer_from_text(value: str) -> Json:
    """The declaration for a text: a date where it reads as one, else a text with a keyword beside it."""
    if "-" in value and iso_ms(value) is not None:
        return {"type": "date"}
    if slashed_ms(value) is not None:
        return {"type": "date", "format": DYNAMIC_SLASH_FORMAT}
    return {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}


def preview(value: Any) -> str:
    """A value as Elasticsearch shows it in a parsing error."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={preview(member)}" for name, member in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def values_at(source: Any, path: str) -> Iterator[Any]:
    """Every non-null value of a document under a dotted path, through lists and dotted member names."""
    for element in flatten_lists(source):
        if not isinstance(element, dict):
            continue
        for name, member in element.items():
            if name == path:
                yield from flatten_lists(member)
            elif path.startswith(name) and path[len(name) : len(name) + 1] == ".":
                yield from values_at(member, path[len(name) + 1 :])
