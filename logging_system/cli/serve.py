"""`serve`: takes logs from other processes over HTTP, until a signal ends it."""

from __future__ import annotations

import argparse
import signal
from typing import TYPE_CHECKING

from logging_system.cli.flags import PRECEDENCE, add_flags, settings_asked_for
from logging_system.cli.parser import fail, say_ready

if TYPE_CHECKING:
    from logging_system.cli.parser import Parser, Subcommands
    from logging_system.config.settings import Settings
    from logging_system.gateway.limits import Limits
    from logging_system.gateway.server import Service
    from logging_system.records.processors import Chain

_NAME = "serve"


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="receive logs from other processes over HTTP",
        description="Receives NDJSON (POST /v1/ndjson) and OTLP/HTTP logs (POST /v1/logs) and writes them "
        "to the spool folder; 200 means that the records are durable there. Prints one JSON line with its "
        "URL when it is ready. GET /healthz, /readyz, /stats, /metrics. SIGTERM stops it within 5 seconds; "
        "SIGHUP has it look at once which version of a key to use. " + PRECEDENCE,
        epilog="Exit codes: 0 stopped, 1 cannot serve, 4 a mistake in arguments or settings.",
    )
    add_flags(parser, "serve")
    parser.set_defaults(run=lambda options: _serve(options, parser))


def _serve(options: argparse.Namespace, parser: Parser) -> int:
    from logging_system.config.settings import chain_of
    from logging_system.gateway.server import ExposureError, serve
    from logging_system.gateway.tokens import TokenFileError
    from logging_system.records.processors import ProcessorError

    loaded = settings_asked_for(options, parser)
    settings = loaded.settings
    try:
        chain = chain_of(settings)
    except ProcessorError as error:
        parser.error(f"{loaded.where('processors')}: {error}")
    try:
        service = _service_of(settings, chain)
    except ValueError as error:
        parser.error(f"{loaded.where('encryption')}: {error}")
    try:
        return serve(service, lambda url: say_ready(url=url))
    except ExposureError as error:
        return fail(_NAME, f"{loaded.where('listen_host')} {error}: --token-file FILE, or --open-to-all")
    except TokenFileError as error:
        return fail(_NAME, f"{loaded.where('token_file')} {error}")
    except RuntimeError as error:
        parser.error(str(error))
    except OSError as error:
        return fail(_NAME, f"{error.filename or settings.listen_host}: {error.strerror or error}")


def _service_of(settings: Settings, chain: Chain) -> Service:
    from logging_system.config.settings import protection_of
    from logging_system.config.tracing import tracing_of
    from logging_system.gateway.server import Service
    from logging_system.monitoring.event_stream import EventStream
    from logging_system.monitoring.event_words import WordsInLog

    codecs = protection_of(settings).codecs
    if settings.encryption is not None:
        _renew_data_keys_on_signal()
    events = EventStream(WordsInLog())
    return Service(
        spool=settings.spool_folder,
        chain=chain,
        codecs=codecs,
        host=settings.listen_host,
        port=settings.listen_port,
        token_file=settings.token_file,
        namespaces=frozenset({settings.namespace, *settings.namespaces}),
        open_to_all=settings.open_to_all,
        certificate=settings.server_certificate,
        key=settings.server_key,
        spool_bytes_max=settings.spool_bytes_max,
        retention=settings.retention,
        limits=_limits_of(settings),
        tracing=tracing_of(settings, events.emit),
        events=events,
    )


def _renew_data_keys_on_signal() -> None:
    from logging_system.encryption.sealing import renew_data_keys

    signal.signal(signal.SIGHUP, lambda _number, _frame: renew_data_keys())


def _limits_of(settings: Settings) -> Limits:
    from logging_system.gateway.limits import Limits

    return Limits(
        body_bytes_max=settings.body_bytes_max,
        record_bytes_max=settings.record_bytes_max,
        body_seconds_max=settings.body_seconds_max,
        pending_bytes_max=settings.pending_bytes_max,
        connections_max=settings.connections_max,
    )
