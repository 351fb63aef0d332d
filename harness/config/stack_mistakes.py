"""What no single value of a stack file shows: names, placeholders and promises that do not go together."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.config.alert_mistakes import alert_mistakes
from harness.config.finding_mistakes import finding_mistakes
from harness.config.namespace_mistakes import TENANT_PLACEHOLDER, namespace_mistakes
from harness.config.part_arguments import part_mistakes
from harness.config.validation import file_name_mistakes, shown
from harness.config.yaml_source import KeyPath, Mistake, Source, mapping_or_empty, texts_in
from harness.deployments.placeholders import RUN_FOLDER, placeholder_names, placeholder_problems
from harness.evidence.archives import ARCHIVES
from harness.evidence.counters import COUNTERS
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.transforms import MASK, WORDS
from harness.load.intakes import INTAKES
from harness.load.intakes.http import DEFAULT_FIELDS, FIELD_PLACEHOLDERS
from harness.load.syslog_message import FIELDS_OF_LINES
from harness.model.declarations import CLOCK, ELECTED_MASTER, KEY_PROVIDER, KEY_SERVER, KEYS
from harness.model.registry import unknown

RUN_PLACEHOLDERS = ("run.id", "run.name", "run.folder", "run.seed", "python", "stack.folder", "cache.folder")
ADDRESS_PLACEHOLDERS = ("url", "host", "port")
# A fault names its target, so these cannot be names of parts as well.
RESERVED_NAMES = (
    *("application", "run", "python", "stack", "cache"),
    *(CLOCK, ELECTED_MASTER, KEYS, KEY_PROVIDER, KEY_SERVER),
)
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SERVICE_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}\Z")
_DOTTED_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")


def stack_mistakes(source: Source) -> list[Mistake]:
    """Return what no single value shows: names, placeholders and promises that do not go together."""
    data = source.data
    return [
        *file_name_mistakes(source),
        *_naming_mistakes(data),
        *_link_mistakes(data),
        *_process_mistakes(data),
        *part_mistakes(INTAKES, data.get("intake"), ("intake",), {"kind"}),
        *part_mistakes(ARCHIVES, data.get("archive"), ("archive",), {"kind", "decode"}),
        *part_mistakes(
            ARCHIVES, data.get("dead_letters"), ("dead_letters",), {"kind", "reason_field", "decode"}
        ),
        *part_mistakes(COUNTERS, data.get("counters"), ("counters",), {"kind", "names", "lag_seconds"}),
        *part_mistakes(
            ARCHIVES, mapping_or_empty(data.get("namespaces")).get("reads"), ("namespaces", "reads"), {"kind"}
        ),
        *_handler_mistakes(data),
        *_acknowledgement_mistakes(data),
        *_own_archive_mistakes(data),
        *_service_mistakes(data),
        *_file_mistakes(data),
        *_key_mistakes(data),
        *_transform_mistakes(data),
        *_secret_mistakes(data),
        *_mask_mistakes(data),
        *_field_mistakes(data),
        *alert_mistakes(data),
        *finding_mistakes(data),
        *namespace_mistakes(data),
        *_trace_mistakes(data),
        *_placeholder_mistakes(data),
    ]


def _naming_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Services, links, processes and files share one set of names, which scenarios and placeholders use."""
    named: list[tuple[KeyPath, str]] = [
        *((("needs", index), name) for index, name in enumerate(_strings(data.get("needs")))),
        *((("links", name), name) for name in mapping_or_empty(data.get("links"))),
        *((("processes", name), name) for name in mapping_or_empty(data.get("processes"))),
        *((("files", name), name) for name in mapping_or_empty(data.get("files"))),
    ]
    mistakes = []
    seen: set[str] = set(RESERVED_NAMES)
    for where, name in named:
        if name in seen:
            taken = "is a word of logquake's own" if name in RESERVED_NAMES else "names another part already"
            mistakes.append(Mistake(where, f'"{name}" {taken}. Give this one a name of its own.'))
        seen.add(name)
    return mistakes


def _link_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    needs = dict.fromkeys(_strings(data.get("needs")))
    return [
        Mistake(("links", link), f'"needs" lists {unknown("service", service, needs)}')
        for link, service in mapping_or_empty(data.get("links")).items()
        if isinstance(service, str) and service not in needs
    ]


def _process_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    mistakes = _environment_mistakes(data, ())
    for name, process in mapping_or_empty(data.get("processes")).items():
        where: KeyPath = ("processes", name)
        mistakes += _environment_mistakes(mapping_or_empty(process), where)
        if {"http", "output"} <= set(mapping_or_empty(mapping_or_empty(process).get("ready"))):
            mistakes.append(Mistake((*where, "ready"), 'names both "http" and "output". Keep one of them.'))
    return mistakes


def _environment_mistakes(part: Mapping[str, object], where: KeyPath) -> list[Mistake]:
    return [
        Mistake((*where, "environment", key), "is not a name of an environment variable. Use A-Z, 0-9, _.")
        for key in mapping_or_empty(part.get("environment"))
        if not _ENVIRONMENT_NAME.match(key)
    ]


def _handler_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """A handler is imported in the application process only; here its form is all there is to judge."""
    intake = mapping_or_empty(data.get("intake"))
    return [
        Mistake(("intake", key), f"must be package.module:Class, not {shown(handler)}.")
        for key in ("handler", "beside")
        if isinstance(handler := intake.get(key), str) and not _DOTTED_PATH.match(handler)
    ]


def _acknowledgement_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    where = ("acknowledged_by",)
    acknowledged_by = data.get("acknowledged_by")
    kind = mapping_or_empty(data.get("intake")).get("kind")
    if acknowledged_by == "http_2xx" and kind == "python_logging":
        return [Mistake(where, '"http_2xx" needs an intake over HTTP. Use "callback" or "return" here.')]
    if acknowledged_by in {"callback", "return"} and kind == "http":
        return [Mistake(where, f'intake "http" knows no {shown(acknowledged_by)}. Use "http_2xx".')]
    if acknowledged_by in {"callback", "http_2xx"} and kind in {"log_file", "syslog"}:
        return [Mistake(where, f'intake {shown(kind)} knows no {shown(acknowledged_by)}. Use "return".')]
    return []


def _own_archive_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """The run reads its index or files whole, so they must be this run's and nobody else's."""
    mistakes = []
    for outlet, key, kind, enough in (
        ("archive", "index", "elasticsearch", ("run.id", "run.name")),
        ("archive", "path", "file", ("run.id", "run.folder")),
        ("dead_letters", "index", "elasticsearch", ("run.id", "run.name")),
        ("dead_letters", "path", "file", ("run.id", "run.folder")),
    ):
        archive = mapping_or_empty(data.get(outlet))
        text = archive.get(key)
        if archive.get("kind") != kind or not isinstance(text, str) or placeholder_names(text) & {*enough}:
            continue
        needed = " or ".join(f'"{{{name}}}"' for name in enough)
        why = "a run reads it whole, so it has to be its own and must not hold another run's records."
        mistakes.append(Mistake((outlet, key), f"must contain {needed}: {why}"))
    return mistakes


def _service_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Links connect to host and port alone, so a service's URL is nothing but these."""
    needs = dict.fromkeys(_strings(data.get("needs")))
    mistakes = []
    for name, service in mapping_or_empty(data.get("services")).items():
        where: KeyPath = ("services", name)
        if name not in needs:
            mistakes.append(Mistake(where, f'"needs" lists {unknown("service", name, needs)}'))
        url = mapping_or_empty(service).get("url")
        if isinstance(url, str) and not _SERVICE_URL.match(url):
            expected = "must be scheme, host and port and nothing else, e.g. http://127.0.0.1:9200"
            mistakes.append(Mistake((*where, "url"), f"{expected}, not {shown(url)}."))
    return mistakes


def _file_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """What may be destroyed lies below the run's own folder: nothing else is a run's to destroy."""
    named = [
        *((("files", name), patterns) for name, patterns in mapping_or_empty(data.get("files")).items()),
        (("keys", "provider"), mapping_or_empty(data.get("keys")).get("provider")),
    ]
    return [
        Mistake(
            (*where, index),
            f'must begin with "{RUN_FOLDER}" and not lead out of it, not {shown(pattern)}: only what '
            "this run made is destroyed.",
        )
        for where, patterns in named
        for index, pattern in enumerate(_strings(patterns))
        if not pattern.startswith(RUN_FOLDER) or ".." in pattern.split("/") or pattern == RUN_FOLDER
    ]


def _key_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    keys, where = mapping_or_empty(data.get("keys")), ("keys", "provider_link")
    link, links = keys.get("provider_link"), dict.fromkeys(mapping_or_empty(data.get("links")))
    if not isinstance(link, str):
        return []
    if "provider" in keys:
        return [Mistake(where, 'stands beside "provider". Keep one: keys come from files or over a link.')]
    return [] if link in links else [Mistake(where, f'"links" has {unknown("link", link, links)}')]


def _transform_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    words = _strings(data.get("transforms"))
    mistakes = []
    for index, word in enumerate(words):
        where: KeyPath = ("transforms", index)
        if word == MASK and not (mapping_or_empty(data.get("promises")).get("secrets") or data.get("masks")):
            remedy = 'Name the kinds that are masked there, e.g. "secrets: [card, email]".'
            mistakes.append(
                Mistake(where, f'"mask" lets nothing change, since promises.secrets is empty. {remedy}')
            )
        elif word not in WORDS:
            mistakes.append(Mistake(where, unknown("transform", word, dict.fromkeys(WORDS))))
        elif word in words[:index]:
            mistakes.append(Mistake(where, f"{shown(word)} stands here twice. Remove one."))
    return mistakes


def _secret_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    kinds = _strings(mapping_or_empty(data.get("promises")).get("secrets"))
    mistakes = []
    for index, kind in enumerate(kinds):
        where: KeyPath = ("promises", "secrets", index)
        if kind not in KINDS:
            mistakes.append(Mistake(where, unknown("kind of secret", kind, dict.fromkeys(KINDS))))
        elif kind in kinds[:index]:
            mistakes.append(Mistake(where, f"{shown(kind)} stands here twice. Remove one."))
    return mistakes


def _mask_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    masks = mapping_or_empty(data.get("masks"))
    mistakes = []
    if masks and MASK not in _strings(data.get("transforms")):
        said = 'has no effect unless "transforms" holds "mask". Add it there.'
        mistakes.append(Mistake(("masks",), said))
    for index, pattern in enumerate(_strings(masks.get("patterns"))):
        where: KeyPath = ("masks", "patterns", index)
        try:
            if re.compile(pattern).match(""):
                mistakes.append(Mistake(where, f"{shown(pattern)} matches the empty text. Make it longer."))
        except (re.error, RecursionError, OverflowError) as error:
            mistakes.append(Mistake(where, f"{shown(pattern)} is no regular expression: {error}."))
    return mistakes


def _field_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """What is compared must have been sent: a template decides what of a record that is."""
    intake = mapping_or_empty(data.get("intake"))
    if intake.get("kind") in {"log_file", "syslog"}:
        return _bare_line_mistakes(data, intake)
    if intake.get("kind") != "http":
        return []
    template = f"{intake.get('template', '')}{intake.get('record', '')}"
    return [
        Mistake(("fields", name), f"the intake's {where} sends no {name}. {remedy}")
        for name, words in FIELD_PLACEHOLDERS.items()
        if name in mapping_or_empty(data.get("fields"))
        for where, remedy, sends in (
            ("template", f"Add {shown(words[0])} to it.", any(f'"{word}"' in template for word in words))
            if template
            else ("own document", f"Write a template with {shown(words[0])}.", name in DEFAULT_FIELDS),
        )
        if not sends
    ]


def _bare_line_mistakes(data: Mapping[str, object], intake: Mapping[str, object]) -> list[Mistake]:
    """A line alone tells nothing beside itself, or what the head of its syslog message tells."""
    if intake.get("kind") == "log_file":
        sent, remedy = () if intake.get("format") == "plain" else tuple(FIELD_PLACEHOLDERS), "format: json"
    elif intake.get("body") == "json":
        return []
    else:
        sent, remedy = FIELDS_OF_LINES.get(str(intake.get("format", "rfc5424")), ()), "body: json"
    return [
        Mistake(("fields", name), f"the intake sends no {name} with a bare line. Use {shown(remedy)}.")
        for name in mapping_or_empty(data.get("fields"))
        if name in FIELD_PLACEHOLDERS and name not in sent
    ]


def _trace_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Traces are compared where the file says where their ids are, and where the intake has any."""
    fields = mapping_or_empty(data.get("fields"))
    if not mapping_or_empty(data.get("promises")).get("traces"):
        return [
            Mistake(where, 'is used only with "promises.traces: true". Add it there.')
            for where in (("fields", "trace"), ("fields", "span"), ("spans",))
            if where[-1] in (fields if len(where) > 1 else data)
        ]
    where: KeyPath = ("promises", "traces")
    missing = [name for name in ("trace", "span") if name not in fields]
    if missing:
        remedy = 'Add e.g. "fields: {trace: trace.id, span: span.id}".'
        return [Mistake(where, f'"fields" names no {" and no ".join(missing)} to compare. {remedy}')]
    kind = mapping_or_empty(data.get("intake")).get("kind")
    if kind in {"log_file", "syslog"}:
        return [Mistake(where, f"the intake {kind} sends no ids of a trace. Use python_logging or http.")]
    return []


def _placeholder_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    parts = (*mapping_or_empty(data.get("links")), *mapping_or_empty(data.get("processes")))
    known = known_placeholders([*_strings(data.get("needs")), *(name for name in parts if name)])
    return [
        Mistake(where, problem)
        for part in (
            "processes",
            "intake",
            "archive",
            "dead_letters",
            "counters",
            "files",
            "keys",
            "environment",
            "findings",
            "answers",
            "namespaces",
            "spans",
        )
        for where, text in texts_in(data.get(part), (part,))
        if _has_placeholders(where)
        for problem in placeholder_problems(
            text, [*known, TENANT_PLACEHOLDER] if part == "namespaces" else known
        )
    ]


def known_placeholders(addresses: list[str]) -> list[str]:
    """Return every placeholder a stack file may use.

    Args:
        addresses: the names of the stack's services, links and processes; each has a URL, a host and a port.
    """
    return [*RUN_PLACEHOLDERS, *(f"{name}.{what}" for name in addresses for what in ADDRESS_PLACEHOLDERS)]


def _has_placeholders(where: KeyPath) -> bool:
    # What a process prints when ready is compared as it stands: it is often JSON.
    return where[-1] not in {"kind", "handler", "output"} and where[:2] != ("counters", "names")


def _strings(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []
