"""Carries bulk requests to Elasticsearch and sets up the data stream's template.

The transport is elastic-transport's node, one level below the client: its answers come as raw bytes, nothing
is retried and nothing is believed, which is the delivery machine's work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

import elastic_transport
import orjson
from elastic_transport.client_utils import url_to_node_config

from logging_system.delivery.answers import Answer, NoAnswer
from logging_system.delivery.look_up import INDICES_MAX
from logging_system.delivery.machine import Item
from logging_system.sinks.index_template import index_template

JSON = "application/json"
LOOK_UP_FILTER = "_source=false&filter_path=docs._index,docs._id,docs.found,docs.error.type"
BULK_FILTER = "errors,took,items.*._index,items.*.status,items.*.error,items.*.failure_store"
"""Keeps every item, and so its position, while most of the answer is left out."""


_LACKING = frozenset({400, 404, 405, 501})
_log = logging.getLogger(__name__)


class ElasticsearchSink:
    """A data stream in an Elasticsearch cluster.

    Args:
        urls: One or more nodes; after a failure the next one is asked. Credentials may be part of a URL.
        stream: Name of the data stream.
        request_timeout_seconds: How long one request may wait for the server.
        connections: Requests under way at once to one node.

    Raises:
        ValueError: A URL lacks its scheme, host or port.
    """

    def __init__(
        self, urls: Sequence[str], stream: str, *, request_timeout_seconds: float = 10.0, connections: int = 2
    ) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._current = 0
        self._nodes = [
            elastic_transport.Urllib3HttpNode(
                replace(
                    url_to_node_config(url, use_default_ports_for_scheme=True),
                    request_timeout=request_timeout_seconds,
                    connections_per_node=connections + 1,
                )
            )
            for url in urls
        ]

    def prepare(self) -> str | None:
        """Put the index template (idempotent); see `Sink.prepare`."""
        body = orjson.dumps(index_template(self._stream))
        name = quote(f"logging-system-{self._stream}", safe="")
        answer = self._request("PUT", f"/_index_template/{name}", body, JSON)
        if isinstance(answer, NoAnswer):
            return answer.reason
        if answer.status in _LACKING:
            # A smaller server, or somebody else's template for the name: logs matter more than mappings.
            _log.warning("%s goes without our index template: %s", self._stream, answer.body[:300])
            return None
        if not 200 <= answer.status < 300:
            return f"HTTP {answer.status}: {answer.body[:300].decode('utf-8', 'replace')}"
        return None

    def send(self, items: Sequence[Item]) -> Answer | NoAnswer:
        """Create the documents, each under its own id; see `Sink.send`."""
        target = f"/{quote(self._stream, safe='')}/_bulk?filter_path={BULK_FILTER}"
        return self._request("POST", target, encode_bulk(items), "application/x-ndjson")

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> Answer | NoAnswer:
        """Ask every backing index that may hold the documents; see `Sink.look_up`."""
        answer = self._request("GET", f"/_resolve/index/{quote(self._stream, safe='')}", b"", JSON)
        if isinstance(answer, NoAnswer) or (answer.status >= 400 and answer.status not in _LACKING):
            return answer
        # Without `_resolve`, and before the stream exists, its name is as good as its one index's.
        asked = backing_indices(answer.body, indices) or list(indices) or [self._stream]
        docs = [{"_index": index, "_id": document_id} for index in asked for document_id in ids]
        answer = self._request("POST", f"/_mget?{LOOK_UP_FILTER}", orjson.dumps({"docs": docs}), JSON)
        return answer if isinstance(answer, NoAnswer) else replace(answer, asked=tuple(asked))

    def close(self) -> None:
        """Close the connections of every node."""
        for node in self._nodes:
            node.close()

    def _request(self, method: str, target: str, body: bytes, content_type: str) -> Answer | NoAnswer:
        place = self._current
        headers = elastic_transport.HttpHeaders({"content-type": content_type, "accept": "application/json"})
        try:
            response = self._nodes[place].perform_request(method, target, body=body, headers=headers)
        except Exception as error:
            # Whatever broke, the request may have arrived: unknown, and the machine sends it again.
            self._leave(place)
            return NoAnswer(f"{type(error).__name__}: {error}"[:300])
        if response.meta.status >= 500:
            self._leave(place)
        answer_headers = {name.lower(): value for name, value in response.meta.headers.items()}
        return Answer(response.meta.status, answer_headers, response.body)

    def _leave(self, place: int) -> None:
        with self._lock:
            if self._current == place:
                self._current = (place + 1) % len(self._nodes)


def backing_indices(resolved: bytes, known: Sequence[str]) -> list[str]:
    """Return the backing indices to ask, from the answer of `_resolve/index/<data stream>`.

    Args:
        resolved: The answer's body; whatever else it is, there are none in it.
        known: Those that may hold the documents, the oldest first; none where nothing is known.
    """
    try:
        streams = orjson.loads(resolved)["data_streams"]
        held = [stream["backing_indices"] for stream in streams]
        # A single index is told as itself, not as a list of one.
        listed = [[names] if isinstance(names, str) else names for names in held]
        names = [name for names in listed for name in names if isinstance(name, str)]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
    if known and known[0] in names:
        names = names[names.index(known[0]) :]
    names = names[-INDICES_MAX:]
    return names + [name for name in known if name not in names]


def encode_bulk(items: Sequence[Item]) -> bytes:
    """Return the NDJSON of a bulk request: per document a create action and the document itself."""
    parts: list[bytes] = []
    for item in items:
        parts.append(b'{"create":{"_id":"' + item.id.encode() + b'"}}\n')
        parts.append(item.document)
        parts.append(b"\n")
    return b"".join(parts)
