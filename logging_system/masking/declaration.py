"""What the setting `mask` may say, and how it is read; a mistake names its place and the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from logging_system.masking.rule import Action

OFF = "off"
NAMED_FIELD_NAME = "named_field"
"""The rule of fields whose name says that their value is secret."""

_ACTIONS: tuple[str, ...] = get_args(Action)
_KEYS = ("rules", "fields", "patterns", "allow")
_PATTERN_KEYS = ("pattern", "literals", "action", "examples")
_ALLOW_KEYS = ("values", "fields")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_TEXT_CHARACTERS_MAX = 1_000
_ENTRIES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class UserPattern:
    """A rule of the user's own.

    Attributes:
        name: In counts, and in what stands for a secret.
        pattern: An expression of RE2; its first group is the secret, or all of it.
        literals: Texts of which one is in every match.
        action: What becomes of a secret.
        examples: Texts in which it must find something; checked when the processor is made.
    """

    name: str
    pattern: str
    literals: tuple[str, ...]
    action: Action = "redact"
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskDeclaration:
    """What is masked beside the built-in rules, and instead of them.

    Attributes:
        actions: Of built-in rules, by name; naming one that is opt-in turns it on.
        off: Built-in rules that are not used.
        fields: Further names whose values are secrets.
        patterns: Rules of the user's own.
        allowed_values: Exact texts that are no secrets though a rule finds them.
        allowed_fields: Exact paths whose name makes no secret of their value; other rules still look at it.
    """

    actions: Mapping[str, Action] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()
    patterns: tuple[UserPattern, ...] = ()
    allowed_values: frozenset[str] = frozenset()
    allowed_fields: frozenset[str] = frozenset()


def declaration_of(given: object) -> MaskDeclaration:
    """Return what was declared.

    Args:
        given: As files and code write it: an object of `rules`, `fields`, `patterns` and `allow`.

    Raises:
        ValueError: It is something else; the message says where, what, and what would be right.
    """
    if isinstance(given, MaskDeclaration):
        return given
    members = _object(given, "", _KEYS)
    allow = _object(members.get("allow"), "allow", _ALLOW_KEYS)
    return MaskDeclaration(
        **_split(_rules(members.get("rules"))),
        fields=tuple(_texts(members.get("fields"), "fields")),
        patterns=tuple(_patterns(members.get("patterns"))),
        allowed_values=frozenset(_texts(allow.get("values"), "allow.values")),
        allowed_fields=frozenset(_texts(allow.get("fields"), "allow.fields")),
    )


def with_actions(declared: MaskDeclaration, actions: Mapping[str, str]) -> MaskDeclaration:
    """Return a declaration with other actions of built-in rules.

    Args:
        declared: What was declared.
        actions: By rule; `off` turns one off.

    Raises:
        ValueError: There is no such rule or action.
    """
    rules = {**declared.actions, **dict.fromkeys(declared.off, OFF), **_rules(actions)}
    return replace(declared, **_split(rules))


def _split(rules: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "actions": {name: action for name, action in rules.items() if action != OFF},
        "off": frozenset(name for name, action in rules.items() if action == OFF),
    }


def rule_names() -> tuple[str, ...]:
    """Return the names of all built-in rules."""
    from logging_system.masking.rules import RULES

    return (NAMED_FIELD_NAME, *(rule.name for rule in RULES))


def _rules(given: object) -> dict[str, Any]:
    members = _object(given, "rules", rule_names())
    # YAML reads a bare `off` as false.
    return {
        name: OFF if action is False else _action(action, f"rules.{name}", (*_ACTIONS, OFF))
        for name, action in members.items()
    }


def _patterns(given: object) -> Iterable[UserPattern]:
    for name, declared in _object(given, "patterns").items():
        where = f"patterns.{name}"
        if not _NAME.fullmatch(name) or name in rule_names():
            raise ValueError(
                f'{where}: name it otherwise: lower case letters, digits and "_", and not as a built-in rule'
            )
        members = _object(declared, where, _PATTERN_KEYS)
        (pattern,) = _texts([members.get("pattern")], f"{where}.pattern")
        literals = tuple(_texts(members.get("literals"), f"{where}.literals"))
        examples = tuple(_texts(members.get("examples"), f"{where}.examples"))
        action = _action(members.get("action", "redact"), f"{where}.action", _ACTIONS)
        yield UserPattern(name, pattern, literals, action, examples)  # type: ignore[arg-type]  # one of the four


def _action(given: object, where: str, choices: tuple[str, ...]) -> str:
    if isinstance(given, str) and given in choices:
        return given
    raise ValueError(f"{where}: must be one of {', '.join(choices)}")


def _object(given: object, where: str, keys: tuple[str, ...] = ()) -> dict[str, object]:
    """Return an object's members, or none for nothing."""
    shown = where or "mask"
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ValueError(f"{shown}: must be an object of names and values")
    if len(given) > _ENTRIES_MAX:
        raise ValueError(f"{shown}: must have at most {_ENTRIES_MAX} entries")
    for key in given:
        if keys and key not in keys:
            raise ValueError(_unknown(f"{where}.{key}" if where else key, key, keys))
    return dict(given)


def _unknown(where: str, key: str, keys: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key, keys, n=1)
    hint = f'did you mean "{close[0]}"?' if close else f"choose from {', '.join(keys)}"
    return f"{where}: no such name; {hint}"


def _texts(given: object, where: str) -> Iterable[str]:
    if given is None:
        return
    if not isinstance(given, list | tuple) or len(given) > _ENTRIES_MAX:
        raise ValueError(f"{where}: must be a list of at most {_ENTRIES_MAX} texts")
    for text in given:
        if not isinstance(text, str) or not 0 < len(text) <= _TEXT_CHARACTERS_MAX:
            raise ValueError(f"{where}: must be text, of 1 to {_TEXT_CHARACTERS_MAX} characters, in quotes")
        yield text
