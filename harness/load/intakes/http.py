"""Records enter over HTTP: a POST for one record or several; 2xx acknowledges, anything else is a refusal."""

from __future__ import annotations

import http.client
import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

import orjson

from harness.load.syslog_message import context_of
from harness.model.declarations import Arguments, Scalar
from harness.model.errors import ScenarioError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import EXTRA, MESSAGE, URL, Record

HEADER = "header."
_ANSWER_BYTES_MAX = 1 << 20
_REASON_CHARACTERS = 200
_RECORDS_MAX = 1_000
_LINE, _SEQUENCE, _LOGGER = "$line", "$sequence", "$logger"
_TIME, _TIME_UNIX_NS = "$time", "$time_unix_ns"
_LEVEL, _SEVERITY_NUMBER = "$level", "$severity_number"
_TRACE_ID, _SPAN_ID = "$trace_id", "$span_id"
_RECORDS = "$records"
TENANT, _OTHER_TENANT = "$tenant", "$other_tenant"
FIELD_PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "time": (_TIME, _TIME_UNIX_NS),
    "level": (_LEVEL, _SEVERITY_NUMBER),
    "logger": (_LOGGER,),
    "sequence": (_SEQUENCE,),
    "trace": (_TRACE_ID,),
    "span": (_SPAN_ID,),
}
"""What a template must hold for each field that a stack file names, lest nothing is sent to compare with."""
DEFAULT_FIELDS = ("time", "level")
"""What is sent without a template."""
# As OpenTelemetry numbers them: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
_SEVERITY_NUMBERS = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}


class RefusedError(StackError):
    """The stack did not take a record: another status than 2xx, no answer, or one that was cut."""


class Http:
    """Sends each record once, on one kept connection for each producer thread; it never sends again.

    The latency of a call is that of its request: from before the connection (if one has to be made) to the
    last byte of the answer. A redirect is not followed, an answer cut in the middle acknowledges nothing.

    Args:
        url: where records are posted, `http` or `https`.
        field: the name of the line in the document that is sent as one line of NDJSON:
            `{"@timestamp": "$time", "log": {"level": "$level"}, "<field>": "$line"}`. A canary comes in the
            line, or in one more field of this document, `context`.
        content_type: the type the body is announced with.
        timeout_seconds: the longest silence while connecting, sending or reading; then the record is refused.
        template: a JSON document to send instead, in which texts stand for the parts of a record: `$line`;
            `$sequence`, its number; `$time` of sending (ISO 8601, UTC) or `$time_unix_ns` (text, ns since
            1970); `$level` (`DEBUG` to `CRITICAL`) or `$severity_number` (5 to 21, as OpenTelemetry counts);
            `$logger`. Level and logger vary where the stack file names a field for them. `$trace_id` and
            `$span_id`, in hexadecimal, are those of a span where it names fields for these, and else empty.
        records_per_request: how many records one request may bring; those due already go together, none waits
            for others. All of them are acknowledged or refused by the one answer. Each is a line, unless the
            template says `$records`.
        record: a JSON document with `$line` for each record; the list of them takes the place of the text
            `$records` in the template.
        headers: more headers, each as `header.<Name>`. Where the stack file declares `namespaces`, `$tenant`
            in one stands for whose records the request brings; in a template the text `$tenant` does, and
            `$other_tenant` for one whose the record is not.

    Raises:
        ScenarioError: the URL, a template or the number of records cannot be used.
    """

    argument_prefixes: ClassVar[tuple[str, ...]] = (HEADER,)

    def __init__(
        self,
        url: str,
        field: str = "message",
        content_type: str = "application/x-ndjson",
        timeout_seconds: float = 10.0,
        template: str = "",
        records_per_request: int = 1,
        record: str = "",
        **headers: Scalar,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ScenarioError(
                f'intake.url "{url}" is no HTTP address; write e.g. http://127.0.0.1:8080/logs'
            )
        self._url = url
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        self._timeout_seconds = timeout_seconds
        if not 1 <= records_per_request <= _RECORDS_MAX:
            raise ScenarioError(
                f"intake.records_per_request: {records_per_request} is not within 1 and {_RECORDS_MAX}"
            )
        self.records_per_request = records_per_request
        self._around = _template("template", template, _RECORDS) if record else None
        self._is_ours = not (record or template)
        self._document: object = {"@timestamp": _TIME, "log": {"level": _LEVEL}, field: _LINE}
        if record or template:
            self._document = _template("record" if record else "template", record or template, _LINE)
        self._headers = {"Content-Type": content_type, "Connection": "keep-alive"} | {
            name.removeprefix(HEADER): str(value) for name, value in headers.items()
        }
        self._mine = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def open(self, acknowledge: Callable[[Iterable[int]], None]) -> None:
        """Do nothing: each producer connects when it first sends, and a 2xx acknowledges by itself."""

    def send(self, record: Record) -> None:
        """Post one record and wait for the whole answer; raises as `send_together` does."""
        self.send_together([record])

    def send_together(self, records: Sequence[Record]) -> None:
        """Post records in one request and wait for the whole answer.

        Raises:
            RefusedError: the answer is not 2xx, does not come, or does not come whole.
        """
        connection = self._connection()
        try:
            connection.request("POST", self._path, self._body(records), self._headers_of(records))
            response = connection.getresponse()
            said = response.read(_ANSWER_BYTES_MAX)
            # The end of a body is seen only by asking for more; what is left of a promised length was cut.
            whole = not response.read(1) and not response.length
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise RefusedError(f"{self._url}: no complete answer: {type(error).__name__}: {error}") from error
        if not whole:
            connection.close()
            raise RefusedError(
                f"{self._url}: the answer was cut off, or is longer than {_ANSWER_BYTES_MAX:,} bytes"
            )
        if not 200 <= response.status < 300:
            text = said[:_REASON_CHARACTERS].decode(errors="replace")
            raise RefusedError(f"{self._url}: answered {response.status} {response.reason}: {text}")

    @staticmethod
    def secret_paths(arguments: Arguments) -> Sequence[str]:
        """Return the line's paths, and a field of its own where the document is ours."""
        is_ours = not ({"template", "record"} & set(arguments))
        return (MESSAGE, EXTRA, URL) if is_ours else (MESSAGE, URL)

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    def _body(self, records: Sequence[Record]) -> bytes:
        documents = [self._filled(record) for record in records]
        if self._around is not None:
            documents = [_filled(self._around, {_RECORDS: documents})]
        return b"".join(orjson.dumps(document) + b"\n" for document in documents)

    def _headers_of(self, records: Sequence[Record]) -> Mapping[str, str]:
        tenant = records[0].tenant
        if not tenant:
            return self._headers
        return {name: value.replace(TENANT, tenant) for name, value in self._headers.items()}

    def _filled(self, record: Record) -> object:
        filled = _filled(self._document, _values(record))
        if self._is_ours and isinstance(filled, dict) and (context := context_of(record)):
            filled["context"] = context
        return filled

    def _connection(self) -> http.client.HTTPConnection:
        """Return this thread's connection, a fresh one where the stack has closed it meanwhile.

        Nothing has been sent by then, so this is no second try.
        """
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = self._mine.connection = kind(self._host, self._port, timeout=self._timeout_seconds)
            self._connections.append(connection)
        elif connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
            # Between two requests only the end of a connection makes it readable.
            connection.close()
        return connection


def _values(record: Record) -> Mapping[str, object]:
    now_ns = time.time_ns()
    return {
        _LINE: record.line,
        _SEQUENCE: record.sequence,
        _TIME: datetime.fromtimestamp(now_ns / SECOND_NS, UTC).isoformat(timespec="microseconds"),
        _TIME_UNIX_NS: str(now_ns),
        _LEVEL: record.level,
        _SEVERITY_NUMBER: _SEVERITY_NUMBERS[record.level],
        _LOGGER: record.logger,
        _TRACE_ID: "" if record.span is None else record.span.trace_id,
        _SPAN_ID: "" if record.span is None else record.span.span_id,
        TENANT: record.tenant,
        _OTHER_TENANT: record.other_tenant,
    }


def _template(argument: str, text: str, needed: str) -> object:
    try:
        document: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ScenarioError(
            f"intake.{argument} is not JSON: {error}. In a stack file write {{{{ for {{."
        ) from error
    if needed not in _texts(document):
        raise ScenarioError(f'intake.{argument} holds no text "{needed}", so no line would be sent; add it')
    return document


def _texts(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value]


def _filled(value: object, values: Mapping[str, object]) -> object:
    if isinstance(value, Mapping):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return values.get(value, value) if isinstance(value, str) else value
