# ruff: noqa: RUF001 - letters that look like others are what is tested
"""Secrets where programs put them without meaning to, and where somebody put them meaning harm."""

from __future__ import annotations

import base64
import json
import traceback
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pytest

from logging_system.masking.declaration import MaskDeclaration
from logging_system.masking.loading import rule_set_of
from logging_system.masking.look_alikes import plain
from logging_system.masking.processor import Mask
from logging_system.records.document import Record

MASK = Mask(rule_set_of(MaskDeclaration()))
PASSWORD = "hunter2Zq9"  # noqa: S105 - an invented one
KEY = "a8Fk29sLq0ZpXv7Rt4Wm1Yb6"
USER_AND_PASSWORD = base64.b64encode(f"bob:{PASSWORD}".encode()).decode()
PEM = "-----BEGIN PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n-----END PRIVATE KEY-----"


@dataclass
class Account:
    """Shown by its own `repr`."""

    user: str
    password: str
    api_key: str


def told(document: object) -> str:
    """Return what is stored of a document."""
    assert isinstance(document, dict)
    outcome = MASK.process(Record.of_document(document))
    assert isinstance(outcome, Record)
    return str(orjson.loads(outcome.encoded))


def raised(fail: Callable[[], object]) -> str:
    """Return the traceback of what a function raises."""
    try:
        fail()
    except Exception as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError("nothing was raised")


def with_cause() -> None:
    try:
        with_note()
    except ValueError as error:
        raise RuntimeError("the login failed") from error


def in_groups() -> None:
    inner = ExceptionGroup("inner", [OSError(f"postgres://app:{PASSWORD}@db/shop")])
    raise ExceptionGroup("outer", [KeyError(f"api_key={KEY}"), inner])


def with_note() -> None:
    error = ValueError("x")
    error.add_note(f"password={PASSWORD}")
    raise error


def as_f_string() -> str:
    password, self_secret_key = PASSWORD, KEY
    return f"{password=} {self_secret_key=}"


TEXTS = {
    "JSON in JSON in JSON": json.dumps({"a": json.dumps({"b": json.dumps({"password": PASSWORD})})}),
    "JSON four times": json.dumps(json.dumps(json.dumps(json.dumps({"api_key": KEY})))),
    "a form": urllib.parse.urlencode({"user": "bob", "password": PASSWORD, "next": "/"}),
    "encoded twice": urllib.parse.quote(urllib.parse.quote(f"password={PASSWORD}")),
    "a URL in a URL": "/?next=" + urllib.parse.quote(f"https://bob:{PASSWORD}@host/x", safe=""),
    "a key in a URL": urllib.parse.quote(PEM),
    "Basic": f"Authorization: Basic {USER_AND_PASSWORD}",
    "Basic in a dictionary": str({"auth": f"Basic {USER_AND_PASSWORD}"}),
    "a list of headers": str([("Authorization", f"Bearer {KEY}"), (b"x-api-key", KEY.encode())]),
    "raw headers": str(f"GET / HTTP/1.1\r\nX-Api-Key: {KEY}\r\nX-Auth-Token: {KEY}\r\n\r\n".encode()),
    "a cause": raised(with_cause),
    "groups of exceptions": raised(in_groups),
    "a note": raised(with_note),
    "an f-string's =": as_f_string(),
    "a dataclass": str(Account("bob", PASSWORD, KEY)),
    "bytes": str({"password": PASSWORD.encode(), "api_key": bytearray(KEY.encode())}),
    "a set": str({"passwords": {PASSWORD}, "tokens": frozenset({KEY})}),
    "split by formatting": "{}-{}".format("sk-proj", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4"),
    "a colon in full width": f"password：{PASSWORD}",
    "a name in full width": f"ｐａｓｓｗｏｒｄ={PASSWORD}",
    "a Cyrillic letter": f"pаssword={PASSWORD}",
    "a Greek letter at the end": f"tοken={KEY}",
    "a zero-width space": f"pass\u200bword={PASSWORD}",
    "a soft hyphen in the secret": f"password={PASSWORD[:3]}\u00ad{PASSWORD[3:]}",
    "no-break spaces": f"password\u00a0=\u00a0{PASSWORD}",
    "YAML, one line below": f"db:\n  password:\n    {PASSWORD}\n  port: 1",
    "three quotes": f'password = """{PASSWORD}"""',
    "entities of HTML": f"{{&quot;password&quot;: &quot;{PASSWORD}&quot;}}",
    "an element as entities": f"&lt;password&gt;{PASSWORD}&lt;/password&gt;",
    "an option of Rust": f'Config {{ password: Some("{PASSWORD}") }}',
    "a failed command": f"Command '['curl', '-u', 'bob:{PASSWORD}', 'https://x']' returned 1",
    "a command as a list": str(["mysql", "-uroot", f"-p{PASSWORD}"]),
    "a command on two lines": f"curl https://x \\\n  --user bob:{PASSWORD}",
    "a colour": f"\x1b[1mpassword\x1b[0m: \x1b[33m{PASSWORD}\x1b[0m",
}
SECRETS = (PASSWORD, PASSWORD[3:], KEY, USER_AND_PASSWORD, "MIIBOgIBAAJBAKj34GkxFhD90vcN", "a1B2c3D4e5F6")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in TEXTS.items()])
def test_nothing_of_a_secret_is_left(text: str) -> None:
    assert any(secret in text.replace("\u00ad", "") for secret in SECRETS)
    shown = told({"message": text, "labels": {"x": [text]}})

    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize(
    "labels",
    [
        {"headers": [["Authorization", f"Bearer {KEY}"], ["X-Api-Key", KEY]]},
        {"headers": [{"k": "X-Api-Key", "v": KEY}]},
        {"params": ["password", PASSWORD]},
        {"argv": ["app", "--password", PASSWORD, f"--token={KEY}"]},
        {"pаssword": PASSWORD, "ｐａｓｓｗｏｒｄ": PASSWORD},
        {"PASSWORD_1": PASSWORD, "password2": PASSWORD},
        {"secretString": PASSWORD, "creds": {"user": "bob", "p": PASSWORD}},
        {"env": [{"Name": "X_TOKEN", "Value": KEY}]},
        {f"password={PASSWORD}": 1},
        {"password_confirmation": PASSWORD, "passwordHash": PASSWORD, "newPasswordValue": PASSWORD},
        {"params": [{"ParameterKey": "DbPassword", "ParameterValue": PASSWORD}]},
        {"argv": ["mysql", "-uroot", f"-p{PASSWORD}", "shop"]},
        {"argv": ["sshpass", "-p", PASSWORD, "ssh", "db"]},
        {"argv": ["curl", "-u", f"bob:{PASSWORD}", "https://x"]},
    ],
)
def test_nothing_of_a_secret_is_left_in_fields(labels: dict[str, object]) -> None:
    shown = told({"message": "x", "labels": labels})

    assert [secret for secret in SECRETS if secret in shown] == []


def test_a_card_between_other_spaces_and_digits_is_masked_as_a_whole() -> None:
    for number in (
        "4111\u00a01111\u20091111\u202f1111",
        "4111–1111–1111–1111",
        "４１１１１１１１１１１１１１１１",
        "٤١١١١١١١١١١١١١١١",
    ):
        assert told({"message": f"é {number}!"}) == str({"message": "é [masked:card]!"})


def test_of_a_command_only_the_secret_arguments_are_masked() -> None:
    labels = {"argv": ["mysql", f"-p{PASSWORD}", "--host=db"], "shown": ["mysql", "-p", "--help"]}
    shown = told({"message": "x", "labels": labels})

    assert shown == str(
        {
            "message": "x",
            "labels": {
                "argv": ["mysql", "-p[masked:command_password]", "--host=db"],
                "shown": ["mysql", "-p", "--help"],
            },
        }
    )


@pytest.mark.parametrize("text", ["ｆｕｌｌ ｗｉｄｔｈ", "soft\u00adhyphen", "tοken of Greece", "a\u00a0b"])
def test_what_looks_alike_stays_as_it_was_written(text: str) -> None:
    record = Record.of_document({"message": text})

    assert MASK.process(record) is record


def test_a_place_in_a_plain_text_is_told_as_one_in_the_text_as_it_is() -> None:
    text = "\u200bab\u00adc\u200b\u200bd\ufeff"
    shown = plain(text)

    assert shown.text == "abcd"
    for start in range(4):
        for end in range(start + 1, 5):
            first, behind = shown.span(start, end)
            assert plain(text[first:behind]).text == shown.text[start:end]
            assert text[first] == shown.text[start]
            assert text[behind - 1] == shown.text[end - 1]


def test_a_plain_text_of_ascii_is_itself() -> None:
    assert plain("password=x").span(2, 5) == (2, 5)
