"""Adds the same labels to every record."""

from __future__ import annotations

from collections.abc import Mapping

from logging_system.records.document import Put, Record
from logging_system.records.processors import ProcessorSettings
from logging_system.records.truncation import Label


class AddLabels:
    """Gives each record the labels that it does not have; a record's own value of the same name stays.

    A record whose `labels` is no object is left as it is.

    Args:
        labels: Values by name.
    """

    def __init__(self, labels: Mapping[str, Label]) -> None:
        self._labels = dict(labels)

    def process(self, record: Record) -> Record:
        """Return the record with its labels."""
        present = record.document.get("labels", {})
        if not isinstance(present, Mapping):
            return record
        missing = [(name, value) for name, value in self._labels.items() if name not in present]
        return record.edited([Put(("labels", name), value) for name, value in missing])


def from_settings(settings: ProcessorSettings) -> AddLabels:
    """Return the processor for the setting `labels`.

    Args:
        settings: Those of all processors; only `labels` is read.
    """
    return AddLabels(settings.labels)
