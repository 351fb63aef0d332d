"""E-mail addresses as people have them (a part of RFC 5321), and not all else that has an "@"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logging_system.masking.rule import Rule, Span

_NO_DOMAINS_TEXT = """
    service socket target timer mount automount swap path slice scope device png jpg jpeg gif svg
    webp ico css js mjs ts jsx tsx json yaml yml xml html py rb so jar war tgz gz zip whl log txt
    conf cfg ini sh
"""
_NO_DOMAINS = frozenset(_NO_DOMAINS_TEXT.split())
"""What follows "@" in names of units and files: `getty@tty1.service`, `icon@2x.png`."""

_LETTERS = r"A-Za-z\x{C0}-\x{1FFF}"
"""ASCII's and those of other alphabets; without ideographs, which stand beside an address without a space."""

_IN_PASSWORD = re.compile(r"""[^\s:/?#"'<>]*:(?!\d{1,5}[/?#])[^\s?#"'<>]*""")
"""What stands between a URL's "://" and the end of its password."""

_PROGRAMS = frozenset({"git", "hg", "svn"})


def _addresses(text: str, found: Span) -> Iterator[Span]:
    start, end = found
    address = text[start:end]
    local, _at, domain = address.replace("%40", "@").rpartition("@")
    if text[end : end + 1].isalnum():
        return  # it goes on
    if domain.rpartition(".")[2].lower() in _NO_DOMAINS or ".." in local or local.startswith("."):
        return
    before = text[max(0, start - 300) : start]
    if before.endswith("://") or (local in _PROGRAMS and text[end : end + 1] in {":", "/"}):
        return  # a user of a host
    if _IN_PASSWORD.fullmatch(before.rpartition("://")[2]) is not None and "://" in before:
        return  # a password, which has a rule of its own
    yield found


EMAIL_ADDRESSES = (
    Rule(
        name="email",
        what="E-mail addresses, `@` also written `%40`",
        # No quotation mark before it: every record has `"@timestamp"`.
        gate=(r'(?:[^"\\ ]@|%40)[^"\\ @]*\.',),
        pattern=rf"([{_LETTERS}0-9][{_LETTERS}0-9._%+'-]{{0,63}}(?:@|%40)"
        rf"(?:[{_LETTERS}0-9][{_LETTERS}0-9-]{{0,62}}\.){{1,8}}(?:[{_LETTERS}]{{2,24}}|xn--[A-Za-z0-9-]{{2,59}}))",
        judge=_addresses,
        canonical=str.lower,
        examples=(
            "mail «alice@example.com» now",
            "<«bob.o'neil+tag@mail.example.co.uk»>",
            "user=«alice%40example.org»&x=1",
            "«jörg@bücher.example»",
            "from=«a@b.io», to=«c@d.io»",
            "http://localhost:9200/x?mail=«a@b.io»",
        ),
        counterexamples=(
            "getty@tty1.service started",
            "icon@2x.png",
            "git@github.com:org/repo.git",
            "ssh://deploy@build.example.com/",
            "java.lang.Object@1b6d3586",
            "user@localhost",
            "https://bob:4offee!summer3@svc.cluster.local:40552/x",
            "mysql://bob:a/b@db.example.org/x",
            "react@18.2.0",
        ),
    ),
)
