"""Rotates the key by itself: when it is due, and where a rotation was left half done; prunes data keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from logging_system.encryption import block_codec
from logging_system.keys.audit_log import AuditError
from logging_system.keys.durable_files import FileHeldError
from logging_system.keys.keyring import KeyringError
from logging_system.keys.provider import KeyDestroyedError, KeyProviderError
from logging_system.monitoring.events import Event, KeyRotated, KeyTrouble

if TYPE_CHECKING:
    from logging_system.encryption.encryption import Encryption

LOOK_SECONDS = 10.0
_USE_LOOK_SECONDS = 3600.0
_PRUNE_SECONDS = 86400.0
_STOP_SECONDS = 0.2


class RotationSchedule:
    """Looks now and then whether the key has to be rotated, on a thread of its own.

    Several processes may do so for one keyring: each step is done once, whoever is first.

    Args:
        encryption: Whose key.
        look_seconds: How often to look.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        encryption: Encryption,
        *,
        look_seconds: float = LOOK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._encryption = encryption
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._use_look_due_seconds = float("-inf")
        self._prune_due_seconds = float("-inf")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, emit: Callable[[Event], None]) -> None:
        """Start the thread.

        Args:
            emit: Told of what was rotated, and what stands in its way.
        """
        self._stopping = stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(stopping, emit), name="logging_system.key_rotation", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None  # the system gives none; whoever ships next tries again

    def stop(self) -> None:
        """End the thread soon; what it was at is gone on with by whoever looks next."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_STOP_SECONDS)

    def look(self, emit: Callable[[Event], None]) -> None:
        """Begin a rotation that is due, or go on with one; what stands in the way is told, not raised.

        After a rotation, and once a day, the data keys of blocks that were shipped are removed.

        Args:
            emit: Is told a rotation, or what stands in its way.
        """
        key_id = self._encryption.key_id
        try:
            why = self._why()
            if why is not None and self._encryption.rotator().run(key_id).rotation is None:
                active = self._encryption.key_use.active_version()
                emit(KeyRotated(key_id=key_id, version=active, why=why))
                self._prune_due_seconds = float("-inf")
            self._prune()
        except KeyDestroyedError:
            return  # somebody meant it
        except (KeyProviderError, KeyringError, AuditError, FileHeldError) as error:
            emit(KeyTrouble(key_id=key_id, trouble=str(error)))
        except OSError as error:
            emit(KeyTrouble(key_id=key_id, trouble=f"{error.filename or 'disk'}: {error.strerror}"))

    def _prune(self) -> None:
        now_seconds = self._monotonic()
        if now_seconds < self._prune_due_seconds:
            return
        self._prune_due_seconds = now_seconds + _PRUNE_SECONDS
        pruning = self._encryption.pruning()
        # Only those: a clock that is wrong must not end a retention by itself.
        blocks = [each for each in pruning.look().data_keys if each.purpose == block_codec.PURPOSE]
        if blocks:
            pruning.remove(blocks)

    def _why(self) -> str | None:
        key = self._encryption.keyring.read().keys.get(self._encryption.key_id)
        if key is None or key.is_destroyed:
            return None  # nobody has sealed anything yet, or nobody will again
        if key.rotation is not None:
            return key.rotation.why
        now_seconds = self._monotonic()
        counts_use = now_seconds >= self._use_look_due_seconds
        if counts_use:
            self._use_look_due_seconds = now_seconds + _USE_LOOK_SECONDS
        why = self._encryption.rotation_due(counts_use=counts_use)
        if why is not None:
            self._encryption.rotator().begin(self._encryption.key_id, why)
        return why

    def _run(self, stopping: threading.Event, emit: Callable[[Event], None]) -> None:
        while not stopping.is_set():
            self.look(emit)
            stopping.wait(self._look_seconds)
