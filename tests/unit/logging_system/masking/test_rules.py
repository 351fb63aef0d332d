"""The table of rules is its own test: every example is masked as it says, every counterexample stays."""

from __future__ import annotations

import os
import re
from pathlib import Path

import orjson
import pytest

from logging_system.masking.replacement import redacted
from logging_system.masking.rule import Rule
from logging_system.masking.rule_set import RuleSet, gate_text
from logging_system.masking.rules import FAMILIES, RULES
from logging_system.records.processors import Drop

MARKED = re.compile("«([^»]*)»")
EXAMPLES = [
    pytest.param(rule, each, id=f"{rule.name}-{each[:40]}") for rule in RULES for each in rule.examples
]
COUNTEREXAMPLES = [
    pytest.param(rule, each, id=f"{rule.name}-{each[:40]}") for rule in RULES for each in rule.counterexamples
]
ALONE = {rule.name: RuleSet([rule], names=None) for rule in RULES}
ALL = RuleSet(RULES, names=None)


def masked(rules: RuleSet, text: str) -> str:
    return rules.masked_text(text, lambda _rule: None)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_masks_exactly_the_secrets_of_its_examples(rule: Rule, example: str) -> None:
    assert masked(ALONE[rule.name], MARKED.sub(r"\1", example)) == MARKED.sub(redacted(rule.name), example)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_the_gate_lets_every_example_through_whatever_json_escapes_in_it(rule: Rule, example: str) -> None:
    plain = MARKED.sub(r"\1", example)
    encoded = orjson.dumps({"message": f"\n{plain}\t"})

    assert ALL.hits(encoded) is not None
    assert [each.name for each in ALL.rules].index(rule.name) in (ALL.hits(encoded) or [])


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
def test_the_gate_lets_examples_through_whatever_records_stand_beside_them(rule: Rule) -> None:
    place = [each.name for each in ALL.rules].index(rule.name)
    innocent = orjson.dumps({"@timestamp": "2026-01-01T00:00:00Z", "message": "paid", "labels": {"n": 1}})

    assert not ALL.gate(b"\n".join([innocent] * 3))
    for example in rule.examples:
        encoded = orjson.dumps({"message": MARKED.sub(r"\1", example)})
        assert place in ALL.hits(b"\n".join([innocent, encoded, innocent]))


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_nothing_of_a_secret_is_left_by_all_rules_together(rule: Rule, example: str) -> None:
    shown = masked(ALL, MARKED.sub(r"\1", example))

    assert not [secret for secret in MARKED.findall(example) if secret in shown.replace("[masked:", "")]


@pytest.mark.parametrize(("rule", "counterexample"), COUNTEREXAMPLES)
def test_a_rule_leaves_what_only_looks_like_a_secret(rule: Rule, counterexample: str) -> None:
    assert masked(ALONE[rule.name], counterexample) == counterexample


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
def test_a_rule_is_complete(rule: Rule) -> None:
    assert rule.examples
    assert rule.counterexamples
    assert all(MARKED.search(each) for each in rule.examples)
    assert Drop(f"masked_{rule.name}")  # its name fits into a reason


def test_names_are_unique_and_every_family_has_rules() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) >= 40
    assert all(FAMILIES.values())


def test_what_was_masked_once_stays_as_it_is() -> None:
    for rule in RULES:
        for example in rule.examples:
            once = masked(ALL, MARKED.sub(r"\1", example))
            assert masked(ALL, once) == once


@pytest.mark.parametrize(
    "context",
    [
        "{}",
        "({})",
        "\n{}\n",
        "\t{}",
        "x={}",
        "'{}'",
        '"{}"',
        "é{}é",
        "a, {}, b",
        "[{}]",
        "\\{}",
        "{}€",
        "\x01{}",
    ],
)
def test_the_gate_hides_nothing_that_a_rule_finds_whatever_stands_around_it(context: str) -> None:
    hidden = []
    for place, rule in enumerate(ALL.rules):
        for example in rule.examples:
            text = context.replace("{}", MARKED.sub(r"\1", example))
            if list(ALL.found(place, text)) and place not in (ALL.hits(gate_text(text)) or []):
                hidden.append((rule.name, text))

    assert hidden == []


LOGHUB = os.environ.get("LOGHUB_DIR", "")


@pytest.mark.slow
@pytest.mark.skipif(not LOGHUB, reason="LOGHUB_DIR names no folder with the Loghub-2k log sets")
def test_in_logs_of_real_systems_the_rules_find_one_address_and_nothing_else() -> None:
    found = []
    for path in sorted(Path(LOGHUB).glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if masked(ALL, line) != line:
                found.append(masked(ALL, line))

    # The kernel's version line names who built it, as an address.
    assert len(found) == 1
    assert "Linux version 2.6.5-1.358 ([masked:email]) (gcc version 3.3.3" in found[0]
