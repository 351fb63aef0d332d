"""Which data streams a reader asks: those of the namespaces named, and no other's.

A target is made here alone. No name in it holds a pattern, a comma or a `-`, so no target reaches into a
namespace that was not named; and what comes back is looked at again, since an alias may lead anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from logging_system.records.namespaces import (
    checked_namespace,
    namespace_of_stream,
    stream_of,
    stream_of_index,
)

ANY_DATASET = "*"
_DATASET = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}")


class OutOfReachError(ValueError):
    """A namespace that this reader may not ask, or a name that is none."""


class ForeignAnswerError(Exception):
    """The store gave a document of a namespace that was not asked for; nothing of it is shown."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Data streams that may be asked.

    Attributes:
        namespaces: Their namespaces; empty: every namespace, which must be asked for by `everything`.
        dataset: Their dataset, or `*` for each.
    """

    namespaces: tuple[str, ...]
    dataset: str = ANY_DATASET

    @classmethod
    def of(
        cls, namespaces: Sequence[str], *, dataset: str = ANY_DATASET, allowed: Sequence[str] = ()
    ) -> Reach:
        """Return the reach over some namespaces.

        Args:
            namespaces: One or more.
            dataset: A dataset, such as the name of a service; `*` for all of these namespaces.
            allowed: What the reader may ask at most; empty sets no bound.

        Raises:
            OutOfReachError: None is named, one can be no name (a pattern is none), or is not allowed.
        """
        if not namespaces:
            raise OutOfReachError("name a namespace")
        for name in namespaces:
            if "*" in name or "?" in name:
                raise OutOfReachError(
                    f"{name[:100]!r} is a pattern; name each namespace, or ask for all of them"
                )
            try:
                checked_namespace(name)
            except ValueError as error:
                raise OutOfReachError(str(error)) from error
            if allowed and name not in allowed:
                raise OutOfReachError(
                    f"namespace {name!r} is not allowed here; allowed: {', '.join(allowed)}"
                )
        return cls(tuple(dict.fromkeys(namespaces)), _checked_dataset(dataset))

    @classmethod
    def everything(cls, *, dataset: str = ANY_DATASET) -> Reach:
        """Return the reach over all namespaces.

        Args:
            dataset: A dataset, such as a service; `*` for each.
        """
        return cls((), _checked_dataset(dataset))

    @property
    def target(self) -> str:
        """The data streams as a search names them."""
        return ",".join(stream_of(self.dataset, each) for each in self.namespaces or ("*",))

    def holds(self, index: object) -> bool:
        """Whether an index, as an answer names it, is one of those asked."""
        if not isinstance(index, str):
            return False
        if not self.namespaces:
            return True
        stream = stream_of_index(index)
        fits = self.dataset == ANY_DATASET or stream == stream_of(self.dataset, namespace_of_stream(stream))
        return stream.startswith("logs-") and fits and namespace_of_stream(stream) in self.namespaces

    def check(self, index: Any) -> str:
        """Return the namespace that an index of an answer belongs to.

        Raises:
            ForeignAnswerError: It was not asked.
        """
        if not self.holds(index):
            raise ForeignAnswerError(
                f"the store answered {self.target} with a document of {str(index)[:200]!r}; an alias may "
                "lead there. Remove it from the alias, or ask for all namespaces"
            )
        return namespace_of_stream(stream_of_index(index))


def _checked_dataset(dataset: str) -> str:
    if dataset != ANY_DATASET and not _DATASET.fullmatch(dataset):
        raise OutOfReachError(
            f"{dataset[:100]!r} is no dataset; it has lower case letters, digits, '_' and '.', and no '-'"
        )
    return dataset
