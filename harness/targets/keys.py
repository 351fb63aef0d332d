"""The encryption keys of a stack as a target, worked by the commands that its stack file declares."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

import orjson

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.capabilities import KeyVersion

COMMAND_SECONDS_MAX = 60.0
STATUS_BYTES_MAX = 1 << 20
_SAID_BYTES = 300


@dataclass(frozen=True, slots=True)
class KeyCommands:
    """The commands, argument lists without placeholders; an empty one is not declared.

    `status` prints a JSON document; `version` is the path in it, dots parting keys, of the whole number that
    every rotation raises. They run in `folder` with `environment` on top of the harness's own.
    """

    rotate: Sequence[str]
    status: Sequence[str]
    version: str
    folder: str
    revoke: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = COMMAND_SECONDS_MAX


class KeysTarget:
    """Keys that can be rotated; implements KeyRotatable.

    Args:
        name: how scenarios call them.
        commands: what works them.
    """

    def __init__(self, name: str, commands: KeyCommands) -> None:
        self.name = name
        self._commands = commands

    def rotate(self) -> None:
        """Let the stack's own command rotate; raises FaultError where it fails or does not end in time."""
        self._run("keys.rotate", self._commands.rotate)

    def begin_rotation(self, seconds: float) -> bool:
        """Begin a rotation and kill its command (SIGKILL) after that time.

        Returns:
            Whether it still ran by then.

        Raises:
            FaultError: it cannot be started.
        """
        with _started("keys.rotate", self._commands.rotate, self._commands, subprocess.DEVNULL) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                return True
            return False

    def key_version(self) -> KeyVersion:
        """Ask the stack's own command for the version; raises FaultError where it is not told."""
        answer = self._run("keys.status", self._commands.status)
        try:
            value: object = orjson.loads(answer)
            for key in self._commands.version.split("."):
                value = value[key] if isinstance(value, dict) else None
        except (orjson.JSONDecodeError, KeyError):
            value = None
        if not isinstance(value, int) or isinstance(value, bool):
            raise FaultError(
                f"keys.status: there is no whole number at {self._commands.version!r} of what it prints: "
                f"{answer[:_SAID_BYTES].decode(errors='replace')!r}; correct keys.version in the stack file"
            )
        return KeyVersion(value, " ".join(answer.decode(errors="replace").split())[:_SAID_BYTES])

    def undo_rotation(self) -> Undo:
        """Say that nothing is to be taken back."""
        return Undo("nothing", {"why": f"a new version of {self.name} stays; it is removed with its run"})

    def _run(self, key: str, command: Sequence[str]) -> bytes:
        """Run a command and return what it prints."""
        with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
            with _started(key, command, self._commands, printed, errors) as process:
                try:
                    code = process.wait(self._commands.timeout_seconds)
                except subprocess.TimeoutExpired as error:
                    bound = f"{self._commands.timeout_seconds:g} s"
                    raise FaultError(f"{key}: did not end within {bound}") from error
            errors.seek(0)
            said = errors.read(_SAID_BYTES).decode(errors="replace").strip()
            if code != 0:
                raise FaultError(f"{key}: ended with {code}{f'; it wrote: {said}' if said else ''}")
            printed.seek(0)
            return printed.read(STATUS_BYTES_MAX)


class RevocableKeysTarget(KeysTarget):
    """Keys that can be revoked as well; implements KeyRevocable."""

    def revoke(self) -> None:
        """Let the stack's own command revoke; raises FaultError where it fails or does not end in time."""
        self._run("keys.revoke", self._commands.revoke)


def keys_target(name: str, commands: KeyCommands) -> KeysTarget:
    """Return the keys as a target that can do what there are commands for.

    Args:
        name: by which scenarios name it.
        commands: as the stack declares them; without `revoke` no fault that revokes a key can have it.
    """
    return (RevocableKeysTarget if commands.revoke else KeysTarget)(name, commands)


@contextmanager
def _started(
    key: str,
    command: Sequence[str],
    commands: KeyCommands,
    printed: IO[bytes] | int,
    errors: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, and kill it with all that it started where it still runs at the end."""
    try:
        process = subprocess.Popen(
            list(command),
            cwd=commands.folder,
            env={**os.environ, **commands.environment},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=errors,
            start_new_session=True,
        )
    except OSError as error:
        raise FaultError(f"{key}: cannot start {command[0]!r}: {error.strerror}") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
