"""Private keys as PEM and OpenPGP write them (RFC 7468, RFC 9580), over many lines or escaped in one."""

from __future__ import annotations

import re

from logging_system.masking.rule import Rule, if_so

_BODY = re.compile(r"[A-Za-z0-9+/=]{16}")


def _has_body(block: str) -> bool:
    """Whether there is more than the words that begin a key."""
    return _BODY.search(block, block.index("-----", 5) + 5) is not None


def _is_no_certificate(value: str) -> bool:
    """Whether a value is no base64 of a public block: `BEGIN CERTIFICATE`, `BEGIN PUBLIC KEY`."""
    return not value.startswith(("LS0tLS1CRUdJTiBDRV", "LS0tLS1CRUdJTiBQVUJ"))


PRIVATE_KEYS = (
    Rule(
        name="private_key",
        what="Private keys in PEM or OpenPGP's armour, to their end or as far as they were cut",
        gate=(r"-----BEGIN[A-Z0-9 %+]{1,40}PRIVATE(?: |%20|\+)KEY",),
        # All but five hyphens belongs to the key: nothing is searched twice where its end is missing.
        pattern=r"-----BEGIN[A-Z0-9 %+]{1,40}PRIVATE(?: |%20|\+)KEY(?: BLOCK)?-----(?:[^-]|-{1,4}[^-])*"
        r"(?:-----END[A-Z0-9 %+]{1,40}PRIVATE(?: |%20|\+)KEY(?: BLOCK)?-----)?",
        judge=if_so(_has_body),
        examples=(
            "«-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\nLYLInFEX6Ppy1tPf9Cnzj4p4\n"
            "-----END RSA PRIVATE KEY-----» loaded",
            r"key='«-----BEGIN PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n-----END PRIVATE KEY-----»'",
            "«-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU»",
        ),
        counterexamples=(
            "-----BEGIN PUBLIC KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n-----END PUBLIC KEY-----",
            "expected -----BEGIN PRIVATE KEY-----, found a file of zeros",
        ),
    ),
    Rule(
        name="private_key_body",
        what="Private keys of PuTTY, in RFC 4716's form, and PEM that was encoded once more in base64",
        gate=(r"(?:Private-Lines: |BEGIN SSH2 [A-Z ]*PRIVATE)", "LS0tLS1CRUdJTi"),
        pattern=r"(?:Private-Lines:\s\d{1,3}(?:\r?\n|\\n)"
        r"|-{4}\sBEGIN\sSSH2\s[A-Z ]{0,40}PRIVATE\sKEY\s-{4}(?:\r?\n|\\n))"
        r"((?:[A-Za-z0-9+/=]{1,100}(?:\r?\n|\\n))+)|(LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}={0,2})",
        judge=if_so(_is_no_certificate),
        examples=(
            "Private-Lines: 1\n«AAABAQCvX1y2z3A4b5C6d7E8f9\n»Private-MAC: 0123456789abcdef",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n«P2/56wAAAi4AAAA3aWYtbW9kbntzaWdue3JzYS\n»---- END",
            "tls.key: «LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUJPZ0lCQUFKQkFLajM0R2s=»",
        ),
        counterexamples=(
            "tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJPZ0lCQUFKQkFLajM0R2s=",
            "Private-Lines: 14",
        ),
    ),
    Rule(
        name="age_key",
        what="Secret keys of age",
        gate=("AGE-SECRET-KEY-1",),
        pattern=r"AGE-SECRET-KEY-1[A-Z0-9]{58}\b",
        examples=(f"identity «AGE-SECRET-KEY-1{'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA' * 2:.58}»",),
        counterexamples=("AGE-SECRET-KEY-1 is how they begin",),
    ),
)
