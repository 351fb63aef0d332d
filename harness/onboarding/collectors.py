"""Collectors that a project configures, known by what their files say, and where each one listens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.onboarding.project_files import SourceFile
from harness.onboarding.seen import Kind, Outlet, Place


@dataclass(frozen=True, slots=True)
class Sign:
    """How the file of one collector is known.

    Attributes:
        program: what people and the command line call the collector.
        names: how its files are called, as an expression over the file's own name.
        proof: an expression that only such a file's text matches; where it matches is the line that is shown.
        inlets: what listens (`http`, `otlp`, `tcp`, `udp`) or follows (`file`), and an expression that has
            the group `port` or `path`.
    """

    program: str
    names: str
    proof: str
    inlets: tuple[tuple[str, str], ...]


_ADDRESS = r"[\"']?[^\s\"':]*:(?P<port>[0-9]{1,5})"
SIGNS = (
    Sign(
        "rsyslogd",
        r"rsyslog.*\.conf",
        r"(module\(\s*load=|\$ModLoad|action\(\s*type=)",
        (
            ("tcp", r"type=\"imp?tcp\"[^)]*port=\"(?P<port>[0-9]+)\""),
            ("tcp", r"\$InputTCPServerRun\s+(?P<port>[0-9]+)"),
            ("udp", r"type=\"imudp\"[^)]*port=\"(?P<port>[0-9]+)\""),
            ("udp", r"\$UDPServerRun\s+(?P<port>[0-9]+)"),
            ("file", r"type=\"imfile\"[^)]*File=\"(?P<path>[^\"]+)\""),
        ),
    ),
    Sign(
        "syslog-ng",
        r"syslog-ng.*\.conf",
        r"(@version:|source\s+\w+\s*\{)",
        (
            ("udp", r"\budp\([^;]*port\((?P<port>[0-9]+)\)"),
            ("tcp", r"\b(?:network|tcp|syslog)\([^;]*port\((?P<port>[0-9]+)\)"),
            ("file", r"\bfile\(\s*\"(?P<path>[^\"]+)\""),
        ),
    ),
    Sign(
        "vector",
        r"vector.*\.(ya?ml|toml|json)",
        r"^(\[sources|sources:|\s*\"sources\")",
        (
            (
                "http",
                rf"type\"?\s*[:=]\s*[\"']?http(?:_server)?\b[\s\S]{{0,200}}?address\"?\s*[:=]\s*{_ADDRESS}",
            ),
            (
                "tcp",
                rf"type\"?\s*[:=]\s*[\"']?(?:syslog|socket)\b[\s\S]{{0,200}}?address\"?\s*[:=]\s*{_ADDRESS}",
            ),
            ("file", r"include\"?\s*[:=]\s*\[?\s*-?\s*[\"']?(?P<path>/[^\s\"',\]]+)"),
        ),
    ),
    Sign(
        "otelcol",
        r".*(otel|collector).*\.ya?ml",
        r"^receivers:",
        (("otlp", rf"http:[\s\S]{{0,120}}?endpoint:\s*{_ADDRESS}"), ("otlp", r"^\s+(?P<port>)http:")),
    ),
    Sign(
        "fluent-bit",
        r"(fluent-?bit|td-agent-bit).*\.(conf|ya?ml)",
        r"(?i)^(\[(INPUT|SERVICE)\]|pipeline:)",
        (
            ("http", r"(?i)name:?\s+http\b[\s\S]{0,200}?port:?\s+(?P<port>[0-9]+)"),
            ("tcp", r"(?i)name:?\s+(?:syslog|tcp)\b[\s\S]{0,200}?port:?\s+(?P<port>[0-9]+)"),
            ("file", r"(?i)name:?\s+tail\b[\s\S]{0,200}?path:?\s+(?P<path>\S+)"),
        ),
    ),
    Sign(
        "filebeat",
        r"filebeat.*\.ya?ml",
        r"^filebeat\.",
        (
            ("tcp", rf"type:\s*(?:tcp|syslog)\b[\s\S]{{0,200}}?host:\s*{_ADDRESS}"),
            ("file", r"paths:\s*\[?\s*-?\s*[\"']?(?P<path>/[^\s\"',\]]+)"),
        ),
    ),
    Sign(
        "logstash",
        r".*logstash.*\.conf",
        r"^\s*input\s*\{",
        (
            ("http", r"\bhttp\s*\{[^}]*port\s*=>\s*(?P<port>[0-9]+)"),
            ("tcp", r"\b(?:tcp|syslog)\s*\{[^}]*port\s*=>\s*(?P<port>[0-9]+)"),
            ("udp", r"\budp\s*\{[^}]*port\s*=>\s*(?P<port>[0-9]+)"),
            ("file", r"\bfile\s*\{[^}]*path\s*=>\s*\[?\s*\"(?P<path>[^\"]+)\""),
        ),
    ),
)


def collectors_in(file: SourceFile) -> Iterator[Outlet]:
    """Yield the collector that a file configures, with where it listens or which file it follows.

    Args:
        file: any configuration file.
    """
    for sign in SIGNS:
        proof = re.search(sign.proof, file.text, re.MULTILINE)
        if proof and re.fullmatch(sign.names, file.name, re.IGNORECASE):
            settings = {"program": sign.program, "file": file.path, **_inlet(sign, file.text)}
            yield Outlet(
                Kind.COLLECTOR,
                sign.program,
                Place(file.path, file.line_of(proof.end() - len(proof[0].lstrip()))),
                settings=settings,
            )
            return


def _inlet(sign: Sign, text: str) -> dict[str, str]:
    for transport, expression in sign.inlets:
        if found := re.search(expression, text, re.MULTILINE):
            return {
                "transport": transport,
                **{key: value for key, value in found.groupdict().items() if value},
            }
    return {}
