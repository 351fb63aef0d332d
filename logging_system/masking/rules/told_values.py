"""Values behind their name with no sign between, as sentences, cells and programs' settings tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logging_system.masking.denied_names import CREDENTIALS, NAMED, words_of
from logging_system.masking.placeholders import is_placeholder, is_varied
from logging_system.masking.rule import Rule, Span, if_so

_NAMES = words_of(CREDENTIALS)
_WORD = "pass(?:[-_ ]?(?:word|phrase|code)|wd|wort)"
"""A password in sentences; each name more that a gate looks for costs time."""
_TOLD = (
    rf"(?i)(?:{_WORD})(?:"
    r" (?:(?:for|of) [^ ]* ?)?(?:is|was|has been|now|set to|reset to|changed to)[ :]| from [^ ]+ to "
    r"| for [^ ]+ ?[^ ]*: |[\\\"'* ]*(?:[\[(|;,]|\\t|\xe2\x94\x82)[^\"]?[^A-Za-z]{0,6}[a-z]{0,12}[^a-z ]"
    r"|\\?\"?(?:>>)?,? ?(?:<<)?(?:\\\"|')|(?: [07])? [^ ]*[0-9])"
)
"""The gate of the rules for passwords in sentences and in cells."""
_PIECE_MIN, _PASSWORD_MIN, _BARE_MIN = 16, 6, 8
_TYPE = re.compile(r"\w+\(\d+(?:,\s?\d+)?\)")
"""A column's type, as `varchar(255)`."""
_NAME = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z0-9]+)+")
_TO = re.compile(r"""["']?\s{1,3}to\s{1,3}["']?([^\s"',;]+)""")
_AWS_KEY = re.compile(r"[A-Za-z0-9+/]{40}")
_SEPARATOR = re.compile(r"[-_./]")


def _is_told(value: str) -> bool:
    """Whether a value is a key of AWS, or has a piece too long and too mixed for a name."""
    pieces = [value] if _AWS_KEY.fullmatch(value) and not value.islower() else _SEPARATOR.split(value)
    return is_varied(value) and any(
        len(piece) >= _PIECE_MIN and any(map(str.isdigit, piece)) and any(map(str.isalpha, piece))
        for piece in pieces
    )


def is_told_password(value: str) -> bool:
    """Whether a value is no word of a sentence."""
    return len(value) >= _PASSWORD_MIN and not value.isalpha() and not is_placeholder(value)


def _told_passwords(text: str, found: Span) -> Iterator[Span]:
    start, end = _without_stop(text, found)
    changed_from = text[max(0, start - 8) : start].rstrip("\"'").endswith("from ")
    to = _TO.match(text, end) if changed_from else None
    if is_told_password(text[start:end]) and (to is not None or not changed_from):
        yield start, end
        if to is not None:
            yield _without_stop(text, to.span(1))


def _without_stop(text: str, found: Span) -> Span:
    start, end = found
    value = text[start:end].rstrip(".,:;!?")
    return start, start + len(value if "(" in value else value.rstrip(")]}"))


def _beside_name(text: str, found: Span) -> Iterator[Span]:
    """Yield a value that stands at its name's side, where it is like no word, name or type."""
    start, end = _without_stop(text, found)
    value = text[start:end]
    if is_told_password(value) and any(map(str.isdigit, value)) and not _is_name(value):
        yield start, end


def _mixed(text: str, found: Span) -> Iterator[Span]:
    """Yield a bare value behind the word, where it has capitals, small letters and digits as no word has."""
    for start, end in _beside_name(text, found):
        value = text[start:end]
        if end - start >= _BARE_MIN and any(map(str.isupper, value)) and any(map(str.islower, value)):
            yield start, end


def _is_name(value: str) -> bool:
    return _TYPE.fullmatch(value) is not None or _NAME.fullmatch(value) is not None


TOLD_VALUES = (
    Rule(
        name="told_credential",
        what="Tokens and keys behind their name alone: `token … is invalid`, a column of a table",
        gate=(
            NAMED,
            r"/reset-password/",
        ),
        pattern=rf"(?i)(?:{_NAMES})s?(?:\s{{1,24}}(?:was\s)?|[;|\t])[|(\[]?\s{{0,3}}[\"'`]?([A-Za-z0-9_+/=.~-]{{16,}})"
        rf"|/(?:{_NAMES}|reset-password)s?/([A-Za-z0-9_=~-]{{16,}})",
        judge=if_so(_is_told),
        examples=(
            "token «a8Fk29sLq0ZpXv7Rt4Wm1Yb6» is invalid",
            "api key '«a8Fk29sLq0ZpXv7Rt4Wm1Yb6»' rejected",
            "AWS_SECRET_ACCESS_KEY     «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
            "| api_key | «a8Fk29sLq0ZpXv7Rt4Wm1Yb6» |",
            "the token was «a8Fk29sLq0ZpXv7Rt4Wm1Yb6»",
            "GET /api/token/«a8Fk29sLq0ZpXv7Rt4Wm1Yb6»/refresh",
            "GET /reset-password/«a8Fk29sLq0ZpXv7Rt4Wm1Yb6»",
        ),
        counterexamples=(
            "token request-0123456789 failed",
            "secret projects/shop-17/secrets/database-4",
            "token authenticationrequired",
            "tokens 1234567890123456",
            "/var/run/secrets/kubernetes/serviceaccount",
        ),
    ),
    Rule(
        name="told_password",
        what="Passwords in sentences and settings of programs: `with password …`, `requirepass …`, .netrc",
        gate=(
            r"(?i)(?:with password|ogin [^ ]* +password) ",
            _TOLD,
            r"(?i)(?:uirepass|masterauth|-(?:store|key)pass|-securestring) ",
        ),
        pattern=rf"""(?i)\b(?:with\spassword|login\s{{1,3}}\S{{1,64}}\s{{1,6}}password"""
        rf"""|(?:{_WORD})(?:\s(?:for|of)\s\S{{1,64}})?(?:\s(?:is|was|has\sbeen))?"""
        rf"""(?:\s(?:now|set\sto|reset\sto|changed\sto|is|was)|:\s|\sis:)|(?:{_WORD})\sfrom"""
        r"""|(?:pass\s?word|passphrase)\sfor\s(?:key\s)?[^\s:]{1,64}:"""
        r"""|requirepass|masterauth|(?:store|key)pass|convertto-securestring(?:\s-string)?)\s{0,3}(?:"([^"]+)|'([^']+)|([^\s"',;]+))""",
        judge=_told_passwords,
        examples=(
            "bob logged in with password «tiger42»",
            "machine db login bob password «tiger42»",
            "CONFIG SET requirepass «tiger42»",
            "keytool -storepass «tiger42» -list",
            'ConvertTo-SecureString "«tiger42»" -AsPlainText',
            "the password for bob is «tiger42».",
            "bob changed the password from «tiger42» to «lion42»",
            "password has been reset to «tiger42»",
            "your new password is now «tiger42»",
            "your password is: «tiger42»",
            "old password was «tiger42», please rotate",
            "Password for bob: «tiger42»",
            "Enter passphrase for key '/x': «tiger42»",
            "machine db\n  login bob\n  password «tiger42»",
        ),
        counterexamples=(
            "login with password failed",
            "the password is incorrect",
            "requirepass ****",
            "login with password authentication",
            "Failed password for root from 10.0.0.1 port 22 ssh2",
            "the password for bob is wrong",
            "password changed from 10.0.0.1",
        ),
    ),
    Rule(
        name="password_beside_name",
        what="Passwords beside their name, in cells, brackets and quotes",
        gate=(_TOLD,),
        pattern=rf"(?i)(?:{_WORD})(?:[\"'*]{{0,3}}\s{{0,12}}[|;│\t]\s{{0,12}}([^\s|;│]{{1,200}})"
        rf"|\s?[\[(][\"']?([^\s\[\]()\"']{{1,200}})[\"']?[\])]|\s(?:is\s)?(?:\"([^\"\n]{{1,200}})\"|'([^'\n]{{1,200}})')"
        r"|\"?>>,\s?<<\"([^\"]+)|,\s?\"([^\"]+)\"}|[\"']?,[\"']?([^\s,;\"']+)[\"']?(?:\r?\n|$))",
        judge=_beside_name,
        examples=(
            "password\t«tiger42»",
            "| **Password** | «tiger42» |",
            "password;«tiger42»",
            "password,«tiger42»",
            "trying user 'bob' password '«tiger42»'",
            'using password "«tiger42»" for bob',
            "user.set_password('«tiger42»')",
            'cfg.setPassword("«tiger42»");',
            "password [«tiger42»]",
            '{:user "bob", :password "«tiger42»"}',
            '[{user,"bob"},{password,"«tiger42»"}]',
            '{<<"password">>,<<"«tiger42»">>}',
        ),
        counterexamples=(
            "password | varchar(255) |",
            "password (sha-256)",
            "password [REDACTED]",
            "user\tpassword\trole",
            "check_password(user_17)",
            "password 'must-be-longer'",
        ),
    ),
    Rule(
        name="mixed_password",
        what="Passwords behind the word alone: eight characters with capitals, small letters and digits",
        gate=(_TOLD,),
        pattern=rf"(?i)(?:{_WORD})(?:\s[07])?\s([^\s\"'\[\](){{}}<>,;=|]{{8,200}})",
        judge=_mixed,
        examples=(
            "bad password «hunter2Zq9»",
            "passphrase «hunter2Zq9» accepted",
            "username bob privilege 15 password 0 «hunter2Zq9»",
        ),
        counterexamples=(
            "password hunter2",
            "password expires 2026-11-30T10:00:00",
            "Failed password for root from 10.0.0.1",
        ),
    ),
    Rule(
        name="call_password",
        what="Passwords beside a user in a call: `auth=('bob', '…')`, `login('bob', '…')`, "
        "`new PDO('mysql:…', 'bob', '…')`",
        gate=(
            r"auth=\((?:'|\\\")|(?:BasicAuth|ogin|authenticate)\((?:'|\\\")|PDO->__construct\(|(?:mysqli|ldap|ftp|imap)_[a-z]*\(",
        ),
        pattern=r"""(?:\bauth=|\w*BasicAuth|\blogin|\bauthenticate)\((?:"[^"\n]{0,64}"|'[^'\n]{0,64}'),\s?"""
        r"""(?:"([^"\n]+)"|'([^'\n]+)')\)"""
        r"""|(?:PDO->__construct|(?:mysqli|ldap|ftp|imap)_[a-z]{4,12})\('[^'\n]{0,200}',\s?(?:'[^'\n]{0,64}',\s?)'([^'\n]+)'""",
        judge=if_so(lambda value: not is_placeholder(value)),
        examples=(
            "requests.get(url, auth=('bob', '«tiger»'))",
            "HTTPBasicAuth('bob', '«tiger»')",
            "client.login('bob', '«tiger»')",
            "#0 db.php(12): PDO->__construct('mysql:host=db', 'bob', '«tiger»')",
            "mysqli_connect('db', 'bob', '«tiger»')",
        ),
        counterexamples=("login('bob')", "auth=('bob', None)", "mysqli_query('select 1', 'x')"),
    ),
    Rule(
        name="pgpass",
        what="Lines of `.pgpass`: `host:5432:database:user:password`",
        gate=(r":(?:5432|5433|6432|[*]):[^: ]+:[^: ]+:[^ ]",),
        pattern=r"(?:^|[\s\"'])[\w.*-]{1,253}:(?:5432|5433|6432|\*):[\w.*$-]{1,64}:[\w.*$-]{1,64}:([^\s\"']+)",
        judge=if_so(lambda value: not is_placeholder(value) and ":" not in value),
        examples=("db.example.com:5432:shop:bob:«tiger»", "*:*:*:postgres:«tiger»"),
        counterexamples=("db:5432:shop:bob", "tcp:5432:a:b:***", "db:5432:shop:bob:17:41:02"),
    ),
    Rule(
        name="invalid_input",
        what="Values that Pydantic quotes of a field whose name is secret",
        gate=(r"put_value=",),
        pattern=rf"(?i)(?:{_WORD}|{_NAMES})\n[ \t][^\n]{{0,400}}\binput_value=(?:'([^'\n]*)|\"([^\"\n]*))",
        judge=if_so(lambda value: not is_placeholder(value)),
        examples=(
            "password\n  String is too short [type=string_too_short, input_value='«tiger»', input_type=str]",
        ),
        counterexamples=(
            "user\n  String is too short [type=string_too_short, input_value='bob', input_type=str]",
        ),
    ),
    Rule(
        name="told_pin",
        what="Numbers that identify a person, and of cards, in sentences: `PIN is 4821`, `cvv 123`",
        gate=(r"(?:PIN|pin code|cvv2?|CVV2?|cvc2?|CVC2?) (?:is |code |number )?[0-9]{3}",),
        pattern=r"\b(?:(?:PIN|pin\scode)\s(?:is\s|code\s|number\s)?([0-9]{4,8})|(?:cvv2?|CVV2?|cvc2?|CVC2?)\s([0-9]{3,4}))\b",
        examples=("your PIN is «4821»", "entered PIN «4821»", "cvv «123» exp 12/29"),
        counterexamples=("PIN 17 is high", "PIN is wrong", "cvv 12"),
    ),
    Rule(
        name="seed_phrase",
        what="Phrases of twelve words or more that a wallet is made from (BIP 39)",
        gate=(r"(?i)(?:seed|mnemonic|recovery|backup)(?: phrase| words)?[^A-Za-z]{1,6}(?:[a-z]{3,8} ){3}",),
        pattern=r"(?i)\b(?:seed|mnemonic|recovery|backup)(?:[ _](?:phrase|words))?[\"']?\s?[:=]\s?[\"']?"
        r"([a-z]{3,8}(?:\s[a-z]{3,8}){11,23})\b",
        examples=(
            "seed phrase: «legal winner thank year wave sausage worth useful legal winner thank yellow»",
        ),
        counterexamples=("seed: legal winner thank year", "seed words are never logged"),
    ),
)
