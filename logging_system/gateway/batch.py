"""What a request's body amounts to: documents ready for the spool, and records that could not become one."""

from __future__ import annotations

from dataclasses import dataclass, field

from logging_system.records.document import Document, Record, encode_document
from logging_system.records.processors import Chain
from logging_system.records.route_namespace import in_namespace, without_namespace

ECS_VERSION = "8.17"


@dataclass(slots=True)
class Batch:
    """Documents of one request, in the order they came.

    Attributes:
        chain: What is done to each record before it is kept.
        record_bytes_max: How large one may be.
        namespace: Whose all of them are, whatever they say; empty where they may ask for one.
        documents: Their JSON.
        rejected: Records that can never be taken, however often they are sent; those that a processor
            dropped, or failed on, included.
        why_rejected: What is wrong with the first of them.
        dropped: Those of them that did not pass the chain, by the reason that is counted.
    """

    chain: Chain
    record_bytes_max: int
    namespace: str = ""
    documents: list[bytes] = field(default_factory=list)
    rejected: int = 0
    why_rejected: str = ""
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, document: Document, where: str) -> None:
        """Take a document on, or count why not.

        Args:
            document: Its fields.
            where: Its place in the request, for whoever reads the answer.
        """
        if self.chain.is_empty and not self.namespace:
            self._encode(document, where)
        else:
            self._process(Record.of_document(document), where)

    def add_line(self, line: bytes, missing: bytes, document: Document, where: str) -> None:
        """Take on a line that is a JSON object already; all that no processor changes stays byte for byte.

        Reading and writing it again would round integers beyond 64 bits and decimals beyond a double.

        Args:
            line: The object.
            missing: What it lacks, as JSON members with a comma after each.
            document: The same, read, with what it lacks.
            where: Its place in the request.
        """
        inner = line.strip()[1:]
        whole = b"{" + missing + inner if inner.strip() != b"}" else b"{" + missing[:-1] + b"}"
        if self.chain.is_empty and not self.namespace:
            self._take(whole, where)
        else:
            self._process(Record.of_line(whole, document), where)

    def _process(self, record: Record, where: str) -> None:
        if self.namespace:
            record = in_namespace(without_namespace(record), self.namespace)
        outcome = self.chain.run(record)
        if isinstance(outcome, Record):
            self._encode(outcome, where)
            return
        self.dropped[outcome.reason] = self.dropped.get(outcome.reason, 0) + 1
        self.reject(f"{where}: {outcome.why}")

    def _encode(self, content: Document | Record, where: str) -> None:
        try:
            encoded = content.encoded if isinstance(content, Record) else encode_document(content)
        except Exception as error:
            # What cannot be encoded must not stop the others.
            self.reject(f"{where}: cannot be encoded ({type(error).__name__})")
            return
        self._take(encoded, where)

    def _take(self, encoded: bytes, where: str) -> None:
        if len(encoded) > self.record_bytes_max:
            self.reject(f"{where}: {len(encoded)} bytes, the limit is {self.record_bytes_max}")
            return
        self.documents.append(encoded)

    def reject(self, why: str) -> None:
        """Count a record that can never be taken.

        Args:
            why: Its place in the request and what is wrong with it.
        """
        self.rejected += 1
        self.why_rejected = self.why_rejected or why
