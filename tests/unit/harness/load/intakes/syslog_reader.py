"""Reads syslog as a receiver would, by the RFCs' grammar: frames of a stream, and what a message says."""

import re
from dataclasses import dataclass

HEAD_5424 = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) "
    rb"(?P<process>[!-~]{1,128}) (?P<id>[!-~]{1,32}) "
)
HEAD_3164 = re.compile(
    rb"<(?P<priority>\d{1,3})>(?P<time>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d) (?P<host>[!-~]+) "
    rb"(?P<app>[A-Za-z0-9]{1,32})\[(?P<process>\d+)\]: "
)
PARAMETER = re.compile(rb' ([!-<>-~]+)="((?:[^"\\\]]|\\.)*)"', re.DOTALL)


@dataclass(frozen=True)
class Told:
    """What one message says; `data` has the parameters of its structured data, unescaped."""

    facility: int
    severity: int
    time: str
    app: str
    data: dict[str, str]
    text: str


def octet_counted(stream):
    """Return the messages of a stream in which a length stands before each."""
    messages = []
    while stream:
        length, _, rest = stream.partition(b" ")
        assert re.fullmatch(rb"[1-9]\d*", length), f"no length where a frame begins: {stream[:40]!r}"
        assert len(rest) >= int(length), "the last frame is cut"
        messages.append(rest[: int(length)])
        stream = rest[int(length) :]
    return messages


def newline_ended(stream):
    """Return the messages of a stream in which a line feed ends each."""
    assert not stream or stream.endswith(b"\n")
    return stream.split(b"\n")[:-1]


def read_5424(message):
    """Return what a message of RFC 5424 says."""
    head = HEAD_5424.match(message)
    assert head, f"no head of RFC 5424: {message[:80]!r}"
    data, rest = structured_data(message[head.end() :])
    assert rest[:1] == b" "
    return told(head, data, rest[1:])


def read_3164(message):
    """Return what a message of RFC 3164 says."""
    head = HEAD_3164.match(message)
    assert head, f"no head of RFC 3164: {message[:80]!r}"
    return told(head, {}, message[head.end() :])


def structured_data(text):
    """Return the parameters of one element, and what follows it."""
    assert text.startswith(b"[")
    name = re.compile(rb"[!-<>-\\^-~]{1,32}").match(text, 1)
    assert name, f"an element without a name: {text[:40]!r}"
    end, data = name.end(), {}
    while parameter := PARAMETER.match(text, end):
        value = re.sub(rb'\\(["\\\]])', rb"\1", parameter[2])
        data[parameter[1].decode()] = value.decode()
        end = parameter.end()
    assert text[end : end + 1] == b"]", f"the element does not end: {text[end : end + 40]!r}"
    return data, text[end + 1 :]


def told(head, data, text):
    facility, severity = divmod(int(head["priority"]), 8)
    return Told(facility, severity, head["time"].decode(), head["app"].decode(), data, text.decode())
