"""`decrypt`: shows what was sealed, in files, spool folders or an index; what stays shut is counted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.cli.asked_store import add_store_flags, asked_store, key_index_of
from logging_system.cli.keys import add_encryption_flags, encryption_from
from logging_system.cli.parser import EXIT_DONE, EXIT_FAILED, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.encryption.encryption import Encryption
    from logging_system.encryption.reading import Reading
    from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

_LINE_BYTES_MAX = 64 * 1024 * 1024


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its flags."""
    parser = subcommands.add_parser(
        "decrypt",
        help="show documents with what was sealed in them opened",
        description="Prints documents as NDJSON with their sealed fields opened. Reads NDJSON (documents, "
        "hits of a search, dead letters, the fallback file) from files or standard input, the blocks of a "
        "spool folder, or the hits of a query; for these, wrapped data keys are taken from the store's key "
        "index too. What cannot be opened is counted by key on standard error.",
        epilog="Exit codes: 0 everything was opened, 1 something was not, or cannot be read, 4 usage.",
    )
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="files, spool folders, or - for standard input (default)"
    )
    parser.add_argument("--index", metavar="NAME", help="read this index or data stream instead")
    parser.add_argument("--query", metavar="JSON", default='{"match_all":{}}', help="which documents of it")
    add_store_flags(parser)
    parser.add_argument("--fernet-keys", metavar="FILE", help="keys of the simple mode of encrypt_fields")
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first thing that somebody changed or damaged"
    )
    add_encryption_flags(parser)
    parser.set_defaults(run=lambda options: _decrypt(options, parser))


def _decrypt(options: argparse.Namespace, parser: Parser) -> int:
    encryption = _encryption(options, parser)
    try:
        from logging_system.encryption.envelope import SealError
        from logging_system.encryption.fernet import FernetKeys
        from logging_system.encryption.reading import Reading
    except ImportError:
        return fail("decrypt", "cryptography is not installed; pip install 'logquake[keys]'")

    fernet = FernetKeys(Path(options.fernet_keys)) if options.fernet_keys else None
    try:
        with _store(options, encryption) as store:
            reading = Reading(encryption, fernet, is_strict=options.strict)
            shown = _show(reading, _lines(options, encryption, reading, store))
    except SealError as error:
        return fail("decrypt", f"stopped: {error}")
    except OSError as error:
        where = error.filename or (f"--index {options.index}" if options.index else "-")
        return fail("decrypt", f"{where}: {error.strerror or error}")
    except ValueError as error:
        return fail("decrypt", str(error))
    print(f"{shown} documents, {reading.opened} sealed parts opened", file=sys.stderr)
    for (key, reason), count in sorted(reading.unopened.items()):
        print(f"  not opened: {count} of key {key} ({reason})", file=sys.stderr)
    return EXIT_FAILED if reading.unopened else EXIT_DONE


def _encryption(options: argparse.Namespace, parser: Parser) -> Encryption | None:
    if options.fernet_keys and not (options.settings or options.encryption):
        return None
    return encryption_from(options, parser, needs_keyring=not (options.index or options.key_index))


@contextmanager
def _store(options: argparse.Namespace, encryption: Encryption | None) -> Iterator[ElasticsearchSink | None]:
    """Yield the store, whose key index then has the data keys that the folder has not; None without one."""
    if not (options.index or options.key_index):
        yield None
        return
    with asked_store(options) as store:
        key_index = key_index_of(options, store)
        if encryption is not None and key_index is not None:
            encryption.also_find_data_keys_in(key_index)
        yield store


def _show(reading: Reading, lines: Iterator[bytes]) -> int:
    import orjson

    shown = 0
    for document in reading.documents(lines):
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
        shown += 1
    sys.stdout.buffer.flush()
    return shown


def _lines(
    options: argparse.Namespace,
    encryption: Encryption | None,
    reading: Reading,
    store: ElasticsearchSink | None,
) -> Iterator[bytes]:
    if store is not None and options.index:
        yield from _hits(options, store)
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


def _hits(options: argparse.Namespace, store: ElasticsearchSink) -> Iterator[bytes]:
    """Yield the documents that a query finds."""
    import orjson

    from logging_system.sinks.elasticsearch.searching import found_sources

    try:
        query = orjson.loads(options.query)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"--query: no JSON: {error}") from None
    yield from found_sources(store.request, options.index, {"query": query})
