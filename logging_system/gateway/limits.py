"""How much a client may ask of a gateway."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PORT = 4318
"""OTLP/HTTP's: https://opentelemetry.io/docs/specs/otlp/#otlphttp-default-port"""
DEFAULT_SPOOL_BYTES_MAX = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what comes in; what exceeds one is refused before it is kept.

    Attributes:
        body_bytes_max: Bytes of a request's body, as sent and also once unpacked.
        record_bytes_max: Bytes of one line, and of one document made from a log record.
        body_seconds_max: How long a body may take to arrive.
        pending_bytes_max: Document bytes of all requests that wait for the disk; beyond it the answer is 429.
        durable_seconds_max: How long a request may wait for the disk before its answer is 503.
        connections_max: Connections served at once; further ones get 503.
        retry_after_seconds: What `Retry-After` asks for.
    """

    body_bytes_max: int = 16 * 1024 * 1024
    record_bytes_max: int = 1024 * 1024
    body_seconds_max: float = 30.0
    pending_bytes_max: int = 32 * 1024 * 1024
    durable_seconds_max: float = 10.0
    connections_max: int = 1_000
    retry_after_seconds: int = 1
