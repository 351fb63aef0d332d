"""Makes the processor that settings ask for, with its rules; or says why that cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import orjson

from logging_system.masking.declaration import NAMED_FIELD_NAME, MaskDeclaration
from logging_system.masking.denied_names import DeniedNames
from logging_system.masking.replacement import TokenKey
from logging_system.masking.rule import Rule
from logging_system.masking.rules import RULES

if TYPE_CHECKING:
    from logging_system.masking.processor import Mask
    from logging_system.masking.rule_set import RuleSet

_KEY_BYTES_MAX = 4096
_OTHERS_READ = 0o077


class MaskSettings(Protocol):
    """What the processor's maker reads of the settings."""

    @property
    def mask(self) -> MaskDeclaration | None:
        """What the setting `mask` says."""

    @property
    def mask_token_key_file(self) -> Path | None:
        """The file with the key that tokens are made with."""


def from_settings(settings: MaskSettings) -> Mask:
    """Return the processor for the settings `mask` and `mask_token_key_file`.

    Raises:
        ValueError: They cannot be used, or google-re2 is not installed: no record may be kept then.
    """
    rules = rule_set_of(settings.mask or MaskDeclaration(), settings.mask_token_key_file)
    from logging_system.masking.processor import Mask

    return Mask(rules)


def rule_set_of(declared: MaskDeclaration, key_file: Path | None = None) -> RuleSet:
    """Return the rules in force, compiled.

    Args:
        declared: What the setting `mask` says.
        key_file: The key that tokens are made with.

    Raises:
        ValueError: google-re2 is missing, a pattern or the key's file cannot be used, or a token is asked for
            and there is no key.
    """
    try:
        from logging_system.masking.rule_set import RuleSet
        from logging_system.masking.user_patterns import rule_of
    except ImportError as error:
        raise ValueError("google-re2 is not installed; pip install 'logquake[masking]'") from error
    rules = [*map(rule_of, declared.patterns), *_in_force(declared)]
    key = None if key_file is None else _key(key_file)
    asking = [rule.name for rule in rules if declared.actions.get(rule.name, rule.action) == "token"]
    if declared.actions.get(NAMED_FIELD_NAME) == "token":
        asking.append(NAMED_FIELD_NAME)
    if asking and key is None:
        raise ValueError(f"{', '.join(asking)}: tokens need a key; give mask_token_key_file")
    rule_set = RuleSet(
        rules,
        actions=declared.actions,
        names=None
        if NAMED_FIELD_NAME in declared.off
        else DeniedNames(declared.fields, declared.allowed_fields),
        allowed=declared.allowed_values,
        key=key,
    )
    _check_gate(rule_set)
    return rule_set


def _in_force(declared: MaskDeclaration) -> Iterator[Rule]:
    for rule in RULES:
        if rule.name not in declared.off and (rule.name in declared.actions or not rule.is_opt_in):
            yield rule


def _check_gate(rule_set: RuleSet) -> None:
    """Raise where the gate does not let an example through: too large a set of expressions finds nothing."""
    for place, rule in enumerate(rule_set.rules):
        for example in rule.examples[:1]:
            text = example.replace("«", "").replace("»", "")
            if place not in (rule_set.hits(orjson.dumps({"message": text})) or ()):
                raise ValueError(
                    f"{rule.name}: is not found in its own example; declare fewer patterns and fields"
                )


def _key(path: Path) -> TokenKey:
    try:
        if path.stat().st_mode & _OTHERS_READ:
            raise ValueError(f"{path}: other users can read it; chmod 600 it")
        with path.open("rb") as file:
            return TokenKey(file.read(_KEY_BYTES_MAX).strip())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; name a file that this user can read") from error
