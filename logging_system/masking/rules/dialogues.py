"""Passwords in the commands of protocols: SMTP, IMAP, POP3, FTP, Redis, IRC."""

from __future__ import annotations

import base64
import binascii
import re

from logging_system.masking.placeholders import is_placeholder, is_word
from logging_system.masking.rule import Rule, if_so
from logging_system.masking.rules.told_values import is_told_password

_MECHANISMS = "PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|SCRAM-SHA-(?:1|256)(?:-PLUS)?"
_LINE_END = r"(?:\r?\n|\\r\\n|\\n)"
_CLIENT = r"""(?:C:\s|>{1,3}\s|-{2,4}>\s|send:\s["']|[a-z]{2,12}\s>\s)?"""
"""How logs of dialogues mark what the client said."""
_ENCODED_MIN = 4
_PATH = re.compile(r"[\w./-]*\.(?:[jt]sx?|py|go|rs|java|rb|c|cc|cpp|php)[:\w]*")


def _is_encoded(value: str) -> bool:
    """Whether a value is base64 (RFC 4648) of something, as SASL sends it (RFC 4954)."""
    if len(value) < _ENCODED_MIN or len(value) % 4:
        return False
    try:
        return bool(base64.b64decode(value, validate=True))
    except binascii.Error:
        return False


def _is_given(value: str) -> bool:
    return not is_placeholder(value) and not is_word(value) and _PATH.fullmatch(value) is None


DIALOGUES = (
    Rule(
        name="sasl_answer",
        what="Answers of a client that authenticates: `AUTH PLAIN …`, `AUTHENTICATE …`, and behind `334 …`",
        gate=(
            rf"(?i)AUTH(?:ENTICATE)? (?:{_MECHANISMS}) [A-Za-z0-9+/]{{4}}",
            r"334 (?:VXNlcm5hbWU6|UGFzc3dvcmQ6)",
        ),
        pattern=rf"(?i)\bAUTH(?:ENTICATE)?\s(?:{_MECHANISMS})\s{{1,2}}([A-Z0-9+/]{{4,}}={{0,2}})"
        rf"|\b334\s(?:VXNlcm5hbWU6|UGFzc3dvcmQ6)['\"]?(?:{_LINE_END}){{1,2}}{_CLIENT}([A-Z0-9+/]{{4,}}={{0,2}})",
        judge=if_so(_is_encoded),
        examples=(
            "C: AUTH PLAIN «AGJvYgBodW50ZXIyWnE5»",
            r"send: 'AUTH PLAIN «AGJvYgBodW50ZXIyWnE5»\r\n'",
            "S: 334 UGFzc3dvcmQ6\nC: «aHVudGVyMlpxOQ==»",
            "a1 AUTHENTICATE PLAIN «AGJvYgBodW50ZXIyWnE5»",
        ),
        counterexamples=(
            "250-AUTH PLAIN LOGIN",
            "AUTH LOGIN failed!",
            "334 UGFzc3dvcmQ6",
            "535 5.7.8 auth plain mechanism",
        ),
    ),
    Rule(
        name="sent_password",
        what="Passwords that a client sends: `AUTH` of Redis, `PASS` of FTP, POP3 and IRC, `LOGIN` of IMAP",
        gate=(
            r"AUTH(?: |\\\\r\\\\n|\\r\\n)[^ ]",
            r"\\\"(?:auth|AUTH)\\\" \\\"",
            r"PASS [^ ]",
            r" LOGIN [^ ]+ ",
            r"(?:IDENTIFY|SETUSER) ",
        ),
        pattern=rf"(?:(?:^|\n|[>:]\s)(?:HELLO\s[23]\s)?AUTH\s(?:[\w.-]{{1,64}}\s)?|\"(?:auth|AUTH)\"\s(?:\"[\w.-]{{1,64}}\"\s)?\""
        rf"|\bAUTH{_LINE_END}\$\d{{1,4}}{_LINE_END}"
        rf"|(?:-->\s|>\s|C:\s|USER\s[^\s\\]{{1,64}}{_LINE_END}{_CLIENT})PASS\s"
        r"|\bA?[A-Za-z]{0,6}\d{1,6}\sLOGIN\s(?:\"[^\"\s]{1,64}\"|[^\s\"]{1,64})\s\"?"
        r"|:IDENTIFY\s|\bACL\sSETUSER\s[^\n]{0,200}?\s>)([^\s\"'\\]+)"
        r"|(?:^|\n)PASS\s(\S{1,200})\r\n",
        judge=if_so(lambda value: _is_given(value) and is_told_password(value)),
        examples=(
            "AUTH «tiger42»",
            "127.0.0.1:6379> AUTH default «tiger42»",
            "HELLO 3 AUTH default «tiger42»",
            '1339518083.1 [0 127.0.0.1:60866] "auth" "«tiger42»"',
            "*2\r\n$4\r\nAUTH\r\n$7\r\n«tiger42»\r\n",
            "USER bob\nPASS «tiger42»",
            "---> PASS «tiger42»",
            "C: PASS «tiger42»\nS: +OK",
            "a001 LOGIN bob «tiger42»",
            'A1 LOGIN "bob" "«tiger42»"',
            "PASS «tiger42»\r\nNICK bob\r\n",
            "PRIVMSG NickServ :IDENTIFY «tiger42»",
            "ACL SETUSER bob on >«tiger42» ~* +@all",
        ),
        counterexamples=(
            "AUTH FAILED",
            "> PASS src/shop.test.js",
            "PASS test_login_42",
            "331 Password required, send: PASS ****",
            "a001 LOGIN completed 42ms",
            "2 LOGIN attempts failed",
        ),
    ),
)
