"""What the processor does to records: fields, labels and names at any depth, and what settings change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.masking.declaration import declaration_of
from logging_system.masking.loading import rule_set_of
from logging_system.masking.processor import Mask
from logging_system.masking.rule import Rule
from logging_system.masking.rule_set import RuleSet
from logging_system.masking.rules import RULES
from logging_system.records.document import Record
from logging_system.records.processors import Drop

CARD = "4111111111111111"
KEY = "0123456789abcdef0123456789abcdef"


def mask_of(declared: object = None, key_file: Path | None = None) -> Mask:
    return Mask(rule_set_of(declaration_of(declared or {}), key_file))


MASK = mask_of()


def masked(document: dict[str, Any], mask: Mask = MASK) -> Any:
    outcome = mask.process(Record.of_document(document))
    assert isinstance(outcome, Record)
    return orjson.loads(outcome.encoded)


def masked_line(line: bytes, mask: Mask = MASK) -> bytes:
    outcome = mask.process(Record.of_line(line, orjson.loads(line)))
    assert isinstance(outcome, Record)
    return outcome.encoded


def test_a_record_without_secrets_is_the_same_record() -> None:
    record = Record.of_document({"message": "order 17 was paid in 23 ms", "labels": {"user": 7}})

    assert MASK.process(record) is record


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "DB_PASSWORD",
        "apiKey",
        "X-Api-Key",
        "headers.Authorization",
        "Set-Cookie",
        "secret#2",
        "password.old",
        "a.secrets.b.c",
    ],
)
@pytest.mark.parametrize("value", ["hunter2", 17, 1.5, ["a", {"b": "c"}]])
def test_values_under_a_secret_name_are_masked_in_any_form(name: str, value: object) -> None:
    shown = masked({"labels": {name: value, "user": "bob"}})["labels"]

    assert shown.pop("user") == "bob"
    expected: object = "[masked:named_field]"
    if isinstance(value, list):
        expected = ["[masked:named_field]", {"b": "[masked:named_field]"}]
    assert shown == {name: expected}


@pytest.mark.parametrize(
    "labels",
    [{"max_tokens": 512}, {"pass": 12, "fail": 1}, {"password": None}, {"secret": True}, {"token": ""}],
)
def test_counts_and_what_says_nothing_stay_under_such_a_name(labels: dict[str, object]) -> None:
    assert masked({"labels": labels})["labels"] == labels


def test_a_name_and_its_value_may_stand_apart() -> None:
    given = {"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "PORT", "value": "80"}]}

    assert masked(given) == {
        "env": [{"name": "DB_PASSWORD", "value": "[masked:named_field]"}, {"name": "PORT", "value": "80"}]
    }


def test_the_ids_of_a_trace_are_no_secrets_whatever_their_digits() -> None:
    ids = {"trace": {"id": CARD + CARD}, "span": {"id": CARD}}

    assert masked({"message": f"pay {CARD}", **ids}) == {"message": "pay [masked:card]", **ids}


@pytest.mark.parametrize("place", [("span", "number"), ("labels", "span"), ("trace", "id")])
def test_a_card_where_no_such_id_is_stays_a_secret(place: tuple[str, str]) -> None:
    outer, inner = place

    assert masked({outer: {inner: CARD}}) == {outer: {inner: "[masked:card]"}}


def test_secrets_are_masked_at_any_depth_and_as_numbers() -> None:
    given = {"a": [{"b": [[f"card {CARD}"]]}], "n": int(CARD), "f": float(CARD), "small": 4}

    assert masked(given) == {
        "a": [{"b": [["card [masked:card]"]]}],
        "n": "[masked:card]",
        "f": "[masked:card]",
        "small": 4,
    }


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES if not rule.is_opt_in])
def test_a_secret_is_found_wherever_it_stands_in_a_record(rule: Rule) -> None:
    text = rule.examples[0]
    secret = max(re.findall("«(.*?)»", text, re.DOTALL), key=len)
    plain = re.sub("[«»]", "", text)

    for given in (
        {"a": plain},
        {"a": {"b": {"c": plain}}, "d": {"e": 1}},
        {"a": [{"b": [plain]}]},
        {"a": {"b": 1}, "c": {plain: {"d": 1}}},
    ):
        assert secret not in str(masked(given)), given


def test_a_character_written_by_its_number_makes_no_secret() -> None:
    record = Record.of_document({"message": r"C:\users\bob and \u0041"})
    line = Record.of_line(b'{"m":"caf\\u00e9 \\/"}', {"m": "caf\u00e9 /"})

    assert MASK.process(record) is record
    assert MASK.process(line) is line


def test_names_of_fields_are_masked_too_and_stay_apart() -> None:
    given = {"labels": {"alice@example.com": {"card": int(CARD)}, "bob@example.com": 2, "c": 3}}

    assert masked(given)["labels"] == {
        "c": 3,
        "[masked:email]": {"card": "[masked:card]"},
        "[masked:email]#2": 2,
    }


def test_texts_of_bytes_tuples_and_sets_are_masked_as_they_are_stored() -> None:
    given = {
        "t": (f"x {CARD}",),
        "b": f"b'card {CARD}'",
        "s": "{'password': 'hunter2'}",
        "e": "a\ud800 " + CARD,
    }

    shown = masked(given)

    assert CARD not in str(shown)
    assert "hunter2" not in str(shown)
    assert shown["s"] == "{'password': '[masked:password]'}"


def test_a_line_keeps_every_byte_that_is_no_secret() -> None:
    line = b'{"n": 12345678901234567890123, "x":1.10, "password" : "hunter2","m":"\\u0034111111111111111"}'

    assert masked_line(line) == (
        b'{"n": 12345678901234567890123, "x":1.10, "password" : "[masked:named_field]","m":"[masked:card]"}'
    )


@pytest.mark.parametrize(
    "line",
    [
        b'{"p\\u0061ssword": "hunter2"}',
        b'{"m": "postgres:\\/\\/u:hunter2@db\\/x"}',
        b'{"m": "p\\u0061ssword=hunter2"}',
        b'{"m":"{\\"password\\":\\"hunter2\\"}"}',
        b'{"m":"a\\npassword=hunter2"}',
        b'{"m":"a\\u0001sk-proj-hunter2hunter2hunter2"}',
    ],
)
def test_no_way_to_write_json_hides_a_secret(line: bytes) -> None:
    assert b"hunter2" not in masked_line(line)


@pytest.mark.parametrize(
    ("action", "shown"),
    [("redact", "pay [masked:card]"), ("keep_last_4", "pay [masked:card:1111]"), ("off", f"pay {CARD}")],
)
def test_a_rule_has_the_action_that_settings_give_it(action: str, shown: str) -> None:
    assert masked({"message": f"pay {CARD}"}, mask_of({"rules": {"card": action}})) == {"message": shown}


def test_a_short_secret_keeps_nothing() -> None:
    mask = mask_of({"rules": {"password": "keep_last_4"}})

    assert masked({"message": "password=hunter2"}, mask) == {"message": "password=[masked:password]"}


def test_a_record_is_dropped_where_a_rule_says_so() -> None:
    mask = mask_of({"rules": {"private_key": "drop_record", "named_field": "drop_record"}})
    key = "-----BEGIN PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n-----END PRIVATE KEY-----"

    assert mask.process(Record.of_document({"message": key})) == Drop("masked_private_key")
    assert mask.process(Record.of_document({"password": "x"})) == Drop("masked_named_field")


def test_a_token_is_the_same_for_the_same_secret_and_tells_nothing_of_it(tmp_path: Path) -> None:
    keys = []
    for number, content in enumerate((KEY, KEY[::-1])):
        keys.append(tmp_path / str(number))
        keys[-1].write_text(content)
        keys[-1].chmod(0o600)
    mask, other = (mask_of({"rules": {"email": "token"}}, key) for key in keys)

    first = masked({"message": "Alice@example.com"}, mask)["message"]

    assert first == masked({"message": "alice@example.com"}, mask)["message"]
    assert first != masked({"message": "bob@example.com"}, mask)["message"]
    assert first != masked({"message": "alice@example.com"}, other)["message"]
    assert masked({"message": first}, mask)["message"] == first
    assert "alice" not in first


def test_tokens_need_a_key_that_nobody_else_can_read(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("x")
    short.chmod(0o600)
    wide = tmp_path / "wide"
    wide.write_text(KEY)
    wide.chmod(0o644)
    for path, why in (
        (None, "need a key"),
        (short, "at least 16"),
        (wide, "chmod 600"),
        (tmp_path / "no", "name a file"),
    ):
        with pytest.raises(ValueError, match=why):
            mask_of({"rules": {"email": "token"}}, path)


def test_allowed_values_and_fields_exempt_exactly_what_they_name() -> None:
    mask = mask_of({"allow": {"values": ["help@example.com"], "fields": ["labels.page_token"]}})
    given = {
        "message": "help@example.com, xhelp@example.com",
        "labels": {"page_token": "abc", "token": "def"},
        "page_token": "ghi",
    }

    assert masked(given, mask) == {
        "message": "help@example.com, [masked:email]",
        "labels": {"page_token": "abc", "token": "[masked:named_field]"},
        "page_token": "[masked:named_field]",
    }


def test_an_allowed_field_is_still_looked_at_by_the_other_rules() -> None:
    mask = mask_of({"allow": {"fields": ["labels.page_token"]}})

    assert masked({"labels": {"page_token": CARD}}, mask) == {"labels": {"page_token": "[masked:card]"}}


def test_opt_in_rules_and_own_fields_and_patterns_are_used_where_they_are_declared() -> None:
    given = {"message": "call +49 30 901820, EMP-123456", "labels": {"iris_code": "abc"}}
    mask = mask_of(
        {
            "rules": {"phone": "redact"},
            "fields": ["iris code"],
            "patterns": {
                "employee": {"pattern": "EMP-[0-9]{6}", "literals": ["EMP-"], "examples": ["EMP-000000"]}
            },
        }
    )

    assert masked(given) == given
    assert masked(given, mask) == {
        "message": "call [masked:phone], [masked:employee]",
        "labels": {"iris_code": "[masked:named_field]"},
    }


@pytest.mark.parametrize(
    ("pattern", "literals", "why"),
    [
        ("EMP-[0-9]{1,1001}", ["EMP-"], "above 1000"),
        ("EMP-[0-9]+", ["EMP-"], "no bound"),
        ("EMP-[0-9]{2,}", ["EMP-"], "no bound"),
        ("(?:EMP-)?", ["EMP-"], "empty text"),
        ("[0-9]{6}", [], "has no literal"),
        ("[0-9]{6}", ["E"], "too short"),
        ("[0-9]{6}", ["EMP-"], "not in the pattern"),
        ("(EMP-", ["EMP-"], "no expression of RE2"),
        ("(?=EMP-)x", ["EMP-"], "no expression of RE2"),
    ],
)
def test_a_pattern_that_could_be_slow_or_blind_is_refused_with_the_remedy(
    pattern: str, literals: list[str], why: str
) -> None:
    with pytest.raises(ValueError, match=rf"^patterns\.employee: .*{why}"):
        mask_of({"patterns": {"employee": {"pattern": pattern, "literals": literals}}})


def test_an_example_that_its_pattern_does_not_find_is_refused() -> None:
    declared: Mapping[str, object] = {"pattern": "EMP-[0-9]{6}", "literals": ["EMP-"], "examples": ["EMP-1"]}
    with pytest.raises(ValueError, match="example 1 is not found"):
        mask_of({"patterns": {"employee": declared}})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"rule": {}}, 'rule: no such name; did you mean "rules"?'),
        ({"rules": {"emial": "redact"}}, 'rules.emial: no such name; did you mean "email"?'),
        (
            {"rules": {"email": "hide"}},
            "rules.email: must be one of redact, keep_last_4, token, drop_record, off",
        ),
        ({"fields": "x"}, "fields: must be a list of at most 1000 texts"),
        ({"fields": [7]}, "fields: must be text, of 1 to 1000 characters, in quotes"),
        ({"allow": ["x"]}, "allow: must be an object of names and values"),
        ({"allow": {"rules": []}}, "allow.rules: no such name; choose from values, fields"),
        ({"patterns": {"email": {}}}, "patterns.email: name it otherwise"),
        ({"patterns": {"x": {"regex": "x"}}}, "patterns.x.regex: no such name; choose from pattern"),
        ("x", "mask: must be an object of names and values"),
    ],
)
def test_a_mistake_in_the_declaration_is_told_with_its_place_and_the_remedy(
    declared: object, message: str
) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("?", r"\?").replace(".", r"\.")):
        declaration_of(declared)


def test_a_rule_that_raises_costs_its_field_and_nothing_else() -> None:
    def fail(text: str, found: tuple[int, int]) -> list[tuple[int, int]]:
        raise RuntimeError(text[found[0] : found[1]])

    broken = Rule("broken", "", ("bomb",), "bomb", (), (), judge=fail)
    mask = Mask(RuleSet([broken], names=None))

    assert masked({"message": "a bomb", "labels": {"x": "y"}}, mask) == {
        "message": "[masked:broken:error]",
        "labels": {"x": "y"},
    }


def test_overlapping_finds_become_one_of_which_nothing_is_left() -> None:
    first = Rule("first", "", ("aab",), "aab", (), (), action="keep_last_4")
    second = Rule("second", "", ("baa",), "baa", (), ())
    mask = Mask(RuleSet([first, second], names=None))

    assert masked({"message": "x aabaa y"}, mask) == {"message": "x [masked:first] y"}
