"""Values behind a name that says what they are: `password=…`, `"api_key": "…"`, `--token …`, `<secret>…`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logging_system.masking.denied_names import (
    CREDENTIALS,
    PASSWORDS,
    SHORT_PASSWORDS,
    gate_of,
    words_of,
)
from logging_system.masking.placeholders import is_placeholder, is_varied, is_word
from logging_system.masking.rule import Rule, Span

_PASSWORDS = rf"(?:{words_of(PASSWORDS)}|(?:^|[^A-Za-z0-9])(?:{words_of(SHORT_PASSWORDS)}))s?"
_CREDENTIALS = rf"(?:{words_of(CREDENTIALS)})s?"
_LONG = words_of((*PASSWORDS, *CREDENTIALS))
_ALL = words_of((*PASSWORDS, *CREDENTIALS, *SHORT_PASSWORDS))
_QUOTE = r"""(?:\\{1,4}["']|["'`])"""
_TO_VALUE = rf"{_QUOTE}?\]?\s{{0,3}}(?:=>|:=|==?|:|%3D)\s{{0,3}}"
# In brackets all of it; quoted with escapes, in double or single quotes; bare. What does not end was cut.
_VALUE = (
    r"""(?:[\[{(]([^\]})]+)|\\{1,4}["']([^"'\\]+)|[bBuUrR]?"((?:[^"\\]|\\.)+)"""
    r"""|[bBuUrR]?'((?:[^'\\]|\\.)+)|([^\s"'`;&]+))"""
)
_PAIR = r"""["'],\s{0,3}[bBuU]?(?:"([^"]+)|'([^']+))"""
_NEXT_NAME = re.compile(r",(?=\s|$|[\w.-]{1,64}[\"']?[=:])|[)\]}>]{1,8}[,.:]?$|[.,:]{1,8}$")
_MASKED_BEFORE = re.compile(r"\[masked:[^\]\s]{1,200}\](?=[,.:)\]}>]*(?:,|$))")
_QUOTED_NAME = re.compile(r"""["'`]\]?\s{0,3}(?:=>|:=|==?|:|,)\s{0,3}[bBuUrR]?\\{0,4}["']$""")
_ASSIGNED = re.compile(r"=\s?[\"'\[({]$")
_PATH = re.compile(r"(?:/|~|[A-Za-z]:\\)[\w./\\-]*")
_NO_TOKEN = re.compile(r"\d{4}-\d\d-\d\d.*|v?\d+(?:\.\d+)+|[{}()\[\]<>,.;:=+*/|&!?-]+", re.DOTALL)
_SHORT_MIN, _LONG_MIN = 6, 20


def _passwords(text: str, found: Span) -> Iterator[Span]:
    start, end = _without_what_follows(text, found)
    value = text[start:end]
    if is_placeholder(value) or is_word(value) or _is_variable(text, start, value):
        return
    if _PATH.fullmatch(value) and "pwd" in text[max(0, start - 8) : start].lower():
        return  # a shell's current folder
    yield start, end


def _credentials(text: str, found: Span) -> Iterator[Span]:
    start, end = _without_what_follows(text, found)
    value = text[start:end]
    if is_placeholder(value) or is_word(value):
        return
    before = text[max(0, start - 16) : start]
    if _NO_TOKEN.fullmatch(value):
        return
    if _QUOTED_NAME.search(before) or _ASSIGNED.search(before) or _could_be_random(value):
        yield start, end


def _is_variable(text: str, start: int, value: str) -> bool:
    """Whether a name in braces stands where the value will: `password={password}`."""
    return text[start - 1 : start] == "{" and value.isidentifier()


def _could_be_random(value: str) -> bool:
    """Whether a value is no word of a sentence (`token: unexpected`) and no small number."""
    if len(value) < _SHORT_MIN:
        return False
    if any(map(str.isdigit, value)):
        return len(set(value)) >= 4
    return is_varied(value) and (
        len(value) >= _LONG_MIN or not (value.islower() or value.istitle() or value.isupper())
    )


def _without_what_follows(text: str, found: Span) -> Span:
    """Return a bare value without the next name of a list, or the bracket and stop behind it."""
    start, end = found
    if start and text[start - 1] in "\"'[{(":
        return found
    if (mask := _MASKED_BEFORE.match(text, start, end)) is not None:
        return start, mask.end()
    cut = _NEXT_NAME.search(text, start, end)
    return (start, cut.start()) if cut is not None and cut.start() > start else found


NAMED_VALUES = (
    Rule(
        name="password",
        what="Values behind `password` and its like in a text: `name=value`, JSON, YAML, a dictionary's text",
        gate=(gate_of((*PASSWORDS, *SHORT_PASSWORDS)),),
        pattern=rf"(?i){_PASSWORDS}(?:{_TO_VALUE}{_VALUE}|{_PAIR})",
        judge=_passwords,
        examples=(
            "login user=bob password=«hunter2» ok",
            "{'user': 'bob', 'password': '«correct horse»'}",
            '{"password": "«a\\"b»", "x": 1}',
            r"body={\"passwd\":\"«s3cr3t»\"}",
            "DB_PASSWORD=«s3cr3t», DB_HOST=db",
            "Server=db;Pwd=«s3cr3t»;Database=x",
            "?user=bob&password=«a%20b»&x=1",
            "user_pass: «tiger»",
            "('password', '«tiger»')",
            "{'passwords': [«'tiger', 'lion'»], 'x': 1}",
            "dbpass=«tiger»",
            '{"password": {«"a": {"b": "tiger"»}}}',
        ),
        counterexamples=(
            "password: incorrect",
            "Failed password for root from 10.0.0.1",
            "password=None",
            "password=os.environ['X']",
            "password=***",
            "password: must be longer",
            "PWD=/home/bob",
            "compass: north",
            "password=[masked:password]",
            "password={password}",
        ),
    ),
    Rule(
        name="credential",
        what="Values behind `secret`, `token`, `api_key` and their like, where they could be random",
        gate=(gate_of(CREDENTIALS), rf"(?i)(?:{words_of(CREDENTIALS)}) is [^ ]{{6}}"),
        pattern=rf"(?i){_CREDENTIALS}(?:(?:{_TO_VALUE}| is ){_VALUE}|{_PAIR})",
        judge=_credentials,
        examples=(
            "api_key=«a1b2c3d4e5»",
            "the api key is «8f14e45fceea167a5a36dedd4bea2543»",
            'SECRET_KEY="«abc def»"',
            "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
            '{"client_secret": "«correcthorse»"}',
            "refresh-token: «tGzv3JOkF0XG5Qx2TlKWIA»",
            "AccountKey=«Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4»;EndpointSuffix=x",
            "https://api.example.com/v1?access_token=«9f8e7d6c5b4a»&page=2",
        ),
        counterexamples=(
            "token: unexpected end of file",
            "token: 2026-01-01",
            "the secret is out",
            "secret: shared",
            "max tokens: 512",
            "token=None",
            "api_key=$API_KEY",
            "invalid token provided",
        ),
    ),
    Rule(
        name="flag_value",
        what="Values of command-line flags such as `--password` and `--token`",
        gate=(rf"(?i)--[a-z-]*(?:{_ALL})[^A-Za-z0-9-]",),
        pattern=rf"(?i)(?:^|\s|[\"'])--(?:[a-z]+-)*(?:{_ALL})"
        r"(?:\s{1,3}|[\"'],\s{0,3})[\"']?([^\s\"'-][^\s\"']*)",
        judge=_passwords,
        examples=("mysql --user bob --password «tiger» shop", "['app', '--api-key', '«a1b2c3»']"),
        counterexamples=("use --password to set it", "--token --verbose", "--password-file /etc/x"),
    ),
    Rule(
        name="element_value",
        what="Texts of XML elements such as `<password>`",
        gate=(rf"(?i)<[a-z0-9_:.-]*(?:{_LONG})[^<>]*>[^<]",),
        pattern=rf"(?i)<[a-z0-9_:.-]{{0,40}}(?:{_LONG})(?:\s[^<>]{{0,200}})?>([^<]+)",
        judge=_passwords,
        examples=(
            "<user>bob</user><password>«tiger»</password>",
            '<wsse:Password Type="x">«tiger»</wsse:Password>',
        ),
        counterexamples=("<password></password>", "<tokens>"),
    ),
    Rule(
        name="password_hash",
        what="Hashes of passwords as crypt(5) and Argon2 write them",
        gate=(r"\$(?:2[abxy]|[567y]|argon2(?:id|i|d))\$[^ ]",),
        pattern=r"(\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}|\$(?:[567y]|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+-]{20,})",
        examples=(
            "hash «$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW»",
            "bob:«$6$52450745$k5ka2p8bFuSmoVT1tzOyyuaREkkKBcCNqoDKzYiJL9RaE8yMnPgh2XzzF0NDrUhgrcLwg78xs1w5pJiypEdFX/»:1",
        ),
        counterexamples=("cost $2 or $5", "$6$ is SHA-512"),
    ),
)
