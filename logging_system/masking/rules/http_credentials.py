"""Credentials of HTTP in texts: headers as clients and servers print them (RFC 9110, RFC 6265)."""

from __future__ import annotations

import base64
import binascii
import re

from logging_system.masking.denied_names import NAMED
from logging_system.masking.placeholders import is_placeholder, is_varied, is_word
from logging_system.masking.rule import Rule, if_so

_QUOTE = r"""\\{0,4}["']?"""
_TO_VALUE = rf"{_QUOTE}\]?\s{{0,3}}[:=,]\s{{0,3}}[bBuU]?{_QUOTE}"
_BEGIN = r"(?:\b|_|\\[nrt])"  # also a line's end, escaped
_SCHEMES = (
    "bearer|basic|sharedkey(?:lite)?|aws|token|apikey|key|negotiate|ntlm|jwt|splunk|githubtoken|dpop|oauth|genie-?key"
    "|[a-z0-9]{1,20}[-_](?:token|key|auth)"
)
_ATTRIBUTES = frozenset({"path", "domain", "expires", "max-age", "samesite", "secure", "httponly"})
_LENGTH_MIN = 16
_PARAMETER = re.compile(r"[a-z_]{2,40}=(?!=)")
"""What stands behind the scheme in a challenge or in a list: `Bearer authorization_uri="…"`."""


def _is_user_and_password(value: str) -> bool:
    """Whether a value is base64 of a user, a colon and a password (RFC 7617)."""
    start = value[: 4 * 1024]
    try:
        return b":" in base64.b64decode(start + "=" * (-len(start) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _is_token(value: str) -> bool:
    if is_placeholder(value) or is_word(value):
        return False
    has_digit = any(map(str.isdigit, value))
    return is_varied(value) and (has_digit or len(value) >= _LENGTH_MIN)


def _is_bearer(value: str) -> bool:
    return _is_token(value) and _PARAMETER.match(value) is None


def _is_session(value: str) -> bool:
    return _is_token(value) and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_cookie(value: str) -> bool:
    """Whether one of the pairs that are no attribute (RFC 6265) has a value."""
    pairs = (pair.strip().partition("=") for pair in value.split(";"))
    return any(
        _is_value(given.strip('"')) and given != "deleted"
        for name, _, given in pairs
        if name.lower() not in _ATTRIBUTES
    )


def _is_value(value: str) -> bool:
    return not is_placeholder(value) and not is_word(value)


HTTP_CREDENTIALS = (
    Rule(
        name="bearer",
        what="Tokens behind the word `Bearer`",
        gate=(r"(?i)bearer[^A-Za-z0-9]{1,6}[A-Za-z0-9._~+/=-]{8}",),
        pattern=r"""(?i)(?:\b|%20)bearer(?:\s|%20|\+|:|=){1,3}["']?([A-Za-z0-9._~+/=-]{8,})""",
        judge=if_so(_is_bearer),
        examples=(
            "Authorization: Bearer «mF_9.B5f-4.1JqM»",
            "bearer «abcdefghijklmnopqrstuvwx» used",
            "-H 'authorization: bearer «0123456789abcdef»'",
        ),
        counterexamples=(
            "Bearer authentication failed",
            "bearer token expired",
            "Bearer <token>",
            "Bearer ****1234",
            "token_type=bearer expires_in=3600",
            'WWW-Authenticate: Bearer authorization_uri="https://login.example.com/17", x="y"',
        ),
    ),
    Rule(
        name="basic_auth",
        what="User and password behind the word `Basic`",
        gate=(r"(?i)basic[^A-Za-z0-9]{1,6}[A-Za-z0-9+/_-]{4}", r"(?:_auth|\"auth\\*\") ?[=:]"),
        pattern=r"(?i)(?:(?:\b|_|%20)basic(?:\s|%20|:){1,3}|_auth\s?=\s?|\"auth\\?\":\s?\\?\")"
        r"([A-Za-z0-9+/]{4,}={0,2})",
        judge=if_so(_is_user_and_password),
        examples=(
            "Authorization: Basic «YWxpY2U6czNjcjN0»",
            "basic «dXNlcjpwYXNzd29yZA==», ok",
            "Authorization%3A%20Basic%20«YWxpY2U6czNjcjN0»",
            "//registry.example.com/:_auth=«YWxpY2U6czNjcjN0»",
            '{"auths": {"registry.example.com": {"auth": "«YWxpY2U6czNjcjN0»"}}}',
        ),
        counterexamples=("basic training", "Basic authentication failed", "basic abcdefgh"),
    ),
    Rule(
        name="authorization",
        what="Values of the headers `Authorization` and `Proxy-Authorization`, whatever their scheme",
        gate=(NAMED,),
        pattern=rf"(?i){_BEGIN}authorization{_TO_VALUE}(?:"
        rf"(?:{_SCHEMES})\s{{1,3}}([^\s\"'\\,;]+)"
        r"|(?:digest|aws4-hmac-sha256|hawk|signature|mac)\s{1,3}([^\r\n'\\]+)"
        r"|([^\s\"'\\,;]{8,}))",
        judge=if_so(_is_value),
        examples=(
            "Authorization: Api-Token «dt0c01.ABCDEF.0123456789»",
            r"GET / HTTP/1.1\r\nAuthorization: Token «9944b09199c62bcf9418»\r\n",
            "Authorization: ApiKey «VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw»",
            "{'Authorization': 'Token «9944b09199c62bcf9418ad846dd0e4bb»'}",
            'Authorization: Digest «username="bob", realm="x", response="6629fae49393a05397450978507c4ef1"»',
            "[(b'authorization', b'«YWxpY2U6czNjcjN0MTIz»')]",
            "Authorization: AWS «AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=»",
            "Authorization: SharedKey «shop:ctzMq410TV3wS7upTBcunJTDLEJwMAZuFPfr0mrrA08=»",
        ),
        counterexamples=(
            "Authorization: required",
            "authorization failed for bob",
            "Authorization: None",
            "Authorization: Bearer (none)",
        ),
    ),
    Rule(
        name="cookie",
        what="Values of the headers `Cookie` and `Set-Cookie`",
        gate=(NAMED,),
        pattern=rf"(?i){_BEGIN}cookie2?{_TO_VALUE}\[?"
        r"""([^\s"'\\=;,:()\[\]{}]{1,100}=(?:"[^"\s]*"|[^\s"'\\;]*)(?:;\s?[^\s"'\\=;,]{1,100}(?:=[^\s"'\\;]*)?)*)""",
        judge=if_so(_is_cookie),
        examples=(
            "Cookie: «sid=31d4d96e407aad42; theme=dark»",
            "Set-Cookie: «id=a3fWa; Path=/; HttpOnly»",
            "headers={'cookie': '«session=abc123»'}",
            "HTTP_COOKIE=«sid=abc123»",
            'Set-Cookie: «sid="abc123"; Path=/»',
            "cookie: [«sid=abc123]»",
            r"b'GET / HTTP/1.1\r\nHost: x\r\nCookie: «sid=31d4d96e407aad42»\r\n\r\n'",
        ),
        counterexamples=(
            "cookie: missing",
            "no cookie, try again",
            "cookies accepted",
            "cookie: sid=***",
            "Set-Cookie: sid=deleted; Path=/",
        ),
    ),
    Rule(
        name="session_cookie",
        what="Values of cookies of sessions without their header, as in a web server's log",
        gate=(r"(?i)(?:session(?:[_-]?id)?|sessid|sid)=(?:\\?[\"'])?[A-Z0-9%._~+/-]{20}",),
        pattern=r"""(?i)(?:^|[\s"';])(?:[a-z0-9_.-]{0,40}(?:session(?:[_-]?id)?|sessid|\.sid)|sid)=["']?([^\s"'\\;,]{20,})""",
        judge=if_so(_is_session),
        examples=(
            '"GET / HTTP/1.1" 200 47 "-" "curl/8" "sessionid=«lslr8uwzbwpmoghyw9l1ug5q1xckmxsi»"',
            '"sid=«jHEAMxO0Wesmnt30LClMG06b24fWqBhESx8lXzC5»"',
            'cookie_session="«lslr8uwzbwpmoghyw9l1ug5q»"',
            '"connect.sid=«s%3AGKp-yYpOEl3mjBydTag7PQy»; theme=dark"',
        ),
        counterexamples=(
            "session=c2 opened",
            "sessionid=0x14ed93111f20027",
            "sessionid=12345678901234567890",
            "session=of-the-committee-on-trade",
        ),
    ),
)
