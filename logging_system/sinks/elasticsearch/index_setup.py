"""Sets up the index templates of a data stream, by what the server can do and not by its version.

A smaller server accepts templates for what it then never does (the minimal distribution takes a lifecycle and
rolls nothing over), so each ability is asked for where it would act. What is lacking, or was made by somebody
else, is reported and left: logs matter more than mappings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer, error_reason, parsed
from logging_system.sinks.elasticsearch.index_template import (
    OWNER,
    PRIORITY,
    VERSION,
    Abilities,
    component_templates,
    index_template,
)

Ask = Callable[[str, str, bytes, str], HttpAnswer | NoAnswer]
"""Method, target, body, content type."""

_JSON = "application/json"
_REASON_CHARACTERS_MAX = 300
_PROBE = "logging-system-probe"


@dataclass(frozen=True, slots=True)
class Ready:
    """The store takes documents.

    Attributes:
        remarks: What it lacks or what was left alone, each with its consequence.
    """

    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotReady:
    """The store does not take documents yet; asking again may help."""

    reason: str


class _NotReadyError(Exception):
    pass


def set_up(ask: Ask, stream: str, retention: str = "") -> Ready | NotReady:
    """Probe the server and put the templates that are missing or older than ours; idempotent.

    Args:
        ask: Carries a request.
        stream: The data stream.
        retention: How long the server keeps it, such as `30d`; empty leaves that as it is.

    Returns:
        That it is ready, with remarks for whoever operates it; or what stands in the way.
    """
    try:
        return Ready(tuple(_Setup(ask, stream, retention).run()))
    except _NotReadyError as error:
        return NotReady(str(error))


@dataclass(slots=True)
class _Setup:
    ask: Ask
    stream: str
    retention: str = ""

    def run(self) -> list[str]:
        abilities = Abilities(
            logsdb=self._simulates(
                {"settings": {"index": {"mode": "logsdb", "mapping": {"source": {"mode": "stored"}}}}}
            ),
            match_only_text=self._simulates(
                {"mappings": {"properties": {"message": {"type": "match_only_text"}}}}
            ),
            lifecycle=self._has_lifecycle(),
        )
        remarks = _lacking(abilities, self.stream)
        for name, body in component_templates(abilities).items():
            remarks += self._put("component", name, body)
        template = index_template(self.stream, abilities, self.retention)
        remarks += self._put("index", f"logging-system-{self.stream}", template)
        return remarks + self._limit(abilities) + self._check_applied()

    def _limit(self, abilities: Abilities) -> list[str]:
        """Set how long the stream is kept where it exists; a new one has it from the template."""
        if not self.retention:
            return []
        if not abilities.lifecycle:
            return [f"nothing deletes what is older than {self.retention} in {self.stream}"]
        target = f"/_data_stream/{quote(self.stream, safe='')}/_lifecycle"
        status, content = self._call("PUT", target, {"data_retention": self.retention})
        if 200 <= status < 300 or status == 404:
            return []
        why = error_reason(content.get("error"))
        return [
            f"the server did not accept that {self.stream} is kept {self.retention}: HTTP {status}: {why}"
        ]

    def _simulates(self, template: Mapping[str, object]) -> bool:
        body = {
            "index_patterns": [_PROBE],
            "priority": PRIORITY,
            "data_stream": {},
            "template": template,
        }
        status, content = self._call("POST", "/_index_template/_simulate", body)
        return 200 <= status < 300 and "template" in content

    def _has_lifecycle(self) -> bool:
        # Asked of a stream that may not exist: 404 is the answer of a server that has the interface.
        status, content = self._call("GET", f"/_data_stream/{quote(self.stream, safe='')}/_lifecycle")
        return 200 <= status < 300 or (status == 404 and isinstance(content.get("error"), dict))

    def _put(self, kind: str, name: str, body: dict[str, object]) -> list[str]:
        target = f"/_{kind}_template/{quote(name, safe='')}"
        found = self._found(kind, target)
        if found is not None and found.get("managed_by") != OWNER:
            return [
                f"{kind} template {name} was not created by logging_system and is left unchanged; "
                "rename it to have ours installed"
            ]
        if found is not None and not _is_older(found, body):
            return []
        status, content = self._call("PUT", target if found is not None else f"{target}?create=true", body)
        if 200 <= status < 300 or (found is None and self._found(kind, target) == body["_meta"]):
            return []  # put by us, or by another shipper in the meantime
        why = error_reason(content.get("error"))
        return [f"the server did not accept our {kind} template {name}: HTTP {status}: {why}"]

    def _found(self, kind: str, target: str) -> dict[str, object] | None:
        status, content = self._call("GET", target)
        return _meta_of(content, kind) if 200 <= status < 300 else None

    def _check_applied(self) -> list[str]:
        target = f"/_index_template/_simulate_index/{quote(self.stream, safe='')}"
        status, content = self._call("POST", target)
        if not 200 <= status < 300 or "template" not in content:
            return []  # a server without the interface, or without a template: said above
        template = content["template"]
        mappings = template.get("mappings") if isinstance(template, dict) else None
        applied = mappings.get("_meta") if isinstance(mappings, dict) else None
        if isinstance(applied, dict) and applied.get("managed_by") == OWNER:
            return []
        return [
            f"another index template matches {self.stream} with a higher priority: new indices get its "
            "mapping"
        ]

    def _call(self, method: str, target: str, body: object = None) -> tuple[int, dict[str, object]]:
        data = b"" if body is None else orjson.dumps(body)
        answer = self.ask(method, target, data, _JSON)
        if isinstance(answer, NoAnswer):
            raise _NotReadyError(answer.reason)
        content = parsed(answer.body)
        if answer.status in (401, 408, 429) or answer.status >= 500 or _is_blocked(answer.status, content):
            why = error_reason(content.get("error")) or _excerpt(answer.body)
            raise _NotReadyError(f"HTTP {answer.status}: {why}")
        return answer.status, content


def _lacking(abilities: Abilities, stream: str) -> list[str]:
    remarks = []
    if not abilities.lifecycle:
        remarks.append(
            "the server has no data stream lifecycle: nothing rolls the stream over or deletes old data; "
            f"schedule POST /{stream}/_rollover"
        )
    if not abilities.logsdb:
        remarks.append("the server has no index mode logsdb: indices take more space")
    if not abilities.match_only_text:
        remarks.append("the server has no field type match_only_text: message is mapped as text")
    return remarks


def _is_older(found: Mapping[str, object], body: Mapping[str, object]) -> bool:
    version = found.get("version", 0)
    if not isinstance(version, int) or version > VERSION:
        return False
    return found != body["_meta"]


def _meta_of(content: Mapping[str, object], kind: str) -> dict[str, object]:
    listed = content.get(f"{kind}_templates")
    first = listed[0] if isinstance(listed, list) and listed else None
    shown = first.get(f"{kind}_template") if isinstance(first, dict) else None
    found = shown.get("_meta") if isinstance(shown, dict) else None
    return found if isinstance(found, dict) else {}


def _is_blocked(status: int, content: Mapping[str, object]) -> bool:
    """Tell an operator's block from a missing privilege: 403 as well, and still missing next time."""
    error = content.get("error")
    return status == 403 and isinstance(error, dict) and error.get("type") == "cluster_block_exception"


def _excerpt(body: bytes) -> str:
    return body[:_REASON_CHARACTERS_MAX].decode("utf-8", "replace")
