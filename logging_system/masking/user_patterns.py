"""Makes rules of patterns that users declare; one that could be slow or blind is refused, with the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import re2

from logging_system.masking.declaration import UserPattern
from logging_system.masking.rule import Rule

REPETITIONS_MAX = 1_000
"""RE2 refuses more: https://github.com/google/re2/wiki/Syntax"""

_LITERAL_CHARACTERS_MIN = 2
_CLASS_OR_ESCAPE = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_UNBOUNDED = re.compile(r"[*+]|\{\d+,\}")
_COUNTS = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def rule_of(declared: UserPattern) -> Rule:
    """Return the rule that a user declared.

    Raises:
        ValueError: The pattern is none of RE2, may match nothing, has no bound or no literal, or does not
            find its own examples.
    """
    where = f"patterns.{declared.name}"
    for problem in _problems(declared):
        raise ValueError(f"{where}: {problem}")
    flag = "(?i)" if declared.pattern.startswith("(?i)") else ""
    return Rule(
        name=declared.name,
        what="a pattern of the settings",
        gate=tuple(flag + re2.escape(_in_json(literal)) for literal in declared.literals),
        pattern=declared.pattern,
        examples=declared.examples,
        counterexamples=(),
        action=declared.action,
    )


def _in_json(literal: str) -> str:
    return orjson.dumps(literal)[1:-1].decode()


def _problems(declared: UserPattern) -> Iterator[str]:
    yield from _problems_of_repetitions(_CLASS_OR_ESCAPE.sub("x", declared.pattern))
    yield from _problems_of_the_expression(declared.pattern)
    yield from _problems_of_literals(declared)
    for number, example in enumerate(declared.examples, start=1):
        if not _is_found(declared, example):
            yield f"example {number} is not found by the pattern with its literals; correct one of them"


def _problems_of_repetitions(bare: str) -> Iterator[str]:
    counts = [int(count) for pair in _COUNTS.findall(bare) for count in pair if count]
    if any(count > REPETITIONS_MAX for count in counts):
        yield f"a repetition is above {REPETITIONS_MAX}, which RE2 refuses; lower it"
    if _UNBOUNDED.search(bare):
        yield "a repetition has no bound; write {1,200} for +, {0,200} for *"


def _problems_of_literals(declared: UserPattern) -> Iterator[str]:
    if not declared.literals:
        yield 'has no literal; give a text that every match contains: literals: ["EMP-"]'
    plain = declared.pattern.replace("\\", "").lower()
    for literal in declared.literals:
        if len(literal) < _LITERAL_CHARACTERS_MIN:
            yield f'the literal "{literal}" is too short; give at least {_LITERAL_CHARACTERS_MIN} characters'
        if literal.replace("\\", "").lower() not in plain:
            yield f'the literal "{literal}" is not in the pattern; give a text that every match contains'


def _problems_of_the_expression(pattern: str) -> Iterator[str]:
    options = re2.Options()
    options.log_errors = False
    try:
        expression = re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        yield f"no expression of RE2: {why.decode(errors='replace') if isinstance(why, bytes) else why}"
        return
    if expression.search("") is not None:
        yield "matches the empty text; let it require a character"


def _is_found(declared: UserPattern, example: str) -> bool:
    folded = declared.pattern.startswith("(?i)")
    seen = example.lower() if folded else example
    has_literal = any((literal.lower() if folded else literal) in seen for literal in declared.literals)
    return has_literal and re2.search(declared.pattern, example) is not None
