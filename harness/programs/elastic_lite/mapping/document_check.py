"""What a document may hold under a mapping, and what the mapping gains from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.programs.elastic_lite.language.errors import ElasticError, document_error, unsupported
from harness.programs.elastic_lite.mapping.declared import OBJECTS
from harness.programs.elastic_lite.mapping.field_types import (
    KEYWORDS,
    BadValueError,
    Field,
    as_text,
    flatten_lists,
    java_length,
    read_value,
)
from harness.programs.elastic_lite.mapping.mappings import (
    FIELDS_MAX,
    Mapping,
    ObjectNode,
    count_leaves,
    dynamic_of,
    merge_properties,
)

Json = dict[str, Any]
DEPTH_MAX = 20
METADATA = frozenset(
    {"_id", "_index", "_routing", "_source", "_seq_no", "_version", "_field_names", "_ignored"}
)


def check_document(mapping: Mapping, document: Json, document_id: str) -> tuple[Json, set[str]]:
    """Check a document against a mapping.

    Returns:
        The `properties` that the mapping gains from it, empty when every field is known or ignored; and the
        fields with a value that is kept and not indexed.

    Raises:
        ElasticError: 400 document_parsing_exception, or strict_dynamic_mapping_exception.
    """
    gained: Json = {}
    checker = Checker(mapping, document_id)
    checker.check_object(mapping.root, document, gained, 0)
    limit = mapping.options.fields_max or FIELDS_MAX
    if gained and count_leaves(mapping.body.get("properties") or {}) + count_leaves(gained) > limit:
        reason = (
            f"Limit of total fields [{limit}] has been exceeded while adding new fields "
            f"[{count_leaves(gained)}]"
        )
        raise document_error(
            f"failed to parse: {reason}", {"type": "illegal_argument_exception", "reason": reason}
        )
    return gained, checker.ignored


@dataclass(frozen=True, slots=True)
class Checker:
    """One document's walk through a mapping."""

    mapping: Mapping
    document_id: str
    ignored: set[str] = field(default_factory=set)

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
        """Check every value of a leaf, and of the fields that it is copied to."""
        if leaf.kind == "alias":
            reason = f"Cannot write to a field alias [{leaf.path}]."
            raise document_error(
                f"failed to parse: {reason}", {"type": "illegal_argument_exception", "reason": reason}
            )
        for taker in self.mapping.takers.get(leaf.path, (leaf,)):
            self.check_values(taker, member)

    def check_values(self, leaf: Field, member: Any) -> None:
        """Check every value as one field reads it."""
        for value in flatten_lists(member):
            try:
                if read_value(leaf, value) is None and is_too_long(leaf, value):
                    self.ignored.add(leaf.path)
            except BadValueError as error:
                lenient = leaf.parameters.get("ignore_malformed", self.mapping.options.ignore_malformed)
                if lenient in (True, "true") and not isinstance(value, dict):
                    self.ignored.add(leaf.path)
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
        declared = gained.get(name) or self.mapping.detection.declaration(path, member)
        if declared is None:
            return
        if "properties" not in declared and declared.get("type") not in OBJECTS:
            gained[name] = declared
            if declared["type"] == "alias" or declared.get("copy_to"):
                raise unsupported(f"a dynamic template that makes `{path}` an alias or copies it")
            self.check_leaf(Field(path, declared["type"], declared), member)
            for extra, sub in (declared.get("fields") or {}).items():
                self.check_values(Field(f"{path}.{extra}", sub["type"], sub), member)
            return
        if depth + 1 >= DEPTH_MAX:
            reason = f"Limit of mapping depth [{DEPTH_MAX}] has been exceeded due to object field [{path}]"
            raise document_error(
                f"failed to parse: {reason}", {"type": "illegal_argument_exception", "reason": reason}
            )
        gained.setdefault(name, dict(declared))
        inner_dynamic = dynamic_of(declared, node.dynamic)
        enabled = declared.get("enabled", True) in (True, "true")
        self.check_inner(ObjectNode(path, inner_dynamic, enabled), member, gained, name, depth)
        if gained[name].get("properties") and gained[name].get("type") == "object":
            gained[name].pop("type", None)


def is_too_long(leaf: Field, value: Any) -> bool:
    """Whether a text is left out of the index for its length."""
    limit = leaf.parameters.get("ignore_above")
    return leaf.kind in KEYWORDS and limit is not None and java_length(as_text(value)) > int(limit)


def check_field_name(name: str) -> None:
    """Refuse names without a letter between two dots; Elasticsearch reads over dots at the end of a name."""
    kept = name.rstrip(".")
    if kept != name and kept and all(part.strip() for part in kept.split(".")):
        raise unsupported(f"a field name that ends in a dot, as `{name}`")
    if not name or any(not part.strip() for part in name.split(".")):
        what = (
            f"field name cannot contain only whitespace: ['{name}']"
            if name
            else "field name cannot be an empty string"
        )
        raise document_error(
            f"failed to parse: {what}", {"type": "illegal_argument_exception", "reason": what}
        )


def preview(value: Any) -> str:
    """A value as Elasticsearch shows it in a parsing error."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={preview(member)}" for name, member in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
