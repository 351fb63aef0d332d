"""Of `keys`: what works on wrapped data keys: `tokens`, `prune`, `restore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
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


def shred_index(
    encryption: Encryption, options: argparse.Namespace, data_key_ids: Iterable[bytes] = ()
) -> None:
    """Remove the wrapped data keys from the store too: then an old copy of the key opens nothing either.

    Args:
        encryption: The key, which is destroyed.
        options: What names the store.
        data_key_ids: Those that the keyring's folder had; what else is there of this keyring goes too.
    """
    with asked_store(options) as store:
        index = key_index_of(options, store)
        if index is None:
            return
        keyring_id, key_id = encryption.keyring.read().id, encryption.key_id
        try:
            found = {
                each.id
                for each in index.all()
                if each.keyring == keyring_id and each.wrapped.key_id == key_id
            }
            ids = [*found.union(data_key_ids)]
            index.remove(ids)
        except OSError as error:
            raise ValueError(
                f"the key is destroyed; its wrapped data keys are still in index {index.name}, run it again: "
                f"{error}"
            ) from error
    print(f"  {len(ids)} data keys were removed from index {index.name}")


class Publishing:
    """Brings data keys to the store's key index as they are wrapped now, where settings name a store.

    A shipper does so too; but none may be running, and what the index has is of no use once a version is
    destroyed.

    Args:
        encryption: Whose data keys.
        options: What names the store.

    Attributes:
        trouble: Why the index has not got them; None before it was asked.
    """

    def __init__(self, encryption: Encryption, options: argparse.Namespace) -> None:
        self._encryption = encryption
        self._options = options
        self.trouble: str | None = None

    def __call__(self) -> str:
        """Bring them; return why they are not there, empty where they are, or no store is named."""
        from logging_system.sinks.key_publishing import publish

        self.trouble = ""
        if not names_store(self._options):
            return ""
        with asked_store(self._options) as store:
            index = key_index_of(self._options, store)
            try:
                if index is not None:
                    publish(index, self._encryption.data_keys.all())
            except OSError as error:
                self.trouble = f"the key index has not got the data keys as they are wrapped now: {error}"
        return self.trouble


def _prune(encryption: Encryption, options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        index = None
        if names_store(options):
            index = key_index_of(options, stack.enter_context(asked_store(options)))
        pruning = encryption.pruning(index)
        found = pruning.look()
        if not options.dry_run:
            pruning.remove(found.data_keys)
    going = ", ".join(f"{count} {purpose}" for purpose, count in sorted(found.counts.items()))
    staying = ", ".join(f"{count} {purpose}" for purpose, count in sorted(found.kept.items()))
    print(f"{'would be removed' if options.dry_run else 'removed'}: {going or 'none'}")
    print(f"needed, or not certain: {staying or 'none'}")
    for label in found.unknown_spools:
        print(f"  spool {label} is not here: what it may need stays")
    return EXIT_DONE


def _restore(encryption: Encryption, options: argparse.Namespace) -> int:
    from logging_system.keys.provider import (
        KeyDestroyedError,
        KeyMissingError,
        KeyRetiredError,
        WrapInvalidError,
    )

    with asked_store(options) as store:
        index = key_index_of(options, store)
        if index is None:
            return fail("keys restore", "no key index is named; give --key-index NAME")
        encryption.key_use.active_version()  # the keyring is made anew where it is gone
        keyring_id = encryption.keyring.read().id
        known = set(encryption.data_keys.ids())
        restored = shut = 0
        for each in index.all():
            if each.id in known or each.wrapped.key_id != encryption.key_id:
                continue
            try:
                # Others may have a key of that name too.
                encryption.provider.unwrap(each.wrapped, each.context)
            except (WrapInvalidError, KeyMissingError, KeyRetiredError, KeyDestroyedError):
                shut += 1
                continue
            encryption.data_keys.put(replace(each, keyring=keyring_id))
            restored += 1
    if restored:
        encryption.rotator().note("data_keys_restored", encryption.key_id, {"data_keys": restored})
    print(f"{encryption.key_id}: {restored} data keys restored")
    if shut:
        print(
            f"  {shut} are wrapped with another key of that name, or a version that is retired or destroyed"
        )
    return EXIT_DONE
