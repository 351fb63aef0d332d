"""What the syslog intake sends is what real receivers read: rsyslog and syslog-ng, where they are there."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.deployments.debian_packages import find_daemon
from harness.load.intakes.syslog import NotSentError, Syslog
from harness.model.protocols import Record
from harness.processes.ports import free_port, release_port
from tests.certificates import Authority

SECONDS_MAX = 20
TEXTS = [
    "plain",
    'a "b" \\ ] [x@1 y="z"] <14>1 größe \U0001f600 e\u0301',
    "Traceback:\n\tfirst\r\n  second",
    "   leading and trailing   ",
    "12 <13>Nov 30 00:00:00 host app: inner",
    "#011 &amp; %m ${HOME}",
    "x" * 60_000,
]
RSYSLOG = """
global(maxMessageSize="128k" parser.escapeControlCharactersOnReceive="off" net.enableDNS="off"
       abortOnUncleanConfig="on" workDirectory="{folder}" {tls})
module(load="mmpstrucdata")
template(name="read" type="list" option.jsonf="on") {{
  property(outname="level" name="syslogseverity-text" format="jsonf")
  property(outname="logger" name="$!rfc5424-sd!logquake@32473!logger" format="jsonf")
  property(outname="sequence" name="$!rfc5424-sd!logquake@32473!sequence" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}}
ruleset(name="write") {{
  action(type="mmpstrucdata")
  action(type="omfile" file="{folder}/out" template="read")
}}
{input}
"""
TLS = (
    'defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{folder}/ca.pem" '
    'defaultNetstreamDriverCertFile="{folder}/server.crt" defaultNetstreamDriverKeyFile="{folder}/server.key"'
)
INPUTS = {
    "tcp": 'module(load="imtcp")\ninput(type="imtcp" address="127.0.0.1" port="{port}" ruleset="write")',
    "udp": 'module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="{port}" ruleset="write")',
    "tls": 'module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" '
    'streamDriver.authMode="anon")\n'
    'input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="write")',
    "unix": 'module(load="imuxsock" sysSock.use="off")\n'
    'input(type="imuxsock" socket="{folder}/log" useSpecialParser="off" ruleset="write" '
    'ratelimit.interval="0" unlink="on" parseTrusted="off")',
}
SYSLOG_NG = """@version: 3.38
options {{ keep-hostname(yes); use-dns(no); log-msg-size(131072); }};
source s {{ syslog(transport("tcp") ip("127.0.0.1") port({port})); }};
destination d {{ file("{folder}/out" template("$(format-json --scope none level=$LEVEL
  logger=\\"${{.SDATA.logquake@32473.logger}}\\" sequence=\\"${{.SDATA.logquake@32473.sequence}}\\"
  text=$MESSAGE)\\n")); }};
log {{ source(s); destination(d); }};
"""


def starter(name: str) -> Path:
    """Return a daemon's starter, or skip."""
    if (found := find_daemon(name)) is not None:
        return found
    pytest.skip(f"{name} is not installed; `make foreign` fetches it from Debian")


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    """Run a daemon until it is not needed any longer."""
    with (folder / "log").with_suffix(".txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        yield
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def send_all(intake: Syslog, records: list[Record]) -> None:
    """Send each record, the first one as soon as the receiver is there."""
    until = time.monotonic() + SECONDS_MAX
    while True:
        try:
            intake.send(records[0])
            break
        except NotSentError:
            assert time.monotonic() < until, "nobody listens"
            time.sleep(0.05)
    for record in records[1:]:
        intake.send(record)


def read_back(path: Path, count: int) -> list[dict[str, Any]]:
    """Return what the receiver wrote, once it is as much as was sent."""
    until = time.monotonic() + SECONDS_MAX
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < until, "not all was received"
        time.sleep(0.05)
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def records() -> list[Record]:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    return [Record(number, text, levels[number % 5], 'shop."cart"]\\') for number, text in enumerate(TEXTS)]


def rsyslog(kind: str, folder: Path, port: int) -> list[str]:
    """Write the configuration; return the command."""
    program = starter("rsyslog")
    tls = TLS.format(folder=folder) if kind == "tls" else ""
    text = RSYSLOG.format(folder=folder, tls=tls, input=INPUTS[kind].format(port=port, folder=folder))
    (folder / "rsyslog.conf").write_text(text)
    return [str(program), "-n", "-iNONE", "-f", str(folder / "rsyslog.conf")]


@pytest.fixture
def port() -> Iterator[int]:
    port = free_port()
    yield port
    release_port(port)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("tcp", {}),
        ("tcp", {"framing": "newline", "body": "json"}),
        ("tls", {}),
        ("udp", {}),
        ("unix", {}),
    ],
)
def test_rsyslog_reads_each_text_level_logger_and_sequence(tmp_path, port, kind, arguments):
    command = rsyslog(kind, tmp_path, port)
    if kind == "tls":
        authority = Authority.make()
        authority.issue(tmp_path)
        (tmp_path / "ca.pem").write_bytes(authority.pem)
        arguments = {"ca_file": str(tmp_path / "ca.pem")}
    url = f"unix://{tmp_path}/log" if kind == "unix" else f"{kind}://127.0.0.1:{port}"
    sent = records()
    with running(command, tmp_path):
        if kind == "udp":
            time.sleep(1.0)  # the kernel tells of a datagram that nobody took only at the next one
        with closing(Syslog(url, **arguments)) as intake:
            send_all(intake, sent)
        received = read_back(tmp_path / "out", len(sent))

    by_sequence = {int(each["sequence"]): each for each in received}
    texts = [by_sequence[record.sequence]["text"] for record in sent]
    if arguments.get("body") == "json":
        texts = [json.loads(text)["message"] for text in texts]
    assert texts == TEXTS
    assert {each["logger"] for each in received} == {'shop."cart"]\\'}
    assert [by_sequence[number]["level"] for number in range(5)] == [
        "debug",
        "info",
        "warning",
        "err",
        "crit",
    ]


def test_rsyslog_reads_rfc3164(tmp_path, port):
    with running(rsyslog("tcp", tmp_path, port), tmp_path):
        with closing(Syslog(f"tcp://127.0.0.1:{port}", format="rfc3164")) as intake:
            send_all(intake, records())
        received = read_back(tmp_path / "out", len(TEXTS))

    # By the tradition of this format, the space behind the tag belongs to the message.
    assert [each["text"] for each in received] == [f" {text}" for text in TEXTS]


def test_syslog_ng_reads_each_text_level_logger_and_sequence(tmp_path, port):
    program = starter("syslog-ng")
    (tmp_path / "ng.conf").write_text(SYSLOG_NG.format(folder=tmp_path, port=port))
    paths = [f"--{name}={tmp_path / name}" for name in ("persist-file", "control", "pidfile")]
    command = [str(program), "--foreground", "--no-caps", "--stderr", f"--cfgfile={tmp_path}/ng.conf", *paths]
    with running(command, tmp_path):
        with closing(Syslog(f"tcp://127.0.0.1:{port}")) as intake:
            send_all(intake, records())
        received = read_back(tmp_path / "out", len(TEXTS))

    assert [each["text"] for each in received] == TEXTS
    assert [each["sequence"] for each in received] == [str(number) for number in range(len(TEXTS))]
    assert {each["logger"] for each in received} == {'shop."cart"]\\'}
