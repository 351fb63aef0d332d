"""Of `keys`: what works on wrapped data keys: `tokens`, `prune`, `restore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.cli.asked_store import add_store_flags, asked_store, key_index_of, names_store
from logging_system.cli.parser import EXIT_DONE, Parser, fail

if TYPE_CHECKING:
    from logging_system.cli.parser import Subcommands
    from logging_system.encryption.encryption import Encryption

Run = Callable[["Encryption", argparse.Namespace], int]
AddCommand = Callable[["Subcommands", str, Run, str, str], Parser]

ENDS = "Exit codes: 0 done, 1 it could not be done, 4 usage."


def add(commands: Subcommands, add_command: AddCommand) -> None:
    """Add the subcommands of `keys`."""
    tokens = add_command(
        commands,
        "tokens",
        _tokens,
        "show what to search the store for: the tokens of a value, which is read from standard input",
        ENDS,
    )
    what = tokens.add_mutually_exclusive_group(required=True)
    what.add_argument("--field", metavar="NAME", help="the field, such as labels.card")
    what.add_argument(
        "--rotate", action="store_true", help="make a new token key; writers use it within a minute"
    )
    prune = add_command(
        commands,
        "prune",
        _prune,
        "remove wrapped data keys that no record needs any more, also from the store's key index",
        ENDS,
    )
    prune.add_argument("--dry-run", action="store_true", help="only say how many would go")
    prune.add_argument(
        "--every-spool",
        metavar="DIR",
        action="append",
        default=[],
        help="a spool folder that the keyring serves; name all of them where the keyring is in none of them",
    )
    add_store_flags(prune)
    restore = add_command(
        commands,
        "restore",
        _restore,
        "put wrapped data keys of the store's key index into the keyring's folder, where they are missing",
        ENDS,
    )
    add_store_flags(restore)


def _tokens(encryption: Encryption, options: argparse.Namespace) -> int:
    tokens = encryption.tokens()
    if options.rotate:
        tokens.rotate()
        print(f"{encryption.key_id}: a new token key is in use within a minute")
        return EXIT_DONE
    # Not an argument: every user of the machine can read command lines.
    for token in tokens.search_tokens(options.field, sys.stdin.readline().rstrip("\n")):
        print(token)
    return EXIT_DONE


def shred_index(encryption: Encryption, options: argparse.Namespace) -> None:
    """Remove the wrapped data keys from the store too: then an old copy of the key opens nothing either."""
    with asked_store(options) as store:
        index = key_index_of(options, store)
        if index is None:
            return
        try:
            ids = [each.id for each in index.all() if each.wrapped.key_id == encryption.key_id]
            index.remove(ids)
        except OSError as error:
            raise ValueError(
                f"the key is destroyed; its wrapped data keys are still in index {index.name}, run it again: "
                f"{error}"
            ) from error
    print(f"  {len(ids)} data keys were removed from index {index.name}")


def _prune(encryption: Encryption, options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        index = None
        if names_store(options):
            index = key_index_of(options, stack.enter_context(asked_store(options)))
        spools = [Path(each) for each in options.every_spool]
        pruning = encryption.pruning(spools, index)
        found = pruning.look()
        if not options.dry_run:
            pruning.remove(found.data_keys)
    going = ", ".join(f"{count} {purpose}" for purpose, count in sorted(found.counts.items()))
    staying = ", ".join(f"{count} {purpose}" for purpose, count in sorted(found.kept.items()))
    print(f"{'would be removed' if options.dry_run else 'removed'}: {going or 'none'}")
    print(f"needed, or not certain: {staying or 'none'}")
    if not (spools or encryption.is_in_spool):
        print("  the keyring is in no spool folder; name every one that it serves with --every-spool DIR")
    return EXIT_DONE


def _restore(encryption: Encryption, options: argparse.Namespace) -> int:
    with asked_store(options) as store:
        index = key_index_of(options, store)
        if index is None:
            return fail("keys restore", "no key index is named; give --key-index NAME")
        known = set(encryption.data_keys.ids())
        missing = [
            each for each in index.all() if each.id not in known and each.wrapped.key_id == encryption.key_id
        ]
    for stored in missing:
        encryption.data_keys.put(stored)
    if missing:
        encryption.rotator().note("data_keys_restored", encryption.key_id, {"data_keys": len(missing)})
    print(f"{encryption.key_id}: {len(missing)} data keys restored")
    return EXIT_DONE
