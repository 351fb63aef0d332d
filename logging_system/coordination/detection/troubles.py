"""What the words of a failed request say about where the cause lies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logging_system.coordination.findings import CauseClass

_WORDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a failed request points to.

    Attributes:
        cause: The class of cause.
        confidence: How sure, as far as the words alone go.
        says: What the words say, for people.
        against: What speaks against the cause; empty where nothing does.
        is_answer: Whether the store, or something before it, answered.
        is_silence: Whether nothing came, which a store that waits for a processor explains too.
    """

    cause: CauseClass
    confidence: float
    says: str
    against: str = ""
    is_answer: bool = False
    is_silence: bool = False


_ALIKE = "a store that is paused looks the same from here"
_KNOWN: tuple[tuple[re.Pattern[str], Trouble], ...] = (
    (
        re.compile(r"connection refused|errno 111|newconnectionerror", re.I),
        Trouble(CauseClass.STORE_DOWN, 0.9, "connections are refused: no process listens at the address"),
    ),
    (
        re.compile(
            r"getaddrinfo|name or service not known|temporary failure in name resolution|"
            r"nameresolutionerror|no route to host|network is unreachable",
            re.I,
        ),
        Trouble(CauseClass.NETWORK, 0.9, "the address cannot be found or reached"),
    ),
    (
        re.compile(
            r"\b(429|503)\b|too_many_requests|es_rejected_execution|circuit_breaking|unavailable_shards", re.I
        ),
        Trouble(
            CauseClass.STORE_REFUSES, 0.95, "the store answers that it takes no more for now", is_answer=True
        ),
    ),
    (
        re.compile(r"HTTP 413|too large|content_too_long|entity too large", re.I),
        Trouble(CauseClass.STORE_REFUSES, 0.9, "the store refuses requests of this size", is_answer=True),
    ),
    (
        re.compile(r"HTTP (401|403)|security_exception|unauthorized|forbidden", re.I),
        Trouble(CauseClass.STORE_REFUSES, 0.9, "the store refuses our credentials", is_answer=True),
    ),
    (
        re.compile(r"cluster_block|read-only|disk usage exceeded|flood.stage", re.I),
        Trouble(CauseClass.STORE_REFUSES, 0.9, "the store's indices are read-only", is_answer=True),
    ),
    (
        re.compile(r"no complete answer within|timed? ?out", re.I),
        Trouble(CauseClass.NETWORK, 0.75, "requests time out on open connections", _ALIKE, is_silence=True),
    ),
    (
        re.compile(r"reset by peer|broken pipe|incompleteread", re.I),
        Trouble(
            CauseClass.NETWORK,
            0.8,
            "connections break before the answer is complete",
            "a store that is killed breaks its connections too",
        ),
    ),
    (
        re.compile(r"remotedisconnected|connection aborted|protocolerror|without response", re.I),
        Trouble(
            CauseClass.STORE_DOWN,
            0.75,
            "connections are closed without an answer, as by a process that ends or a proxy before it",
            "something between here and the store may close them",
        ),
    ),
    (
        re.compile(r"not a bulk response|bulk response with|no create status|was for another", re.I),
        Trouble(
            CauseClass.NETWORK,
            0.6,
            "answers are not those of a store",
            "a store of another kind or version would answer so too",
            is_answer=True,
        ),
    ),
    (
        re.compile(r"certificate|ssl|tls", re.I),
        Trouble(
            CauseClass.NETWORK,
            0.7,
            "no encrypted connection can be made",
            "the store's certificate may be at fault",
        ),
    ),
    (
        re.compile(r"HTTP 5\d\d", re.I),
        Trouble(
            CauseClass.STORE_DOWN,
            0.7,
            "the store, or what is before it, answers with an error",
            "it answers",
            is_answer=True,
        ),
    ),
    (
        re.compile(r"HTTP 4\d\d|_exception|status \d{3}", re.I),
        Trouble(CauseClass.STORE_REFUSES, 0.7, "the store refuses what it is sent", is_answer=True),
    ),
)
_UNKNOWN = Trouble(CauseClass.UNKNOWN, 0.5, "requests fail")


def trouble_of(words: str) -> Trouble:
    """Return what the words of a failed request point to.

    Args:
        words: The shipper's `last_trouble` or `store_trouble`.
    """
    return next((trouble for pattern, trouble in _KNOWN if pattern.search(words)), _UNKNOWN)


def quoted_trouble(words: str) -> str:
    """Return the words on one line and bounded, as an example."""
    shown = "".join(each if each.isprintable() else " " for each in words)
    return shown if len(shown) <= _WORDS_MAX else f"{shown[: _WORDS_MAX - 1]}…"
