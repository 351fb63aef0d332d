"""Passwords in URLs and in the names of data sources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logging_system.masking.placeholders import is_placeholder, is_varied
from logging_system.masking.rule import Rule, Span, if_so

_PORT = re.compile(r"\d{1,5}/")
_USER_TO_FILL_IN = re.compile(r"[\s=\"'<](?:user|username):[\"']?$", re.IGNORECASE)
_TO_FILL_IN = re.compile(r"(?:pass|passwd|password|pwd|secret|token)>?", re.IGNORECASE)


def _is_password(value: str) -> bool:
    return not is_placeholder(value) and not _PORT.match(value)


def _is_secret(text: str, found: Span) -> Iterator[Span]:
    """Yield a password, or a token in the place of a user where it could be random."""
    start, end = found
    value = text[start:end]
    is_alone = text[max(0, start - 2) : start] == "//"
    if _is_password(value) and (not is_alone or (is_varied(value) and any(map(str.isdigit, value)))):
        yield found


def _of_curl(text: str, found: Span) -> Iterator[Span]:
    """Yield a password, but not what a manual writes for one: `curl -u user:password`."""
    start, end = found
    is_to_fill_in = (
        _TO_FILL_IN.fullmatch(text, start, end) is not None
        and _USER_TO_FILL_IN.search(text, max(0, start - 12), start) is not None
    )
    if _is_password(text[start:end]) and not is_to_fill_in:
        yield found


URL_PASSWORDS = (
    Rule(
        name="url_password",
        what="Passwords before the host of a URL: `scheme://user:password@host`",
        gate=(r'(?:://|:\\+/\\+/)[^ @"]*:[^ "]*@', r"%3[aA]%2[fF]%2[fF]", r"://[A-Za-z0-9_-]{20,}@"),
        pattern=r"""https?://([A-Za-z0-9_-]{20,200})@|[A-Za-z][A-Za-z0-9+.-]{0,30}:(?://|\\/\\/)[^\s:/?#"'<>@\[]{0,200}:([^\s?#"'<>]{1,400})@[^\s@]"""
        r"""|%3[aA]%2[fF]%2[fF][A-Za-z0-9._~+-]{0,100}%3[aA]"""
        r"""((?:[A-Za-z0-9._~!$*+,;=-]|%(?:[013-9A-Fa-f][1-9A-Fa-f]|[0135-9A-Fa-f]0|2[0-9A-Ea-e])){1,200})%40""",
        judge=_is_secret,
        examples=(
            "postgres://app:«s3cr3t»@db.example.com:5432/shop",
            "redis://:«hunter2»@cache:6379/0",
            "https://bob:«a/b»@host/x",
            "amqp://u:«p@ss»@mq, again",
            "/?next=https%3A%2F%2Fbob%3A«s3cr3t»%40host%2Fx",
            r'{"url": "postgres:\/\/bob:«s3cr3t»@db\/x"}',
            "https://«9f86d081884c7d659a2feaa0c55ad015»@o0.ingest.example.com/1",
        ),
        counterexamples=(
            "http://localhost:9200/_bulk",
            "http://host:8080/x?mail=a@localhost",
            "postgres://app:${DB_PASSWORD}@db/shop",
            "mysql://bob:(none)@db:3306/x",
            "mysql://bob:****1234@db.example.org:3306/x",
            "mysql://bob:None@db.example.org/x",
            "https://user@host/",
            "/?next=https%3A%2F%2Fhost%3A8080%2Fx%3Fmail%3Da%40b",
            "https://registry.example.com:443/@scope/package",
        ),
    ),
    Rule(
        name="dsn_password",
        what="Passwords in data source names: `user:password@tcp(host:3306)/db`, `:thin:user/password@`",
        gate=(
            r"@(?:tcp|unix|udp)\(",
            r"@/[a-z/]",
            r"(?:CONN(?:ECT)?|conn) [^ /@]+/[^ ]*@",
            r":(?:thin|oci):",
            r"(?:sqlplus|sqlldr|expdp|impdp) [^/]*/",
        ),
        pattern=r"""(?:^|[^\w.-])[\w.-]{1,64}:([^\s"'<>]{1,200})@(?:tcp|unix|udp)\("""
        r"""|(?:^|[^\w./\[-])[\w.-]{1,64}:([^\s"'<>:/@\[\]]{1,200})@/[a-z]"""
        r"""|(?:^|[^\w./-])[\w.$#-]{1,64}/([^\s"'<>@/]{1,200})@//"""
        r"""|\b(?:CONN(?:ECT)?|conn)\s[A-Za-z][\w.$#-]{0,63}/([^\s"'<>@/]{1,200})@"""
        r"""|:(?:thin|oci):[\w.$#-]{1,64}/([^\s"'<>]{1,200})@"""
        r"""|\b(?:sqlplus|sqlldr|expdp|impdp)\s(?:-\S{1,20}\s){0,4}(?:userid=)?["']?[\w.$#-]{1,64}/"""
        r"""(?:([^\s"'<>]{1,200})@|([^\s"'<>@]{1,200}))""",
        judge=if_so(_is_password),
        examples=(
            "dsn shop:«s3cr3t»@tcp(db:3306)/shop",
            "jdbc:oracle:thin:scott/«tiger»@//db:1521/x",
            "bob:«tiger»@/shop?charset=utf8",
            "scott/«tiger»@//db:1521/x",
            "CONNECT scott/«tiger»@orders",
            "sqlplus -s scott/«tiger»@orders",
            "expdp userid=scott/«tiger» full=y",
        ),
        counterexamples=(
            "shop@tcp(db:3306)/shop",
            "sqlplus / as sysdba",
            "connect db/shop@replica1",
            "sqlplus scott/$PW@orders",
        ),
    ),
    Rule(
        name="curl_user",
        what="Passwords behind the option `-u` or `--user` of curl",
        gate=(r"(?i)curl.*[ \"'n]-[a-z-]*u",),
        # Also on several lines, and as a list of Python.
        pattern=r"""\bcurl["']?,?\s(?:(?:[^\n\\]|\\.|\\\r?\n){0,1000}?[\s"'])?"""
        r"""(?:-[a-zA-Z]{0,8}[uU]|--(?:proxy-)?user)(?:["'],\s?|=|\s{0,3})"""
        r"""(?:"[^":\n]{0,64}(?:":"|:)([^"\n]+)|'[^':\n]{0,64}(?:':'|:)([^'\n]+)"""
        r"""|[^\s:"']{1,64}:(?:"([^"\n]+)|'([^'\n]+)|([^\s"']+)))""",
        judge=_of_curl,
        is_of_command=True,
        examples=(
            "curl -s -u bob:«tiger» https://api.example.com",
            "curl -u 'bob:«tiger»' x",
            'curl -H "Accept: x" --user "bob:«ti ger»" x',
            "curl -sSu bob:«tiger» x",
            "curl https://api.example.com \\\n  --user bob:«tiger» -d x",
            "Command '['curl', '-u', 'bob:«tiger»', 'https://x']' returned non-zero exit status 1",
            "curl --user bob:'«tiger»' -X PATCH",
            'curl -u ":«tiger»" https://api.example.com',
            "curl -u user:«passw0rd» x",
        ),
        counterexamples=(
            "curl -u bob https://api.example.com:443/",
            "curl --url http://x:80/",
            'curl --user "$1:$2" "$3"',
            'curl -u "bob:" https://localhost:9200',
            "curl --user neo4j:[PASSWORD] http://x:7474/",
            "curl -u username:password x",
            "curl -u <user:password> x",
            'curl -u "${{ env.USER }}:${{ env.PASS }}" x',
        ),
    ),
)
