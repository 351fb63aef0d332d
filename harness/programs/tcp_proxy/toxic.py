"""One toxic on one proxy, as the API shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from harness.programs.tcp_proxy.errors import ApiError, bad_request
from harness.programs.tcp_proxy.names import checked_name
from harness.programs.tcp_proxy.toxics import kind_of, with_attributes
from harness.programs.tcp_proxy.toxics.stage import Kind

STREAMS = ("upstream", "downstream")


@dataclass(frozen=True, slots=True)
class Toxic:
    """A kind of fault with its attributes, on one direction of a proxy's connections.

    Attributes:
        stream: the direction as the client wrote it; Toxiproxy ignores its case and shows it unchanged.
        toxicity: the share of links, 0 to 1, that the toxic takes hold of.
    """

    name: str
    type: str
    stream: str
    toxicity: float
    kind: Kind

    @property
    def direction(self) -> str:
        """`upstream` (client to server) or `downstream` (server to client)."""
        return self.stream.lower()

    def document(self) -> dict[str, object]:
        """The toxic as the API writes it."""
        return {
            "attributes": dataclasses.asdict(self.kind),
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": self.toxicity,
        }


def new_toxic(body: Mapping[str, object], *, strict: bool) -> Toxic:
    """The toxic that a request describes; `stream` defaults to downstream, `name` to `<type>_<stream>`.

    Raises:
        ApiError: a field of the wrong type or range, an unknown type or stream (400).
    """
    type_name = text_field(body, "type")
    # Absent or null is the default; empty text is a stream that does not exist, as in Toxiproxy.
    stream = "downstream" if body.get("stream") is None else text_field(body, "stream")
    if stream.lower() not in STREAMS:
        raise ApiError(400, "stream was invalid, can be either upstream or downstream")
    return Toxic(
        name=checked_name(text_field(body, "name") or f"{type_name}_{stream}"),
        type=type_name,
        stream=stream,
        toxicity=_toxicity(body, 1.0, strict=strict),
        kind=with_attributes(kind_of(type_name), body.get("attributes"), strict=strict),
    )


def updated_toxic(toxic: Toxic, body: Mapping[str, object], *, strict: bool) -> Toxic:
    """The toxic with the attributes and toxicity that a request names; all else of a toxic is fixed.

    Raises:
        ApiError: a value of the wrong type or range (400).
    """
    return dataclasses.replace(
        toxic,
        toxicity=_toxicity(body, toxic.toxicity, strict=strict),
        kind=with_attributes(toxic.kind, body.get("attributes"), strict=strict),
    )


def text_field(body: Mapping[str, object], field: str) -> str:
    """A field that must be text when it is there; absent and null are empty, as in Go.

    Raises:
        ApiError: it is something else (400).
    """
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_request(f"{field} must be text, got {value!r}")
    return value


def _toxicity(body: Mapping[str, object], default: float, *, strict: bool) -> float:
    value = body.get("toxicity")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_request(f"toxicity must be a number, got {value!r}")
    if strict and not 0 <= value <= 1:
        raise bad_request(f"toxicity must be between 0 and 1, got {value}")
    return float(value)
