"""What a request's body amounts to: documents ready for the spool, and records that could not become one."""

from __future__ import annotations

from dataclasses import dataclass, field

from logging_system.records.record import Document, Scrubber, encode_document, identity

ECS_VERSION = "8.17"


@dataclass(slots=True)
class Batch:
    """Documents of one request, in the order they came.

    Attributes:
        scrub: Takes secrets out of each document.
        record_bytes_max: How large one may be.
        documents: Their JSON.
        rejected: Records that can never be taken, however often they are sent.
        why_rejected: What is wrong with the first of them.
    """

    scrub: Scrubber
    record_bytes_max: int
    documents: list[bytes] = field(default_factory=list)
    rejected: int = 0
    why_rejected: str = ""

    def add(self, document: Document, where: str) -> None:
        """Take a document on, or count why not.

        Args:
            document: Its fields.
            where: Its place in the request, for whoever reads the answer.
        """
        try:
            encoded = encode_document(self.scrub(document))
        except Exception as error:
            # A scrubber that fails must not let the text through, and must not stop the others.
            self._reject(f"{where}: cannot be encoded ({type(error).__name__})")
            return
        self._take(encoded, where)

    def add_line(self, line: bytes, missing: bytes, document: Document, where: str) -> None:
        """Take on a line that is a JSON object already, byte for byte where nothing is scrubbed.

        Reading and writing it again would round integers beyond 64 bits and decimals beyond a double.

        Args:
            line: The object.
            missing: What it lacks, as JSON members with a comma after each.
            document: The same, read, for the scrubber.
            where: Its place in the request.
        """
        if self.scrub is not identity:
            self.add(document, where)
            return
        inner = line.strip()[1:]
        self._take(b"{" + missing + inner if inner.strip() != b"}" else b"{" + missing[:-1] + b"}", where)

    def _take(self, encoded: bytes, where: str) -> None:
        if len(encoded) > self.record_bytes_max:
            self._reject(f"{where}: {len(encoded)} bytes, the limit is {self.record_bytes_max}")
            return
        self.documents.append(encoded)

    def _reject(self, why: str) -> None:
        self.rejected += 1
        self.why_rejected = self.why_rejected or why
