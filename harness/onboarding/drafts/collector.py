"""What logquake cannot start by itself: a skeleton, with the port or file that was seen, to be filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.onboarding.drafts.draft import Draft, FirstFault, literal, opening, quoted, taken_over
from harness.onboarding.seen import Kind, Outlet

_OTLP = (
    "  content_type: application/json\n"
    "  template: >-\n"
    '    {{"resourceLogs": [{{"scopeLogs": [{{"logRecords":\n'
    '    [{{"timeUnixNano": "$time_unix_ns", "body": {{"stringValue": "$line"}}}}]}}]}}]}}\n'
)
# What listens where nothing says how, by what sends.
_RECEIVERS: Mapping[Kind, tuple[str, str, str]] = {
    Kind.LOGSTASH: ("logstash", "tcp", "5959"),
    Kind.OPENTELEMETRY: ("otelcol", "otlp", "4318"),
    Kind.SYSLOG: ("rsyslogd", "tcp", "514"),
    Kind.STREAM: ("vector", "file", ""),
}
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "rsyslogd": ("-n", "-iNONE", "-f"),
    "syslog-ng": ("--foreground", "--no-caps", "--cfgfile"),
    "vector": ("--config",),
    "otelcol": ("--config",),
    "fluent-bit": ("-c",),
    "filebeat": ("-e", "-c"),
    "logstash": ("-f",),
}
# The page about the stack files that ship, which is also the first of these files, with _ for -.
_SHIPPED: Mapping[str, str] = {"rsyslogd": "rsyslog", "syslog-ng": "syslog-ng"}


@dataclass(frozen=True, slots=True)
class _Receiver:
    """A collector: its program, how it is reached, and its configuration as seen from the stack file."""

    program: str
    transport: str
    port: str
    path: str
    configuration: str

    def command(self) -> tuple[str, ...]:
        """Return the argument list that starts it."""
        return (self.program, *_COMMANDS[self.program], self.configuration)


def draft_collector(name: str, outlet: Outlet) -> Draft:
    """Return the skeleton for a collector, or for a handler that sends to one.

    Args:
        name: the stack's.
        outlet: the collector, or the handler.
    """
    receiver = _receiver(outlet)
    to_fill_in = tuple(_open_points(outlet, receiver))
    return Draft(
        opening(name, outlet, to_fill_in)
        + "needs: [elasticsearch]\nlinks: {to_store: elasticsearch}\n"
        + "one_at_a_time: true  # its port or file is the same in every run\n"
        + "processes:\n  collector:\n"
        + f"    command: [{', '.join(map(quoted, receiver.command()))}]\n"
        + '    environment: {STORE: "{to_store.url}", INDEX: "logs-{run.id}", FOLDER: "{run.folder}"}\n'
        + _intake(outlet, receiver)
        + "archive:\n  kind: elasticsearch\n"
        + '  index: "logs-{run.id}"\n  url: "{elasticsearch.url}"\n  field: message\n'
        + f"promises: {{durability: {_durability(outlet, receiver)}, copies_max: 1, response_p99_ms: 100}}\n",
        FirstFault.STORE,
        to_fill_in=to_fill_in,
    )


def _receiver(outlet: Outlet) -> _Receiver:
    program, transport, port = _RECEIVERS.get(outlet.kind, ("", "", ""))
    seen = outlet.settings
    program = seen.get("program", program)
    file = seen.get("file", "")
    return _Receiver(
        program,
        seen.get("transport", transport) or "tcp",
        seen.get("port", str(outlet.arguments.get("port", port)) or "0"),
        seen.get("path", ""),
        f"{{stack.folder}}/../../{file}" if file else f"{{stack.folder}}/{program}.conf",
    )


def _intake(outlet: Outlet, receiver: _Receiver) -> str:
    """Return how records enter, and what acknowledges them."""
    by_return = "acknowledged_by: return\n"
    if outlet.kind is Kind.LOGSTASH:
        others = taken_over(outlet, {"host", "port", "database_path"})
        given = "".join(f"  {key}: {literal(value)}\n" for key, value in others.items())
        return (
            f"intake:\n  kind: python_logging\n  handler: {outlet.class_path}\n  host: 127.0.0.1\n"
            f"  port: {receiver.port}\n{_database(outlet)}{given}{by_return}"
        )
    if receiver.transport == "otlp":
        url = f"http://127.0.0.1:{receiver.port or '4318'}/v1/logs"
        return f"intake:\n  kind: http\n  url: {quoted(url)}\n{_OTLP}acknowledged_by: http_2xx\n"
    if receiver.transport == "http":
        url = f"http://127.0.0.1:{receiver.port}/"
        return f"intake: {{kind: http, url: {quoted(url)}}}\nacknowledged_by: http_2xx\n"
    if receiver.transport == "file":
        return 'intake: {kind: log_file, path: "{run.folder}/app.log", format: json}\n' + by_return
    url = f"{receiver.transport}://127.0.0.1:{receiver.port}"
    return f"intake: {{kind: syslog, url: {quoted(url)}, body: json}}\n{by_return}"


def _durability(outlet: Outlet, receiver: _Receiver) -> str:
    """Return what an acknowledgement can claim: what left the application outlives it."""
    hosted = outlet.kind is Kind.LOGSTASH
    return "memory" if hosted or receiver.transport in {"http", "otlp"} else "write"


def _database(outlet: Outlet) -> str:
    return '  database_path: "{run.folder}/logstash.db"\n' if "database_path" in outlet.arguments else ""


def _open_points(outlet: Outlet, receiver: _Receiver) -> list[str]:
    points = [
        _command_point(outlet, receiver),
        f"{receiver.configuration.rpartition('/')[2]}: let it send to the URL in the variable STORE, "
        "index INDEX, so that faults can hit the way to the store, and keep its files below FOLDER.",
    ]
    if receiver.transport == "file":
        points.append(
            "its configuration: let it follow app.log in the folder FOLDER, which is what logquake writes"
        )
    elif not receiver.port or receiver.port == "0":
        points.append("intake.url: no port was seen; write the one where it listens")
    return points


def _command_point(outlet: Outlet, receiver: _Receiver) -> str:
    """Say what is to be started, and where logquake has something ready to begin with."""
    if outlet.kind is Kind.STREAM and "program" not in outlet.settings:
        return (
            "processes.collector.command: the application writes to a stream, and what takes its lines from "
            f"there is not in this project; {receiver.program} stands for it here. Write the command that "
            "starts yours. If the lines go nowhere else, give the application a handler first: "
            "`logquake help install-logging`."
        )
    if page := _SHIPPED.get(receiver.program):
        return (
            f"processes.collector.command: stack files for {receiver.program} come with logquake: "
            f"`logquake run --stack {page.replace('-', '_')}` tests it with their configuration, and "
            f"`logquake help {page}` says how to put yours in its place. To fill in this file instead, "
            "write the command that starts yours."
        )
    return (
        f"processes.collector.command: logquake neither brings nor builds {receiver.program}. Install it, so "
        f"that `{receiver.program}` is in PATH, or write the command that starts yours."
    )
