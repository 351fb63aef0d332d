"""Sends each document to the data stream of its namespace: a sink in front of one sink for each.

Which one that is, the document says in its last member (`records/route_namespace.py`); it is found without
parsing the document. One that names none, or none that is declared, goes to the default one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence

import orjson

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    CannotLookUp,
    DocumentOutcome,
    Found,
    LookUpOutcome,
    OneForEach,
    RequestRefused,
    Retry,
    SendOutcome,
    Unknown,
)
from logging_system.sinks import Sink
from logging_system.sinks.elasticsearch.index_setup import Ask

# A member of the outermost object: the first brace closes its value, the second the document, and no string
# of JSON holds a quotation mark that is not escaped.
_LAST_MEMBER = re.compile(rb'[{,]"data_stream":\{"namespace":"([a-z0-9_.]{1,100})"\}\}\Z')
_LAST_BYTES = 140
_HINT = b"data_stream"


class NamespacedSink:
    """Documents of several namespaces; see `Sink`.

    Args:
        sinks: The sink of each namespace.
        default: The namespace of documents that name none of these; one of them.
    """

    def __init__(self, sinks: Mapping[str, Sink], default: str) -> None:
        self._sinks = dict(sinks)
        self._default = default
        self._ready = {default}
        self._lock = threading.Lock()

    def prepare(self) -> str | None:
        """Prepare the default namespace; others are prepared when they get their first document.

        Returns:
            None when the default one takes documents, else what stands in the way.
        """
        return self._sinks[self._default].prepare()

    def send(self, items: Sequence[Item]) -> SendOutcome:
        """Store the documents, each in its namespace; see `Sink.send`.

        Args:
            items: The documents, of any namespaces.

        Returns:
            What became of each, in the order of `items`. Once a namespace fails, those after it are not
            asked: their documents are to be sent again.
        """
        names = [self._namespace(item.document) for item in items]
        if names.count(names[0]) == len(names):
            return self._send(names[0], items)
        return self._send_apart(items, names)

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
        """Ask every namespace that may hold the documents; see `Sink.look_up`.

        Args:
            ids: The documents' ids.
            indices: Not used: each namespace asks all backing indices of its own.

        Returns:
            The ids found in any of them; the first answer that says why not, where there is one.
        """
        # A backing index named belongs to one of them, and says nothing of where another one stood then.
        del indices
        found: set[str] = set()
        for name in self._sinks:
            outcome = self._sinks[name].look_up(ids, [])
            if isinstance(outcome, Unknown | CannotLookUp):
                return outcome
            found |= outcome.ids
        return Found(frozenset(found))

    @property
    def request(self) -> Ask:
        """What carries any request to the store that all namespaces share."""
        carried: Ask = self._sinks[self._default].request  # type: ignore[attr-defined]  # as of Elasticsearch's
        return carried

    def close(self) -> None:
        """Close all."""
        for sink in self._sinks.values():
            sink.close()

    def _namespace(self, document: bytes) -> str:
        name = namespace_in(document)
        return name if name in self._sinks else self._default

    def _send_apart(self, items: Sequence[Item], names: Sequence[str]) -> SendOutcome:
        """Send one request for each namespace, until one of them fails."""
        outcomes: list[DocumentOutcome | None] = [None] * len(items)
        wait_seconds: float | None = None
        for at, name in enumerate(dict.fromkeys(names)):
            places = [place for place, each in enumerate(names) if each == name]
            outcome = self._send(name, [items[place] for place in places])
            if isinstance(outcome, Unknown | RequestRefused):
                if at == 0 and isinstance(outcome, RequestRefused):
                    return outcome  # nothing was stored; the machine looks for what is at fault
                failed = _as_retry(outcome)
                for place in places:
                    outcomes[place] = failed
                wait_seconds = getattr(outcome, "retry_after_seconds", None)
                unsent = Retry(f"not sent: {failed.reason}", failed.status, may_have_stored=False)
                return OneForEach(tuple(each or unsent for each in outcomes), wait_seconds)
            for place, each in zip(places, outcome.each(len(places)), strict=True):
                outcomes[place] = each
            wait_seconds = wait_seconds or outcome.retry_after_seconds
        return OneForEach(tuple(each for each in outcomes if each is not None), wait_seconds)

    def _send(self, name: str, items: Sequence[Item]) -> SendOutcome:
        if name not in self._ready:
            trouble = self._sinks[name].prepare()
            if trouble is not None:
                return Unknown(trouble, may_have_stored=False)
            with self._lock:
                self._ready.add(name)
        return self._sinks[name].send(items)


def namespace_in(document: bytes) -> str:
    """Return the namespace that a document names; empty where it names none."""
    if found := _LAST_MEMBER.search(document[-_LAST_BYTES:]):
        return found[1].decode()
    if _HINT not in document:
        return ""
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError:
        return ""
    stream = content.get("data_stream") if isinstance(content, dict) else None
    name = stream.get("namespace") if isinstance(stream, dict) else None
    return name if isinstance(name, str) else ""


def _as_retry(outcome: Unknown | RequestRefused) -> Retry:
    if isinstance(outcome, Unknown):
        return Retry(outcome.reason, may_have_stored=outcome.may_have_stored)
    return Retry(outcome.reason, outcome.status, may_have_stored=False)
