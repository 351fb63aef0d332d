"""`console`: one page for the person on call, until a signal ends it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logging_system.cli.flags import PRECEDENCE, add_flags, settings_asked_for
from logging_system.cli.parser import EXIT_DONE, fail, note, say_ready

if TYPE_CHECKING:
    from pathlib import Path

    from logging_system.cli.parser import Parser, Subcommands
    from logging_system.config.loading import Loaded
    from logging_system.config.settings import Settings
    from logging_system.sinks.elasticsearch.index_setup import Ask

_NAME = "console"


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        _NAME,
        help="serve one page for the person on call",
        description="Serves a page that shows what is stored, what is on its way, what fires and what waits "
        "for a person's yes: live, and with the last answers and their age while the store is down. Lines "
        "are masked. Prints one JSON line with its URL when it is ready. Beyond this machine it requires "
        "--console-token-file. SIGTERM stops it within 5 seconds. " + PRECEDENCE,
        epilog="Exit codes: 0 stopped, 1 cannot serve, 4 a mistake in arguments or settings.",
    )
    add_flags(parser, "console")
    parser.set_defaults(run=lambda options: _run(options, parser))


def _run(options: argparse.Namespace, parser: Parser) -> int:
    loaded = settings_asked_for(options, parser)
    settings = loaded.settings
    try:
        with _store(settings) as ask:
            return _serve(loaded, ask)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        return fail(_NAME, f"{error.filename or settings.console_host}: {error.strerror or error}")


def _serve(loaded: Loaded, ask: Ask | None) -> int:
    from logging_system.config.settings import protection_of
    from logging_system.console.server import WatchedService, serve_console
    from logging_system.gateway.server import ExposureError
    from logging_system.gateway.tokens import TokenFileError
    from logging_system.shipping.shipper import STATUS_NAME

    settings = loaded.settings
    spool = settings.spool_folder
    service = WatchedService(
        name=settings.service_name if "service" in loaded.origins else spool.name,
        spool=spool,
        status_path=settings.status or spool / STATUS_NAME,
        ask=ask,
        protection=protection_of(settings),
        mask=settings.mask,
        namespaces=tuple(settings.console_namespaces),
        host=settings.console_host,
        port=settings.console_port,
        names=tuple(settings.console_names),
        token_file=settings.console_token_file,
        certificate=settings.console_certificate,
        key=settings.console_key,
        pages_max=settings.console_pages_max,
    )
    _tell_of_missing(spool, settings.service if settings.spool is None else "")
    try:
        serve_console(service, lambda url: say_ready(url=url))
    except ExposureError as error:
        return fail(_NAME, f"{loaded.where('console_host')} {error}: --console-token-file FILE")
    except TokenFileError as error:
        return fail(_NAME, f"{loaded.where('console_token_file')} {error}")
    return EXIT_DONE


def _tell_of_missing(spool: Path, service: str) -> None:
    """Say that there is no spool folder: a misspelt name and a service that never logged look alike.

    Args:
        spool: The folder.
        service: Whose name gave the folder its own; empty where the folder itself was named.
    """
    if not spool.is_dir():
        whose = f', that of service "{service}"' if service else ""
        note(
            _NAME, f"there is no spool folder {spool} yet{whose}. It is shown once records are logged there."
        )


@contextmanager
def _store(settings: Settings) -> Iterator[Ask | None]:
    """Yield what carries requests to the store of the settings; None where none is named."""
    if not settings.elasticsearch:
        yield None
        return
    from logging_system.console.server import REQUEST_SECONDS_MAX
    from logging_system.monitoring.event_words import log_in_words
    from logging_system.shipping.sink_factory import ELASTICSEARCH
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

    seconds = min(settings.request_timeout_seconds, REQUEST_SECONDS_MAX)
    # More connections than a shipper's one: several panels ask at once.
    opener = ELASTICSEARCH.opener(settings, emit=log_in_words, request_timeout_seconds=seconds, connections=8)
    store = opener()
    if not isinstance(store, ElasticsearchSink):
        raise TypeError("the sink of Elasticsearch is another class")
    try:
        yield store.request
    finally:
        store.close()
