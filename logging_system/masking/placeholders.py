"""Tells a secret from what stands where one would: words, variables, masks."""

from __future__ import annotations

import re

_STANDS_FOR_ONE = re.compile(
    r"\[?masked:[^\]\s]{1,200}\]?"  # ours
    r"|[*x•.#_-]+|[|>][+-]?"
    r"|<[^<>]*>?|\$\{[^{}]*\}?|\$\{\{[^{}]*\}?\}?|\$\([^()]*\)?"
    r"|\$(?:[A-Z_][A-Z0-9_]*|\d)|\[[A-Z_ ]+\]|\{\{.*|\{[a-z_0-9.!:]*\}?|%\(?[a-z_]*\)?[sdr]|%[A-Z_]+%"
    r"|\[?(?:filtered|redacted|masked|hidden|removed|secret|protected|censored|scrubbed)\]?"
    r"|\(?(?:none|null|nil|unset|undefined|empty|not set)\)?"
    r"|\w{0,4}[*•]{3,}\w{0,6}",  # masked by others, who left its ends
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:self|cls|os|settings|config|args|kwargs|request|options|params|process|env|conf|cfg)"
    r"[.\[][A-Za-z_.\[\]]+[,;]?"
    r"|(?:[a-z_]+\.)*(?:get|load|read|fetch|make|generate|create|decrypt|input|prompt|str|bytes)[A-Za-z_]*\(.*",
    re.DOTALL,
)
_EXAMPLE = re.compile(
    r"(?:^|[-_])your[-_]|[-_](?:here|placeholder)$|change[-_]?me|x{8}|(.)\1{11}", re.IGNORECASE | re.DOTALL
)
_MASK = re.compile(r"\[masked:[^\]\s]{1,200}\]")
_WORDS_TEXT = """
    a accepted an and any are as at authentication bad bool but by bytes can cannot changed check
    correct could default denied deleted did disabled does empty enabled error expired failed
    fail failure false for found from given has have if in incorrect int integer invalid is it length
    malformed may mismatch missing must n/a needed new nil no none not null object of ok okay old on
    only optional or please provided publickey rejected renewed required reset rotated set should
    str string sent stored than that the this to too true type undefined unexpected unknown unset
    until updated use used user valid value was were when will with without wrong yes you your yours
"""
_WORDS = frozenset(_WORDS_TEXT.split())


def is_placeholder(value: str) -> bool:
    """Whether a value is no secret whatever the name before it says: a mask, a variable, a piece of code."""
    return not value or _STANDS_FOR_ONE.fullmatch(value) is not None or _CODE.fullmatch(value) is not None


def is_word(value: str) -> bool:
    """Whether a value is an ordinary word, as in `password: incorrect`."""
    return value.lower().rstrip(".!?:") in _WORDS


def is_mask(value: str) -> bool:
    """Whether a value is what this system has written for a secret before."""
    return _MASK.fullmatch(value) is not None


def is_varied(value: str) -> bool:
    """Whether a value could be random, unlike `XXXXXXXXXXXX` and `xoxb-your-token-here`."""
    start = value[:256]
    return len(set(start)) >= 6 and _EXAMPLE.search(start) is None
