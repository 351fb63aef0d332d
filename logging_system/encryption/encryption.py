"""All that seals and opens, for one key and one keyring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from logging_system.encryption import block_codec, lines
from logging_system.encryption.block_codec import SealedBlocks
from logging_system.encryption.lines import SealedLines
from logging_system.encryption.opening import Opener
from logging_system.encryption.pruning import KeyStore, Pruning, spool_label
from logging_system.encryption.rotation_schedule import RotationSchedule
from logging_system.encryption.sealing import Sealer, SealingLimits, answer_rotations
from logging_system.encryption.tokens import Tokens
from logging_system.keys.data_keys import DataKeyFolder, DataKeySource, InTurn
from logging_system.keys.key_use import KeyUse, ReaderPresence
from logging_system.keys.keyring import KeyringFile
from logging_system.keys.provider import KeyProvider
from logging_system.keys.rotation import Rotator, nowhere_else
from logging_system.spool.codec import PLAIN, Codecs

DATA_KEYS_OF_A_VERSION_MAX = 1 << 17
"""Far below where random nonces of AES-GCM would meet (2^32 wraps), and a folder that can still be listed."""


class Encryption:
    """What a process seals with and opens with; nothing is asked of the provider before it is needed.

    Args:
        provider: Who keeps the keys.
        folder: The keyring's folder.
        key_id: The key that seals: the namespace of these logs.
        limits: When a data key has served its time.
        rotation_seconds: How long a version is active before a rotation is due; None, as long as it likes.
        spool: The spool folder whose blocks are sealed; None where it is not known, so that no data key of
            theirs is ever pruned.
        index_retention_seconds: How long after it was logged a record may be wanted; None, for ever.

    Attributes:
        provider: Who keeps the keys.
        key_id: The key that seals.
        keyring: The keyring.
        data_keys: The wrapped data keys of its folder.
        key_use: The key in use.
    """

    def __init__(
        self,
        provider: KeyProvider,
        folder: Path,
        key_id: str,
        *,
        limits: SealingLimits | None = None,
        rotation_seconds: float | None = None,
        spool: Path | None = None,
        index_retention_seconds: float | None = None,
    ) -> None:
        self.provider = provider
        self.key_id = key_id
        self._rotation_seconds = rotation_seconds
        self._limits = limits
        self._index_retention_seconds = index_retention_seconds
        self.data_keys = DataKeyFolder(folder)
        self._key_source: DataKeySource = self.data_keys
        self.keyring = KeyringFile(folder)
        self.key_use = KeyUse(provider, self.keyring, key_id, spool=spool_label(spool, folder))
        self._presence = ReaderPresence(provider, self.keyring)

    def codecs(self) -> Codecs:
        """Return how the spool stores its blocks: new ones sealed; what is plain from before is read too."""
        purpose = block_codec.PURPOSE
        blocks = SealedBlocks(self.sealer(purpose), self.opener(purpose))
        return Codecs.of(blocks, PLAIN, idle=self._answer_rotation)

    def _answer_rotation(self) -> None:
        answer_rotations()
        self._presence.look()

    def lines(self) -> SealedLines:
        """Return what seals dead letters and the lines of the fallback file."""
        return SealedLines(self.sealer(lines.PURPOSE), self.opener(lines.PURPOSE))

    def tokens(self) -> Tokens:
        """Return what makes tokens for search by equality."""
        return Tokens(self.key_use, self.keyring)

    def sealer(self, purpose: str) -> Sealer:
        """Return what seals for a purpose, with data keys of its own."""
        return Sealer(self.key_use, purpose, limits=self._limits)

    def opener(self, purpose: str) -> Opener:
        """Return what opens for a purpose, whichever key it was sealed under."""
        return Opener(self.provider, self._key_source, purpose, presence=self._presence)

    def also_find_data_keys_in(self, source: DataKeySource) -> None:
        """Let what is made from now on open with data keys of another place too, after the folder's."""
        self._key_source = InTurn(self.data_keys, source)

    def rotator(self, publish: Callable[[], str] = nowhere_else) -> Rotator:
        """Return what rotates and shreds the keys of this keyring.

        Args:
            publish: See `Rotator`.
        """
        return Rotator(self.provider, self.keyring, publish=publish)

    def pruning(self, index: KeyStore | None = None) -> Pruning:
        """Return what removes data keys that nothing needs any more.

        Args:
            index: The store's key index.
        """
        return Pruning(
            self.data_keys,
            self.rotator(),
            self.keyring,
            retention_seconds=self._index_retention_seconds,
            index=index,
        )

    def schedule(self) -> RotationSchedule:
        """Return what rotates the key by itself."""
        return RotationSchedule(self)

    def rotation_due(self, *, counts_use: bool = True) -> str | None:
        """Return why a rotation is due, if it is: `schedule` or `usage`.

        Args:
            counts_use: Whether data keys are counted, which reads all their files.

        Raises:
            KeyringError: The keyring cannot be used.
            OSError: The data keys cannot be read.
        """
        return self.rotator().due(
            self.key_id,
            every_seconds=self._rotation_seconds,
            data_keys_max=DATA_KEYS_OF_A_VERSION_MAX if counts_use else None,
        )

    def close(self) -> None:
        """Let go of the provider's connections."""
        self.provider.close()
