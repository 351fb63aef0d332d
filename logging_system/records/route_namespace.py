"""Says in each record whose it is: the namespace it asks for, where that is declared, else the default one.

A record asks in `data_stream.namespace`, or as a log call does, with `extra={"namespace": …}` or within
`logging_system.namespace(…)`. What asks for a namespace that is not declared goes to the default one, and
says so in the label `namespace.undeclared`, by which such records are counted and found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from logging_system.records.document import Edit, Put, Record, Remove
from logging_system.records.namespaces import NAMESPACE_KEY
from logging_system.records.processors import ProcessorSettings
from logging_system.records.truncation import label_text

FIELD = "data_stream"
UNDECLARED_LABEL = "namespace.undeclared"

_DOTTED = f"{FIELD}.namespace"
_SHOWN_CHARACTERS_MAX = 100


class NamespaceSettings(ProcessorSettings, Protocol):
    """What the processor's maker reads of the settings."""

    @property
    def namespace(self) -> str:
        """The default namespace."""

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The others that are declared."""


class RouteNamespace:
    """Gives each record its namespace as its last member, where whoever ships it looks first.

    Args:
        default: The namespace of records that ask for none.
        declared: The others.
    """

    def __init__(self, default: str, declared: Sequence[str]) -> None:
        self._default = default
        self._declared = frozenset(declared) | {default}

    def process(self, record: Record) -> Record:
        """Return the record in its namespace."""
        document = record.document
        asked = asked_namespace(document)
        record = without_namespace(record)
        if asked is None:
            return in_namespace(record, self._default)
        if isinstance(asked, str) and asked in self._declared:
            return in_namespace(record, asked)
        labels = document.get("labels", {})
        if isinstance(labels, Mapping):
            shown = asked if isinstance(asked, str) else label_text(asked)
            record = record.edited([Put(("labels", UNDECLARED_LABEL), str(shown)[:_SHOWN_CHARACTERS_MAX])])
        return in_namespace(record, self._default)


def asked_namespace(document: Mapping[str, object]) -> object:
    """Return what a document asks for; None where it asks for nothing."""
    stream = document.get(FIELD)
    if isinstance(stream, Mapping) and "namespace" in stream:
        return stream["namespace"]
    if _DOTTED in document:
        return document[_DOTTED]
    labels = document.get("labels")
    return labels.get(NAMESPACE_KEY) if isinstance(labels, Mapping) else None


def without_namespace(record: Record) -> Record:
    """Return a record that asks for no namespace."""
    document = record.document
    edits: list[Edit] = [Remove((name,)) for name in (FIELD, _DOTTED) if name in document]
    labels = document.get("labels")
    if isinstance(labels, Mapping) and NAMESPACE_KEY in labels:
        edits.append(Remove(("labels", NAMESPACE_KEY)))
    return record.edited(edits)


def in_namespace(record: Record, namespace: str) -> Record:
    """Return a record that has none with a namespace, as its last member.

    The member is always made anew: one that was there may be spelled with escapes, which only a parser sees.
    """
    return record.edited([Put((FIELD,), {"namespace": namespace})])


def from_settings(settings: NamespaceSettings) -> RouteNamespace:
    """Return the processor for the settings `namespace` and `namespaces`."""
    return RouteNamespace(settings.namespace, list(settings.namespaces))
