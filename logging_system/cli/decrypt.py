"""`decrypt`: shows what was sealed, in files, spool folders or an index; what stays shut is counted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logging_system.cli.keys import add_encryption_flags, encryption_from
from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.encryption.encryption import Encryption
    from logging_system.encryption.reading import Reading

_LINE_BYTES_MAX = 64 * 1024 * 1024
_PAGE_DOCUMENTS = 1000


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        "decrypt",
        help="show documents with what was sealed in them opened",
        description="Prints documents as NDJSON with their sealed fields opened. Reads NDJSON (documents, "
        "hits of a search, dead letters, the fallback file) from files or standard input, the blocks of a "
        "spool folder, or the hits of a query. What cannot be opened is counted by key on standard error.",
        epilog="Exit codes: 0 everything was opened, 1 something was not, or cannot be read, 4 usage.",
    )
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="files, spool folders, or - for standard input (default)"
    )
    parser.add_argument("--index", metavar="NAME", help="read this index or data stream instead")
    parser.add_argument("--elasticsearch", metavar="URL", help="the node to ask; or as in --settings")
    parser.add_argument("--query", metavar="JSON", default='{"match_all":{}}', help="which documents of it")
    parser.add_argument("--fernet-keys", metavar="FILE", help="keys of the simple mode of encrypt_fields")
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first thing that somebody changed or damaged"
    )
    add_encryption_flags(parser)
    parser.set_defaults(run=lambda options: _decrypt(options, parser))


def _decrypt(options: argparse.Namespace, parser: Parser) -> int:
    encryption = _encryption(options, parser)
    from logging_system.encryption.envelope import SealError
    from logging_system.encryption.fernet import FernetKeys
    from logging_system.encryption.reading import Reading

    fernet = FernetKeys(Path(options.fernet_keys)) if options.fernet_keys else None
    reading = Reading(encryption, fernet, is_strict=options.strict)
    try:
        shown = _show(reading, _lines(options, encryption, reading))
    except SealError as error:
        return fail("decrypt", f"stopped: {error}")
    except OSError as error:
        return fail("decrypt", f"{error.filename or options.index or '-'}: {error.strerror or error}")
    except ValueError as error:
        return fail("decrypt", str(error))
    print(f"{shown} documents, {reading.opened} sealed parts opened", file=sys.stderr)
    for (key, reason), count in sorted(reading.unopened.items()):
        print(f"  not opened: {count} of key {key} ({reason})", file=sys.stderr)
    return EXIT_FAILED if reading.unopened else EXIT_DONE


def _encryption(options: argparse.Namespace, parser: Parser) -> Encryption | None:
    if options.fernet_keys and not (options.settings or options.encryption):
        return None
    return encryption_from(options, parser)


def _show(reading: Reading, lines: Iterator[bytes]) -> int:
    import orjson

    shown = 0
    for document in reading.documents(lines):
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
        shown += 1
    sys.stdout.buffer.flush()
    return shown


def _lines(options: argparse.Namespace, encryption: Encryption | None, reading: Reading) -> Iterator[bytes]:
    if options.index:
        yield from _hits(options)
        return
    for source in options.sources or ["-"]:
        if source == "-":
            yield from sys.stdin.buffer
        elif Path(source).is_dir():
            yield from _spooled(Path(source), encryption, reading)
        else:
            with Path(source).open("rb") as file:
                yield from iter(lambda file=file: file.readline(_LINE_BYTES_MAX), b"")  # type: ignore[misc]


def _spooled(folder: Path, encryption: Encryption | None, reading: Reading) -> Iterator[bytes]:
    from logging_system.encryption.spool_reading import spooled_documents
    from logging_system.spool.codec import PLAIN_CODECS

    codecs = PLAIN_CODECS if encryption is None else encryption.codecs()
    yield from spooled_documents(folder, codecs, reading.count)


def _hits(options: argparse.Namespace) -> Iterator[bytes]:
    """Yield the documents that a query finds, page by page."""
    import orjson
    from elastic_transport import TransportError
    from elasticsearch import ApiError, Elasticsearch
    from elasticsearch.helpers import scan

    from logging_system.config.loading import load_settings

    given = {"settings": options.settings, "elasticsearch": options.elasticsearch}
    settings = load_settings(given, written="--{}".format).settings
    if not settings.elasticsearch:
        raise ValueError("--index needs --elasticsearch URL, or settings that name one")
    arguments: dict[str, Any] = {"verify_certs": settings.verify, "request_timeout": 30}
    if settings.ca_certs:
        arguments["ca_certs"] = str(settings.ca_certs)
    if settings.api_key:
        arguments["api_key"] = settings.api_key.get_secret_value()
    elif settings.username and settings.password:
        arguments["basic_auth"] = (settings.username, settings.password.get_secret_value())
    try:
        query = orjson.loads(options.query)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"--query: no JSON: {error}") from None
    client = Elasticsearch(settings.elasticsearch, **arguments)
    try:
        body = {"query": query, "sort": ["_doc"]}
        for hit in scan(client, index=options.index, query=body, size=_PAGE_DOCUMENTS, preserve_order=True):
            yield orjson.dumps(hit["_source"])
    except (ApiError, TransportError) as error:
        raise ValueError(f"--index {options.index}: {error}") from None
    finally:
        client.close()
