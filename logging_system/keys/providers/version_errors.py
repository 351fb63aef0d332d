"""What providers say of a key or version that cannot be used, in the same words."""

from __future__ import annotations

from dataclasses import dataclass

from logging_system.keys.provider import (
    KeyDestroyedError,
    KeyMissingError,
    KeyRetiredError,
    KeyVersions,
)


@dataclass(frozen=True, slots=True)
class VersionState:
    """Which versions of a key can be used.

    Attributes:
        first_kept: The lowest version that was not destroyed.
        minimum: The lowest version that is not retired.
        newest: The highest version.
    """

    first_kept: int
    minimum: int
    newest: int

    @property
    def versions(self) -> KeyVersions:
        """Return what the provider's protocol tells of it."""
        return KeyVersions(self.minimum, self.newest)

    def require(self, key_id: str, version: int) -> None:
        """Return if the version can be used.

        Args:
            key_id: Which key; named in the error.
            version: Its number, from 1.

        Raises:
            KeyMissingError: There is no such version.
            KeyDestroyedError: It was destroyed.
            KeyRetiredError: It is below the minimum.
        """
        if not 1 <= version <= self.newest:
            raise missing(key_id, version)
        if version < self.first_kept:
            raise destroyed(key_id, version)
        if version < self.minimum:
            raise KeyRetiredError(
                f"key {key_id}:{version} is retired; the lowest version in use is {self.minimum}",
                key_id=key_id,
                version=version,
            )

    def require_unused(self, key_id: str, through_version: int) -> None:
        """Return if versions up to one can be destroyed.

        Args:
            key_id: Which key; named in the error.
            through_version: The highest of them; it would go too.

        Raises:
            ValueError: A version at or above the minimum would go.
        """
        if through_version >= self.minimum:
            raise ValueError(
                f"{key_id}:{through_version} may be in use; raise the minimum version above it first"
            )


def missing(key_id: str, version: int | None = None, *, where: str = "") -> KeyMissingError:
    """Return the error that says that the provider does not know a key or version.

    Args:
        key_id: Which key.
        version: Its number; None where the key as a whole is not known.
        where: Where it was looked for, such as a file; begins the message where it is not empty.
    """
    shown = key_id if version is None else f"{key_id}:{version}"
    place = f"{where}: " if where else ""
    remedy = "restore it" if version else "make it: python -m logging_system keys create"
    return KeyMissingError(f"{place}no key {shown}; {remedy}", key_id=key_id, version=version)


def destroyed(key_id: str, version: int | None = None) -> KeyDestroyedError:
    """Return the error that says that a key or version is gone for good.

    Args:
        key_id: Which key.
        version: Its number; None where the key as a whole is gone.
    """
    shown = key_id if version is None else f"{key_id}:{version}"
    return KeyDestroyedError(
        f"key {shown} was destroyed; what it protects cannot be read again", key_id=key_id, version=version
    )
