"""Uses what each extra is for where none is installed, and prints what it then says, as JSON.

`python -m tests.without_extras FOLDER`. Imports of the packages are blocked there, whatever is installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = (
    *(
        "aiosmtpd",
        "apprise",
        "cachetools",
        "cryptography",
        "docker",
        "gevent",
        "google.protobuf",
        "google.rpc",
    ),
    *("hvac", "locust", "opentelemetry", "pkcs11", "re2", "testcontainers", "zstandard"),
)
SEALED = ("--encryption", "provider=file,path={folder}/keys.json")
SPOOL = ("--spool", "{folder}/spool")


@dataclass(frozen=True, slots=True)
class Feature:
    """What an extra is for.

    Attributes:
        extra: which extra.
        lacks: the package that is named as missing.
        use: uses it in a folder; returns what is said, or raises it.
    """

    extra: str
    lacks: str
    use: Callable[[Path], str]


def logquake(*arguments: str) -> Callable[[Path], str]:
    """Return what runs a command of the harness."""

    def run(folder: Path) -> str:
        from harness.cli.main import exit_code

        return _said_by(exit_code, arguments, folder)

    return run


def logging_system(*arguments: str) -> Callable[[Path], str]:
    """Return what runs a command of the logging system."""

    def run(folder: Path) -> str:
        from logging_system.cli import main

        return _said_by(main, arguments, folder)

    return run


def _said_by(main: Callable[[list[str]], object], arguments: Sequence[str], folder: Path) -> str:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        main([each.format(folder=folder) for each in arguments])
    lines = said.getvalue().splitlines()
    # Beside it stand what a run tells first, and how to get help.
    return "\n".join([line for line in lines if "not installed" in line] or lines)


def key_provider(word: str) -> Callable[[Path], str]:
    """Return what opens a key provider."""

    def use(_: Path) -> str:
        from logging_system.keys.providers import open_provider

        return str(open_provider(word, {}))

    return use


def embedded_key_server(folder: Path) -> str:
    from harness.deployments.key_server_specs import transit_lite

    return str(transit_lite("vault", folder, 9))


def embedded_mail_server(folder: Path) -> str:
    from harness.deployments.alert_server_specs import smtp_lite

    return str(smtp_lite("smtp", folder, 9))


def record_in_a_span(_: Path) -> str:
    from harness.load.intakes.python_logging import PythonLogging
    from harness.model.protocols import Record, SpanIds

    PythonLogging("logging:NullHandler").send(Record(0, "a line", span=SpanIds("1" * 32, "2" * 16)))
    return "sent"


def apprise_channel(_: Path) -> str:
    from logging_system.alerting.channels.apprise import Apprise

    return str(Apprise.model_validate({"name": "a", "secret_url": {"environment": "A"}}).senders())


def cache_of_analytics(_: Path) -> str:
    from logging_system.analytics import store_queries  # neither this nor `validity` needs it
    from logging_system.analytics.cache import validity
    from logging_system.analytics.cache.cached_queries import CachedQueries

    return str((store_queries, validity, CachedQueries))


def fernet_processor(folder: Path) -> str:
    from logging_system.config.settings import Settings, chain_of

    fields = {"processors": ["encrypt_fields"], "encrypt_fields": ["labels.card"]}
    return str(chain_of(Settings.model_validate({**fields, "fernet_keys": folder / "fernet.keys"})))


def metrics_over_otlp(_: Path) -> str:
    from logging_system.monitoring._otel_metrics import exporting

    said: list[str] = []
    with exporting(list, said.append, own_provider=True):
        return "\n".join(said)


def posted(content_type: str, encoding: str) -> Callable[[Path], str]:
    """Return what posts a body to a gateway; it says what the gateway answers."""

    def use(folder: Path) -> str:
        from logging_system.gateway.application import Gateway
        from logging_system.gateway.intake import Intake
        from logging_system.gateway.limits import Limits
        from logging_system.records.processors import NO_PROCESSORS
        from logging_system.spool.writer import SpoolWriter

        writer = SpoolWriter(folder, spool_bytes_max=1_000_000, sync=False)
        intake = Intake(writer, pending_bytes_max=1_000, status_folder=folder)
        gateway = Gateway(intake, Limits(), None, NO_PROCESSORS).routes()
        headers = [(b"content-type", content_type.encode()), (b"content-encoding", encoding.encode())]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/logs",
            "headers": headers,
            "query_string": b"",
        }
        answered: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            answered.append(message)

        asyncio.run(gateway(scope, receive, send))
        return f"{answered[0]['status']} {json.loads(answered[1]['body'])['message']}"

    return use


FEATURES: Mapping[str, Feature] = {
    "backend containers": Feature(
        "containers",
        "docker",
        logquake("run", "no_fault", "--backend", "containers", "--out", "{folder}/out"),
    ),
    "images of servers": Feature("containers", "docker", logquake("servers", "images")),
    "load by Locust": Feature(
        "load",
        "Locust",
        logquake("run", "no_fault", "--stack", "gateway", "--load", "locust", "--out", "{folder}/out"),
    ),
    "embedded key server": Feature("keys", "cryptography", embedded_key_server),
    "embedded mail server": Feature("alerts", "aiosmtpd", embedded_mail_server),
    "a record in a span": Feature("opentelemetry", "opentelemetry", record_in_a_span),
    "channel of kind apprise": Feature("alerts", "apprise", apprise_channel),
    "cache of analytics": Feature("analytics", "cachetools", cache_of_analytics),
    "analyze --every": Feature(
        "analytics",
        "cachetools",
        logging_system("analyze", "--store", "http://127.0.0.1:9", "--namespace", "a", "--every", "1"),
    ),
    "mask": Feature("masking", "google-re2", logging_system("mask", __file__)),
    "keys create": Feature("keys", "cryptography", logging_system("keys", "create", *SPOOL, *SEALED)),
    "serve, encrypted": Feature(
        "keys", "cryptography", logging_system("serve", *SPOOL, *SEALED, "--listen-port", "0")
    ),
    "ship, encrypted": Feature(
        "keys", "cryptography", logging_system("ship", *SPOOL, *SEALED, "--file", "{folder}/shipped")
    ),
    "watch, encrypted": Feature("keys", "cryptography", logging_system("watch", *SPOOL, *SEALED)),
    "decrypt": Feature("keys", "cryptography", logging_system("decrypt", *SPOOL, *SEALED, __file__)),
    "decrypt with Fernet": Feature(
        "keys", "cryptography", logging_system("decrypt", "--fernet-keys", "{folder}/fernet.keys", __file__)
    ),
    "encrypt_fields with Fernet": Feature("keys", "cryptography", fernet_processor),
    "key provider file": Feature("keys", "cryptography", key_provider("file")),
    "key provider aws_kms": Feature("keys", "cryptography", key_provider("aws_kms")),
    "key provider vault": Feature("keys-vault", "cryptography", key_provider("vault")),
    "key provider pkcs11": Feature("keys-pkcs11", "pkcs11", key_provider("pkcs11")),
    "metrics over OTLP": Feature("opentelemetry", "opentelemetry", metrics_over_otlp),
    "OTLP as protobuf": Feature("gateway", "protobuf", posted("application/x-protobuf", "")),
    "a body packed by zstd": Feature("gateway", "zstandard", posted("application/json", "zstd")),
}


def main(folder: Path) -> None:
    """Print what each feature says, by its name."""
    # What stands as None there cannot be imported, and find_spec finds nothing of it either.
    for package in PACKAGES:
        assert package not in sys.modules
        sys.modules[package] = None  # type: ignore[assignment]
    said = {}
    for name, feature in FEATURES.items():
        try:
            said[name] = feature.use(folder)
        except Exception as error:
            said[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
