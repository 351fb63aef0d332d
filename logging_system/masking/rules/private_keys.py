"""Private keys as PEM and OpenPGP write them (RFC 7468, RFC 9580), over many lines or escaped in one."""

from __future__ import annotations

import re

from logging_system.masking.rule import Rule, if_so

_BODY = re.compile(r"[A-Za-z0-9+/=]{16}")


def _has_body(block: str) -> bool:
    """Whether there is more than the words that begin a key."""
    return _BODY.search(block, block.index("-----", 5) + 5) is not None


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
        name="age_key",
        what="Secret keys of age",
        gate=("AGE-SECRET-KEY-1",),
        pattern=r"AGE-SECRET-KEY-1[A-Z0-9]{58}\b",
        examples=(f"identity «AGE-SECRET-KEY-1{'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA' * 2:.58}»",),
        counterexamples=("AGE-SECRET-KEY-1 is how they begin",),
    ),
)
