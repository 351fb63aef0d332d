"""What a request's body amounts to: documents ready for the spool, and records that could not become one."""

from __future__ import annotations

from dataclasses import dataclass, field

from logging_system.record import Document, Scrubber, encode_document

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
        if len(encoded) > self.record_bytes_max:
            self._reject(f"{where}: {len(encoded)} bytes, the limit is {self.record_bytes_max}")
            return
        self.documents.append(encoded)

    def _reject(self, why: str) -> None:
        self.rejected += 1
        self.why_rejected = self.why_rejected or why
