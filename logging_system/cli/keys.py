"""`keys`: makes, shows, rotates, revokes, prunes, restores and shreds keys, and verifies their audit log."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from logging_system.cli import data_keys
from logging_system.cli.asked_store import add_store_flags, names_store, settings_read
from logging_system.cli.parser import EXIT_DONE, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.encryption.encryption import Encryption
    from logging_system.keys.rotation import Progress

_LOOK_SECONDS = 0.2
_ENDS = data_keys.ENDS


def add(subcommands: Subcommands) -> None:
    """Add the subcommand and its own."""
    parser = subcommands.add_parser(
        "keys",
        help="make, show, rotate, revoke, prune and shred encryption keys",
        description="Works on the keys that the setting `encryption` names, while writers and readers go on.",
    )
    commands = parser.add_subparsers(dest="what", required=True, parser_class=Parser)
    _add(commands, "create", _create, "make the key, unless there is one", _ENDS)
    status = _add(commands, "status", _status, "show keys, versions, leases and data keys", _ENDS)
    status.add_argument("--json", action="store_true", help="print JSON")
    rotate = _add(
        commands,
        "rotate",
        _rotate,
        "take the key to a new version, or go on with a rotation that was interrupted",
        "Exit codes: 0 done or not due, 1 not done in time or failed, 4 usage.",
    )
    revoke = _add(
        commands,
        "revoke",
        _revoke,
        "rotate because the active version may be known to others, and destroy it once nothing needs it",
        "Exit codes: 0 done, 1 not done in time or it failed, 4 usage.",
    )
    add_store_flags(rotate)
    add_store_flags(revoke)
    rotate.add_argument("--if-due", action="store_true", help="only if its schedule or its use says so")
    for each in (rotate, revoke):
        each.add_argument(
            "--wait",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="how long to wait for readers and writers that are behind. Default: 60",
        )
        each.add_argument(
            "--pass-over-all",
            action="store_true",
            help="wait for nobody, nor for the key index; who was behind is in the audit log",
        )
    shred = _add(
        commands, "shred", _shred, "destroy the key: nothing that it protects can be read ever again", _ENDS
    )
    add_store_flags(shred)
    data_keys.add(commands, _add)
    shred.add_argument(
        "--yes-destroy", metavar="KEY", required=True, help="the id of the key, to be sure that it is meant"
    )
    _add(
        commands,
        "nonces",
        _nonces,
        "list what is sealed, with data key and nonce: in documents on standard input, and in the spool",
        "One line each, parted by spaces; two lines with one key and nonce and different digests are a nonce "
        "used twice. Nothing is opened. Exit codes: 0 listed, 1 something cannot be read or listed, 4 usage.",
    )
    audit = _add(
        commands,
        "audit",
        _audit,
        "show the audit log of key events, or verify it",
        "Exit codes: 0 shown, or whole, 1 it was changed, cut off or cannot be read, 4 usage.",
    )
    audit.add_argument("--verify", action="store_true", help="verify the chain and print its last digest")


def _add(
    commands: Subcommands,
    name: str,
    run: Callable[[Encryption, argparse.Namespace], int],
    what: str,
    epilog: str,
) -> Parser:
    parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=epilog)
    add_encryption_flags(parser)
    parser.add_argument("--key", metavar="ID", help="another key of the same keyring than the setting names")
    parser.set_defaults(run=lambda options: _run(run, options, parser))
    return parser


def add_encryption_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which keys are meant."""
    parser.add_argument("--settings", metavar="FILE", help="the settings file with `encryption`")
    parser.add_argument("--encryption", metavar="NAME=VALUE,…", help="or the setting itself")
    parser.add_argument("--spool", metavar="DIR", help="the spool folder, whose keyring is meant by default")
    parser.add_argument("--service", metavar="NAME", help="or the service, to use its default folder")


def encryption_from(options: argparse.Namespace, parser: Parser, *, needs_keyring: bool = True) -> Encryption:
    """Return the encryption that the flags name; a mistake in them ends the program with 4.

    Args:
        options: The flags.
        parser: Whose flags they are.
        needs_keyring: Whether its folder must be named.
    """
    from dataclasses import replace

    from logging_system.config.encryption import encryption_of
    from logging_system.keys.provider import checked_key_id

    names = ("settings", "encryption", "spool", "service")
    loaded = settings_read(options)
    if wrong := [str(problem) for problem in loaded.problems if problem.name in names]:
        parser.error("; ".join(wrong))
    settings = loaded.settings.encryption
    if settings is None:
        parser.error("no encryption is set; give --settings FILE, or --encryption provider=file,path=…")
    if key := getattr(options, "key", None):
        settings = replace(settings, key=key)
    names_keyring = settings.keyring or loaded.settings.spool or "service" in loaded.origins
    if needs_keyring and not names_keyring:
        parser.error("the keyring is in the spool folder: give --spool DIR, --service NAME, or keyring=DIR")
    try:
        checked_key_id(settings.key)
        return encryption_of(settings, loaded.settings.spool_folder)
    except (ValueError, RuntimeError) as error:
        parser.error(f"{loaded.where('encryption')}: {error}")


def _run(
    run: Callable[[Encryption, argparse.Namespace], int], options: argparse.Namespace, parser: Parser
) -> int:
    encryption = encryption_from(options, parser)
    from logging_system.keys.audit_log import AuditError
    from logging_system.keys.durable_files import FileHeldError
    from logging_system.keys.keyring import KeyringError
    from logging_system.keys.provider import KeyProviderError
    from logging_system.keys.rotation import ShreddingError
    from logging_system.spool.codec import UnavailableError

    command = f"keys {options.what}"
    try:
        return run(encryption, options)
    except (KeyProviderError, KeyringError, AuditError, ShreddingError, FileHeldError, ValueError) as error:
        return fail(command, str(error))
    except UnavailableError as error:
        return fail(command, f"{error}: {error.reason}")
    except OSError as error:
        return fail(command, f"{error.filename or encryption.keyring.folder}: {error.strerror}")
    finally:
        encryption.close()


def _create(encryption: Encryption, _options: argparse.Namespace) -> int:
    versions = encryption.provider.create(encryption.key_id)
    encryption.key_use.active_version()
    print(f"{encryption.key_id}: versions {versions.minimum} to {versions.newest}")
    return EXIT_DONE


def _status(encryption: Encryption, options: argparse.Namespace) -> int:
    from logging_system.keys.status import key_status

    status = key_status(encryption.keyring, time.time())
    if options.json:
        import orjson

        options_set = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        sys.stdout.buffer.write(orjson.dumps(status, bytes.hex, options_set))
        sys.stdout.buffer.flush()
        return EXIT_DONE
    for key_id, key in status.keys.items():
        print(f"{key_id}{': destroyed' if key.is_destroyed else ''}")
        for number, version in key.versions.items():
            data_keys = status.data_keys.get(f"{key_id}:{number}", 0)
            print(f"  version {number}  {version.state.value}  {data_keys} data keys")
        if key.rotation is not None:
            rotation = key.rotation
            print(f"  rotation to version {rotation.new}: {rotation.step.value} ({rotation.why})")
    for lease in status.leases:
        print(f"  {lease}")
    for data_key_id in status.unreadable_data_keys:
        print(f"  data key {data_key_id} cannot be read; restore {encryption.keyring.folder}/data-keys")
    return EXIT_DONE


def _rotate(encryption: Encryption, options: argparse.Namespace) -> int:
    rotator = encryption.rotator()
    key_id = encryption.key_id
    under_way = encryption.keyring.read().keys.get(key_id)
    if under_way is None or under_way.rotation is None:
        why = "demand"
        if options.if_due:
            due = encryption.rotation_due()
            if due is None:
                print(f"{key_id}: no rotation is due")
                return EXIT_DONE
            why = due
        rotator.begin(key_id, why)
    return _finish(encryption, options)


def _revoke(encryption: Encryption, options: argparse.Namespace) -> int:
    encryption.rotator().begin(encryption.key_id, "suspicion", destroys_old=True)
    return _finish(encryption, options)


def _finish(encryption: Encryption, options: argparse.Namespace) -> int:
    publishing = data_keys.Publishing(encryption, options)
    rotator = encryption.rotator(publishing)
    key_id = encryption.key_id
    give_up_seconds = time.monotonic() + options.wait
    progress: Progress = rotator.run(key_id, passes_over_all=options.pass_over_all)
    while progress.rotation is not None and time.monotonic() < give_up_seconds:
        time.sleep(_LOOK_SECONDS)
        progress = rotator.run(key_id, passes_over_all=options.pass_over_all)
    if progress.rotation is None:
        if publishing.trouble is None:
            publishing()  # somebody else took the last step
        if publishing.trouble:
            print(f"  {publishing.trouble}; a shipper brings them", file=sys.stderr)
        print(f"{key_id}: version {encryption.key_use.active_version()} is active")
        return EXIT_DONE
    rotation = progress.rotation
    return fail(
        f"keys {options.what}",
        f"version {rotation.new} of {key_id} is {rotation.step.value} and waits for "
        f"{', '.join(progress.waits_for)}; run it again to go on",
    )


def _shred(encryption: Encryption, options: argparse.Namespace) -> int:
    if options.yes_destroy != encryption.key_id:
        return fail(
            "keys shred", f"--yes-destroy names {options.yes_destroy}; the key is {encryption.key_id}"
        )
    doomed = list(encryption.data_keys.of_key(encryption.key_id))
    shredded = encryption.rotator().shred(encryption.key_id)
    print(f"{encryption.key_id}: destroyed, and {shredded.data_keys} data keys with it")
    if shredded.tried:
        print(f"  {shredded.tried} of them were tried afterwards; the provider opens none")
    if names_store(options):
        data_keys.shred_index(encryption, options, [each.id for each in doomed])
    return EXIT_DONE


def _nonces(_encryption: Encryption, options: argparse.Namespace) -> int:
    from itertools import chain
    from pathlib import Path

    from logging_system.encryption.nonces import listed, sealed_in_documents, sealed_in_spool

    given = () if sys.stdin.isatty() else sys.stdin.buffer
    spooled = () if options.spool is None else sealed_in_spool(Path(options.spool))
    for line in listed(chain(sealed_in_documents(given), spooled)):
        print(line)
    return EXIT_DONE


def _audit(encryption: Encryption, options: argparse.Namespace) -> int:
    from logging_system.keys.audit_log import AuditLog

    log = AuditLog(encryption.keyring.folder)
    if not options.verify:
        for event in log.events():
            sys.stdout.write(event.encoded().decode())
        return EXIT_DONE
    keyring = encryption.keyring.read()
    last = log.verify(keyring.audit)
    print("no events" if last is None else f"{last.sequence} events, whole; last digest {last.digest}")
    return EXIT_DONE
