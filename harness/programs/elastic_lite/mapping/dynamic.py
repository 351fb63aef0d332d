"""What a field becomes that no mapping declares: by dynamic templates first, else by its first value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.language.dates import (
    DYNAMIC_SLASH_FORMAT,
    looks_like_date,
    looks_slashed,
)
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import illegal_argument, unsupported
from harness.programs.elastic_lite.language.names import matches
from harness.programs.elastic_lite.mapping.declared import (
    PARSING,
    check_field,
    check_members,
    mapper_error,
)
from harness.programs.elastic_lite.mapping.field_types import (
    DECIMAL,
    JAVA_NUMBER,
    JAVA_SPACES,
    flatten_lists,
    refuse_odd_date,
)

Json = dict[str, Any]
TEMPLATE = declare(
    "in a dynamic template",
    "mapping", "match", "unmatch", "path_match", "path_unmatch", "match_mapping_type", "unmatch_mapping_type",
    only={"match_pattern": ("simple",)},
    kind=PARSING,
)  # fmt: skip
WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
DYNAMIC_DATES = "strict_date_optional_time"
KINDS = {dict: "object", bool: "boolean", int: "long", float: "double", str: "string"}
PLAIN: dict[str, Json] = {
    "object": {"type": "object"},
    "boolean": {"type": "boolean"},
    "long": {"type": "long"},
    "double": {"type": "float"},
    "date": {"type": "date"},
    "string": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}},
}
# What a template that names no type gives to a value.
DYNAMIC_TYPES = {"string": "text", "double": "float"}


@dataclass(frozen=True, slots=True)
class Detection:
    """How new fields are read.

    Args:
        templates: Each dynamic template's body, in order.
        dates: Whether texts that read as dates become dates.
        numbers: Whether texts that read as numbers become numbers.
    """

    templates: tuple[Json, ...] = ()
    dates: bool = True
    numbers: bool = False

    def declaration(self, path: str, member: Any) -> Json | None:
        """The declaration of a new field by its values; None when it has none yet.

        Each value of a list makes a field there, and all of them must become the same.

        Args:
            path: Its dotted name.
            member: Its value in the document.

        Raises:
            ElasticError: 400 where they do not.
        """
        declared: Json | None = None
        for value in flatten_lists(member):
            own = self._of_value(path, value)
            if declared is not None:
                _check_like(path, declared, own)
            declared = declared or own
        return declared

    def _of_value(self, path: str, value: Any) -> Json:
        kind = self.kind_of(value)
        for template in self.templates:
            if fits(template, path, kind):
                return filled(template["mapping"], path.rpartition(".")[2], kind)
        declared = dict(PLAIN[kind])
        if kind == "date" and looks_slashed(str(value)):
            declared["format"] = DYNAMIC_SLASH_FORMAT
        return declared

    def kind_of(self, value: Any) -> str:
        """The kind of a JSON value, a text looked into as far as the mapping says."""
        kind = next(kind for known, kind in KINDS.items() if isinstance(value, known))
        if kind != "string":
            return kind
        if self.dates:
            if looks_like_date(value) or looks_slashed(value):
                return "date"
            refuse_odd_date(value, DYNAMIC_DATES)
        return (number_kind(value) if self.numbers else None) or kind


def _check_like(path: str, first: Json, other: Json) -> None:
    was, becomes = first.get("type", "object"), other.get("type", "object")
    if was == becomes:
        return
    if "object" in (was, becomes):
        raise illegal_argument(f"can't merge a non object mapping [{path}] with an object mapping")
    raise illegal_argument(f"mapper [{path}] cannot be changed from type [{was}] to [{becomes}]")


def number_kind(text: str) -> str | None:
    """Whether Java reads a text as a whole number of 64 bits or, but for white space around, as a fraction.

    Raises:
        ElasticError: 400 for what only Java takes for a number, as `0x1p3`, `1.5d` or digits beyond ASCII.
    """
    if WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return "long"
    spelled = text.strip(JAVA_SPACES)
    if DECIMAL.fullmatch(spelled):
        return "double"
    if JAVA_NUMBER.fullmatch(spelled) or (text.lstrip("+-").isdecimal() and not text.isascii()):
        raise unsupported(f"the number `{text}` in a new field")
    return None


def detection_of(body: Json) -> Detection:
    """How a mapping reads new fields.

    Raises:
        ElasticError: 400 for a dynamic template that is malformed or asks for what is not declared.
    """
    listed = body.get("dynamic_templates") or []
    if not isinstance(listed, list):
        raise mapper_error("Dynamic template syntax error. An array of named objects is expected.")
    return Detection(
        tuple(template_of(entry) for entry in listed),
        body.get("date_detection", True) in (True, "true"),
        body.get("numeric_detection", False) in (True, "true"),
    )


def template_of(entry: Any) -> Json:
    """One dynamic template's body."""
    if not isinstance(entry, dict) or len(entry) != 1:
        raise mapper_error("A dynamic template must be defined with a name")
    name, body = next(iter(entry.items()))
    if not isinstance(body, dict) or not isinstance(body.get("mapping"), dict):
        raise mapper_error(f"template [{name}] must have a [mapping]")
    TEMPLATE.check(body)
    if not body.keys() - {"mapping", "match_pattern"}:
        raise mapper_error(f"template [{name}] must set one of the match parameters")
    check_members(body["mapping"])
    for kind in ("string", "long"):
        check_field(name, filled(body["mapping"], name, kind))
    return body


def fits(template: Json, path: str, kind: str) -> bool:
    """Whether a dynamic template is meant for a field."""
    name = path.rpartition(".")[2]
    tests = (
        ("match", name, True),
        ("unmatch", name, False),
        ("path_match", path, True),
        ("path_unmatch", path, False),
        ("match_mapping_type", kind, True),
        ("unmatch_mapping_type", kind, False),
    )
    return all(
        any(matches(pattern, text) for pattern in patterns_of(template, key)) is wanted
        for key, text, wanted in tests
        if key in template
    )


def patterns_of(template: Json, key: str) -> Iterator[str]:
    """One pattern or several."""
    value = template[key]
    yield from map(str, value if isinstance(value, list) else [value])


def filled(mapping: Json, name: str, kind: str) -> Json:
    """A template's mapping for one field: its placeholders put in, a type where it names none."""
    dynamic_type = DYNAMIC_TYPES.get(kind, kind)
    out: Json = substituted(mapping, name, dynamic_type)
    return out if "type" in out else {"type": dynamic_type, **out}


def substituted(value: Any, name: str, dynamic_type: str) -> Any:
    """A mapping with its placeholders replaced, however deep they stand."""
    if isinstance(value, dict):
        return {key: substituted(inner, name, dynamic_type) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner, name, dynamic_type) for inner in value]
    if isinstance(value, str):
        return value.replace("{name}", name).replace("{dynamic_type}", dynamic_type)
    return value
