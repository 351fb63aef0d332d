"""Lets the stack list what it sealed, and counts the nonces that seal more than one thing."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TypeAlias

from harness.deployments.placeholders import expand
from harness.model.declarations import Stack
from harness.model.errors import StackError
from harness.model.facts import NoncesListed
from harness.model.protocols import RawDocument
from harness.processes import procfs
from harness.runs.wiring import variables

SECONDS_MAX = 120.0
THINGS_MAX = 10_000_000
LINE_BYTES_MAX = 4_096
_SAID_BYTES = 300
_PARTS = 3
StoredOutlets: TypeAlias = Iterable[tuple[str, Iterable[RawDocument] | None]]


@dataclass(frozen=True, slots=True)
class NonceCommand:
    """The stack's command `keys.nonces`.

    It gets every stored document on standard input, one a line, and prints a line for each thing that is
    sealed in them or lies sealed in the stack's own files: an id of the key, the nonce, and a digest of what
    is sealed, parted by spaces.
    """

    command: Sequence[str]
    folder: str
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = SECONDS_MAX


def nonce_command(stack: Stack, values: Mapping[str, str], run_id: str) -> NonceCommand | None:
    """Return a stack's command; None where it declares none.

    Args:
        stack: whose keys may declare one.
        values: of the placeholders, by name; the command runs in `run.folder`.
        run_id: marks the process, so that it is found if it is left behind.
    """
    if stack.keys is None or not stack.keys.nonces:
        return None
    environment = {**variables(stack, values), **procfs.marks(run_id)}
    command = [expand(each, values) for each in stack.keys.nonces]
    return NonceCommand(command, values["run.folder"], environment)


def nonces_listed(command: NonceCommand, outlets: StoredOutlets, at_ns: int) -> NoncesListed:
    """Run the command over all stored documents, and count.

    Args:
        command: of the stack.
        outlets: names of outlets, with their documents as they are stored; None where one shows none.
        at_ns: when that is.

    Returns:
        The counts; where an outlet cannot be read or the command fails, why that is, and no counts.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        try:
            _give(outlets, given)
            _run(command, given, printed)
        except StackError as error:
            return NoncesListed(at_ns, 0, 0, 0, unread=str(error))
        printed.seek(0)
        return counted(printed, at_ns)


def counted(lines: Iterable[bytes], at_ns: int) -> NoncesListed:
    """Return what a list says.

    Args:
        lines: `<key> <nonce> <digest of what is sealed>` each.
        at_ns: when it was made.
    """
    sealed: dict[tuple[bytes, bytes], bytes] = {}
    reused: dict[tuple[bytes, bytes], None] = {}
    things, unread = 0, ""
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if len(parts) != _PARTS or len(line) > LINE_BYTES_MAX:
            unread = f'keys.nonces: line {number} of what it prints is no "key nonce digest"'
            break
        if number > THINGS_MAX:
            unread = f"keys.nonces: it lists more than {THINGS_MAX:,} things"
            break
        things += 1
        key, nonce, digest = parts
        if sealed.setdefault((key, nonce), digest) != digest:
            reused[key, nonce] = None
    keys = len({key for key, _ in sealed})
    return NoncesListed(at_ns, things, keys, len(reused), _example(reused), unread)


def _example(reused: Iterable[tuple[bytes, bytes]]) -> str:
    for key, nonce in reused:
        shown = [part.decode(errors="replace") for part in (key, nonce)]
        return f"Key {shown[0]} seals two different things with the nonce {shown[1]}."
    return ""


def _give(outlets: StoredOutlets, given: IO[bytes]) -> None:
    for name, documents in outlets:
        if documents is None:
            raise StackError(f"{name} shows no documents as they are stored")
        given.writelines(each.body + b"\n" for each in documents)
    given.seek(0)


def _run(command: NonceCommand, given: IO[bytes], printed: IO[bytes]) -> None:
    with tempfile.TemporaryFile() as errors:
        try:
            done = subprocess.run(
                list(command.command),
                stdin=given,
                stdout=printed,
                stderr=errors,
                cwd=command.folder,
                env={**os.environ, **command.environment},
                timeout=command.timeout_seconds,
                check=False,
            )
        except OSError as error:
            raise StackError(f"keys.nonces: cannot start {command.command[0]!r}: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            bound = f"{command.timeout_seconds:g} s"
            raise StackError(f"keys.nonces: did not end within {bound}") from error
        if done.returncode != 0:
            errors.seek(0)
            said = errors.read(_SAID_BYTES).decode(errors="replace").strip()
            raise StackError(f"keys.nonces: ended with {done.returncode}; it wrote: {said or 'nothing'}")
