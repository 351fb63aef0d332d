"""Sends bulk requests to the nodes of an Elasticsearch cluster and sets up the data stream's templates.

Each answer is read strictly (`bulk_answer.py`, `look_up_answer.py`) and told as an outcome; nothing is
retried here, which is the delivery machine's work. The client's own nodes (elastic-transport) are not used to
carry: their timeout starts again with every read, they take a byte string of every body for a debug log line,
and beside a file of authorities they trust the public ones too.
"""

from __future__ import annotations

import random
import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import orjson
import urllib3

from logging_system.connections.causes import let_go_of_frames
from logging_system.connections.tls import Trust, of_verification
from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import LookUpOutcome, SendOutcome
from logging_system.delivery.runs import runs_of
from logging_system.delivery.write_indices import INDICES_MAX
from logging_system.monitoring.event_words import log_in_words
from logging_system.monitoring.events import Event, StoreRemark
from logging_system.monitoring.tracing import NO_TRACING, Step, Tracing, current_headers
from logging_system.sinks.elasticsearch.bulk_answer import read_bulk_answer
from logging_system.sinks.elasticsearch.bulk_body import BulkBody
from logging_system.sinks.elasticsearch.credentials import Credentials
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer
from logging_system.sinks.elasticsearch.index_setup import NotReady, set_up
from logging_system.sinks.elasticsearch.look_up_answer import read_look_up_answer
from logging_system.sinks.elasticsearch.node import Node, Place
from logging_system.sinks.elasticsearch.node_choice import NodeChoice

JSON = "application/json"
LOOK_UP_FILTER = "_source=false&filter_path=docs._index,docs._id,docs.found,docs.error.type"
BULK_FILTER = "errors,took,items.*._index,items.*._id,items.*.status,items.*.error,items.*.failure_store"
"""Keeps every item, and so its position and whose it is, while most of the answer is left out."""

GZIP_BYTES_MIN = 1_024
"""Below, a body fits one packet either way."""

_GZIP_LEVEL = 1
_GZIP_WBITS = 31
_DOCUMENT = attrgetter("document")
_TOOK = re.compile(rb'[{,]"took":(\d{1,15})[,}]')
_TOOK_BYTES = 256
"""Before the items, where a document's words cannot be."""
_LACKING = frozenset({400, 404, 405, 501})
_CAUSES_MAX = 5
_TROUBLE_CHARACTERS_MAX = 300


class ElasticsearchSink:
    """A data stream in an Elasticsearch cluster.

    Args:
        urls: One or more nodes, which take turns; a failed node is skipped temporarily. Credentials may be
            part of the URLs, the same in all.
        stream: Name of the data stream.
        request_timeout_seconds: How long one request may take in all, the answer's last byte included.
        connections: Requests under way at once.
        ca_certs: PEM file of the authorities that may sign the nodes' certificates; the system's by default.
            Read again when it changes.
        verify: False believes any server; for trying things out.
        client_certificate: PEM file of our certificate, for a store that asks for one; read again when it
            changes.
        client_key: PEM file of its key, where the certificate's file does not hold it.
        username: For basic authentication.
        password: Its password.
        password_file: A file that holds the password; read again when the store refuses it.
        api_key: An API key in its encoded form, instead of a user.
        api_key_file: A file that holds the API key; read again when the store refuses it.
        gzip: Send bodies packed: a fifth of the bytes for 3 to 9 ms of CPU per MB. For stores behind a slow
            or metered line; on the same machine or a fast network it only costs.
        retention: How long the store keeps the data stream, such as `30d`; empty sets no limit.
        emit: Told what an operator should know; logged by default.
        tracing: Makes spans of bulk requests; each request carries the context of the step it is made in.
        rng: Spreads turns and pauses of the nodes.
        monotonic: The clock, in seconds.

    Raises:
        ValueError: A URL, the credentials or the authorities cannot be used; the message has no secret.
    """

    def __init__(
        self,
        urls: Sequence[str],
        stream: str,
        *,
        request_timeout_seconds: float = 10.0,
        connections: int = 4,
        ca_certs: Path | None = None,
        verify: bool = True,
        client_certificate: Path | None = None,
        client_key: Path | None = None,
        username: str | None = None,
        password: str | None = None,
        password_file: Path | None = None,
        api_key: str | None = None,
        api_key_file: Path | None = None,
        gzip: bool = False,
        retention: str = "",
        emit: Callable[[Event], None] = log_in_words,
        tracing: Tracing = NO_TRACING,
        rng: random.Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        places = [Place.parse(url) for url in urls]
        self._stream = stream
        self._retention = retention
        self._emit = emit
        self._tracing = tracing
        self._said: dict[str, str] = {}
        self._timeout_seconds = request_timeout_seconds
        self._credentials = Credentials(
            username=username,
            password=password,
            password_file=password_file,
            api_key=api_key,
            api_key_file=api_key_file,
            authorization=_shared_login(places),
        )
        tls = any(place.scheme == "https" for place in places)
        self._ca_certs = ca_certs
        identity = {"client_certificate": client_certificate, "client_key": client_key}
        self._trust = Trust(ca_certs, verify, **identity) if tls else None
        if tls and not verify:
            unverified = "certificate verification is off: anyone on the network path can read the logs"
            self._say("verification", unverified)
        context = self._trust.context() if self._trust else None
        # One more than requests: the set-up may still be asking while they start.
        self._nodes = [Node(place, connections + 1, context) for place in places]
        self._choice = NodeChoice(len(places), rng or random.Random())  # noqa: S311 - turns, no secret
        self._gzip = gzip
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def prepare(self) -> str | None:
        """Put the templates (idempotent); see `Sink.prepare`.

        Returns:
            None when they are there, else why not.
        """
        outcome = set_up(self.request, self._stream, self._retention)
        if isinstance(outcome, NotReady):
            return outcome.reason
        self._say("set_up", "; ".join(outcome.remarks))
        return None

    def send(self, items: Sequence[Item]) -> SendOutcome:
        """Create the documents, each under its own id; see `Sink.send`.

        Args:
            items: All of one bulk request.

        Returns:
            What the answer says of each; `Unknown` where there was none, or none to be understood.
        """
        runs = runs_of(items)
        target = f"/{quote(self._stream, safe='')}/_bulk?filter_path={BULK_FILTER}"
        with self._tracing.bulk(map(_DOCUMENT, items), self._stream) as step:
            body = BulkBody(items, runs)
            answer = self.request("POST", target, body, "application/x-ndjson")
            if step.is_traced:
                _tell(step, answer)
        return read_bulk_answer(answer, items, runs)

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
        """Ask every backing index that may hold the documents; see `Sink.look_up`.

        Args:
            ids: The documents' ids.
            indices: Backing indices that may hold them, the oldest first.

        Returns:
            The ids found; why not, where an index of them gave no answer that counts.
        """
        answer = self.request("GET", f"/_resolve/index/{quote(self._stream, safe='')}", b"", JSON)
        if isinstance(answer, NoAnswer) or (answer.status >= 400 and answer.status not in _LACKING):
            return read_look_up_answer(answer, ids, indices)
        # Without `_resolve`, and before the stream exists, its name is as good as its one index's.
        asked = backing_indices(answer.body, indices) or list(indices) or [self._stream]
        docs = [{"_index": index, "_id": document_id} for index in asked for document_id in ids]
        answer = self.request("POST", f"/_mget?{LOOK_UP_FILTER}", orjson.dumps({"docs": docs}), JSON)
        return read_look_up_answer(answer, ids, {*indices, *asked})

    def close(self) -> None:
        """Close the connections of every node."""
        for node in self._nodes:
            node.close()

    def request(
        self,
        method: str,
        target: str,
        body: bytes | BulkBody,
        content_type: str,
    ) -> HttpAnswer | NoAnswer:
        """Return one node's answer to a request, or why there is none; nothing is tried twice.

        Args:
            method: HTTP method.
            target: Path and query.
            body: The body; empty for none.
            content_type: What it is.
        """
        place, node = self._choose()
        authorization = self._credentials.header
        headers = {
            "content-type": content_type,
            "accept": "application/json",
            "user-agent": "logging_system",
            **current_headers(),
        }
        if authorization:
            headers["authorization"] = authorization
        if self._gzip and len(body) >= GZIP_BYTES_MIN:
            body = _packed((body,) if isinstance(body, bytes) else body)
            headers["content-encoding"] = "gzip"
        try:
            answer = node.request(method, target, body, headers, self._timeout_seconds)
        except Exception as error:
            # Whatever broke, the machine sends it again.
            self._note(place, answered=False)
            no_answer = NoAnswer(self._explain(node, error), may_have_arrived=not _never_left(error))
            let_go_of_frames(error)
            return no_answer
        self._note(place, answered=answer.status < 500)
        if answer.status == 401:
            self._say("credentials", self._credentials.refused(authorization))
        shown = self._credentials.conceal(answer.body, only_tokens=answer.status < 300)
        return HttpAnswer(answer.status, answer.headers, shown)

    def _choose(self) -> tuple[int, Node]:
        with self._lock:
            place = self._choice.choose(self._monotonic())
            node = self._nodes[place]
            if self._trust is not None and node.place.scheme == "https":
                node.renew(self._trust.context())
        if self._trust is not None:
            self._say("authorities", self._trust.trouble)
        return place, node

    def _note(self, place: int, *, answered: bool) -> None:
        with self._lock:
            if answered:
                self._choice.succeeded(place)
            else:
                self._choice.failed(place, self._monotonic())

    def _explain(self, node: Node, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        cause = _cause(error)
        if isinstance(cause, TimeoutError):
            text = f"no complete answer within {self._timeout_seconds:g} s"
        elif isinstance(cause, ssl.SSLCertVerificationError):
            text = of_verification(cause)
            if self._trust is not None:
                self._trust.context(look_closely=True)
            if self._ca_certs is not None:
                text += f" (ca_certs: {self._ca_certs})"
        elif isinstance(cause, ssl.SSLError):
            text = _of_tls(cause) or text
        shown = self._credentials.conceal(f"{node.place}: {text}".encode("utf-8", "replace"))
        return shown.decode("utf-8", "replace")[:_TROUBLE_CHARACTERS_MAX]

    def _say(self, topic: Literal["set_up", "credentials", "authorities", "verification"], text: str) -> None:
        """Tell `text` once until the topic has another to say."""
        if self._said.get(topic, "") == text:
            return
        self._said[topic] = text
        if text:
            self._emit(StoreRemark(stream=self._stream, topic=topic, remark=text))


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


def _packed(pieces: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WBITS)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def _shared_login(places: Sequence[Place]) -> str | None:
    if not places:
        raise ValueError("no node is named; give at least one URL like https://localhost:9200")
    logins = {place.authorization for place in places if place.authorization}
    if len(logins) > 1:
        raise ValueError("the node URLs have different credentials; give the same in all of them")
    return next(iter(logins), None)


def _of_tls(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if reason == "WRONG_VERSION_NUMBER":
        return "the server does not speak TLS; should the URL begin with http://?"
    # What the other side says of us: https://www.rfc-editor.org/rfc/rfc8446#section-6.2
    if "_ALERT_" in reason:
        return f"the server rejected our client_certificate, or requires one: {reason}"
    # From TLS 1.3 on it may hang up before its alert is read.
    return (
        "the server closed the connection; does it require another client_certificate?"
        if isinstance(error, ssl.SSLEOFError)
        else ""
    )


def _never_left(error: Exception) -> bool:
    """Tell what broke before a connection was there; a certificate is judged before anything is sent."""
    connecting = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return isinstance(error, connecting) or isinstance(_cause(error), ssl.SSLCertVerificationError)


def _cause(error: BaseException) -> ssl.SSLError | TimeoutError | None:
    """Return the failure of TLS or time within what urllib3 made of it."""
    for _ in range(_CAUSES_MAX):
        if isinstance(error, (ssl.SSLError, TimeoutError)):
            return error
        inner = next((each for each in error.args if isinstance(each, BaseException)), None)
        following = inner or error.__cause__ or error.__context__
        if following is None:
            return None
        error = following
    return None


def _tell(step: Step, answer: HttpAnswer | NoAnswer) -> None:
    if isinstance(answer, NoAnswer):
        step.failed("no answer")
        return
    took = _TOOK.search(answer.body[:_TOOK_BYTES].partition(b'"items"')[0]) if answer.is_success else None
    step.answered(answer.status, None if took is None else int(took[1]))
