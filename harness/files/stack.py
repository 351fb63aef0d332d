"""A stack file → Stack: the system under test, in the words of whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from harness.archives import ARCHIVES
from harness.counters import COUNTERS
from harness.family import unknown
from harness.files.model import (
    FileModel,
    Name,
    OpenModel,
    Seconds,
    Text,
    Version,
    file_name_mistakes,
    parse,
    shown,
)
from harness.files.part_arguments import part_mistakes
from harness.files.yaml_source import KeyPath, Mistake, Source, read_yaml
from harness.intakes import INTAKES
from harness.placeholders import RUN_FOLDER, placeholder_names, placeholder_problems
from harness.protocols import (
    CounterSource,
    DeadLetterOutlet,
    Level,
    Part,
    Promises,
    Ready,
    Scalar,
    Stack,
    StackProcess,
)

RUN_PLACEHOLDERS = ("run.id", "run.folder", "run.seed", "python", "stack.folder")
ADDRESS_PLACEHOLDERS = ("url", "host", "port")
EXIT_SECONDS_MAX = 10.0
"""Longer exits are cut short by the harness, so a longer promise could not be judged."""

CounterName: TypeAlias = Literal["accepted", "delivered", "dead_lettered", "dropped", "destroyed", "held"]

# A fault names its target, so these cannot be names of parts as well.
RESERVED_NAMES = ("application", "run", "python", "stack")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SERVICE_URL = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}\Z")
_DOTTED_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")


class _ReadyModel(FileModel):
    http: Text = ""
    output: Text = ""
    timeout_seconds: Seconds = 30.0


class _ProcessModel(FileModel):
    command: Annotated[list[Text], Field(min_length=1, max_length=1_000)] = Field(
        description='Add the argument list, e.g. ["{python}", "-m", "my_shipper"].'
    )
    environment: dict[str, str] = Field(default_factory=dict)
    ready: _ReadyModel = Field(default_factory=_ReadyModel)


class _IntakeModel(OpenModel):
    kind: Text = Field(description='Say how records enter, e.g. "kind: python_logging".')


class _ArchiveModel(OpenModel):
    kind: Text = Field(description='Say where records end up, e.g. "kind: elasticsearch".')
    decode: Annotated[list[Text], Field(min_length=1, max_length=1_000)] | None = None


class _ServiceModel(FileModel):
    url: Text = Field(description='Add where it answers, e.g. "http://127.0.0.1:9200".')


class _DeadLettersModel(OpenModel):
    kind: Text = Field(description='Say where dead letters end up, e.g. "kind: file".')
    reason_field: Text = ""


class _CountersModel(OpenModel):
    kind: Text = Field(description='Say how the counters are read, e.g. "kind: json_file".')
    names: Annotated[dict[CounterName, Text], Field(min_length=1)] = Field(
        description='Map ours (accepted, delivered, …) to yours, e.g. "names: {delivered: sent_ok}".'
    )


class _PromisesModel(FileModel):
    durability: Literal["memory", "write", "fsync"] = "memory"
    copies_max: Annotated[int, Field(ge=1, le=1_000)] = 1
    response_p99_ms: Annotated[float, Field(gt=0, le=3_600_000)] = 100.0
    exit_seconds: Annotated[float, Field(gt=0, le=EXIT_SECONDS_MAX)] | None = None
    memory_mib_above_idle: Annotated[float, Field(gt=0, le=1_048_576)] | None = None
    descriptors_above_idle: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    disk_mib_above_idle: Annotated[float, Field(gt=0, le=1_048_576)] | None = None
    corruption_blast_records: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    order_by: Annotated[list[Text], Field(max_length=8)] = Field(default_factory=list)


class StackModel(FileModel):
    """A stack file."""

    not_supported_yet: ClassVar[tuple[str, ...]] = ("transforms",)

    version: Version
    name: Name = Field(description="Add it; it is the file's name without .yaml.")
    title: Text = ""
    needs: list[Name] = Field(default_factory=list)
    links: dict[Name, Name] = Field(default_factory=dict)
    processes: dict[Name, _ProcessModel] = Field(default_factory=dict)
    intake: _IntakeModel = Field(description="Add it, e.g. \"{kind: python_logging, handler: 'm:Handler'}\".")
    acknowledged_by: Literal["return", "callback", "http_2xx"] = Field(
        description="Say when the stack has taken responsibility for a record: return, callback or http_2xx."
    )
    archive: _ArchiveModel = Field(description="Add it: where records end up and can be read back.")
    dead_letters: _DeadLettersModel | None = None
    counters: _CountersModel | None = None
    promises: _PromisesModel = Field(default_factory=_PromisesModel)
    files: dict[Name, Annotated[list[Text], Field(min_length=1, max_length=100)]] = Field(
        default_factory=dict
    )
    services: dict[Name, _ServiceModel] = Field(default_factory=dict)
    may_hurt: Annotated[list[Text], Field(max_length=1_000)] = Field(default_factory=list)
    delete_run_index: bool = False


def load_stack(path: Path) -> Stack:
    """Read one stack file.

    Args:
        path: the YAML file; its name without `.yaml` is the stack's name.

    Raises:
        ScenarioError: the file cannot be read or has mistakes; each is listed with its line, key and remedy.
    """
    source = read_yaml(path)
    model = parse(StackModel, source, _mistakes(source))
    return Stack(
        name=model.name,
        needs=tuple(model.needs),
        links=model.links,
        processes=tuple(
            StackProcess(name, tuple(process.command), process.environment, _ready(process.ready))
            for name, process in model.processes.items()
        ),
        intake=Part(model.intake.kind, _arguments(model.intake)),
        acknowledged_by=model.acknowledged_by,
        archive=Part(model.archive.kind, _arguments(model.archive)),
        promises=_promises(model.promises),
        source=source.path,
        dead_letters=_dead_letters(model.dead_letters),
        counters=_counters(model.counters),
        decode=tuple(model.archive.decode or ()),
        services={name: service.url for name, service in model.services.items()},
        may_hurt=tuple(model.may_hurt),
        delete_run_index=model.delete_run_index,
        files={name: tuple(patterns) for name, patterns in model.files.items()},
    )


def _promises(model: _PromisesModel) -> Promises:
    return Promises(
        durability=Level[model.durability.upper()],
        copies_max=model.copies_max,
        response_p99_ms=model.response_p99_ms,
        exit_seconds=model.exit_seconds,
        memory_mib_above_idle=model.memory_mib_above_idle,
        descriptors_above_idle=model.descriptors_above_idle,
        disk_mib_above_idle=model.disk_mib_above_idle,
        corruption_blast_records=model.corruption_blast_records,
        order_by=tuple(model.order_by),
    )


def _dead_letters(model: _DeadLettersModel | None) -> DeadLetterOutlet | None:
    return (
        None if model is None else DeadLetterOutlet(Part(model.kind, _arguments(model)), model.reason_field)
    )


def _counters(model: _CountersModel | None) -> CounterSource | None:
    """Return the counters; a name may stand for several keys, joined by " + "."""
    if model is None:
        return None
    names: dict[str, tuple[str, ...]] = {
        name: tuple(key.strip() for key in keys.split(" + ")) for name, keys in model.names.items()
    }
    return CounterSource(Part(model.kind, _arguments(model)), names)


def _ready(model: _ReadyModel) -> Ready:
    return Ready(http=model.http, output=model.output, timeout_seconds=model.timeout_seconds)


def _arguments(part: OpenModel) -> dict[str, Scalar]:
    """Return a part's free keys; that they are scalars has been checked by then."""
    return {key: value for key, value in (part.model_extra or {}).items() if isinstance(value, Scalar)}


def _mistakes(source: Source) -> list[Mistake]:
    """Return what no single value shows: names, placeholders and promises that do not go together."""
    data = source.data
    return [
        *file_name_mistakes(source),
        *_naming_mistakes(data),
        *_link_mistakes(data),
        *_process_mistakes(data),
        *part_mistakes(INTAKES, data.get("intake"), ("intake",), {"kind"}),
        *part_mistakes(ARCHIVES, data.get("archive"), ("archive",), {"kind", "decode"}),
        *part_mistakes(ARCHIVES, data.get("dead_letters"), ("dead_letters",), {"kind", "reason_field"}),
        *part_mistakes(COUNTERS, data.get("counters"), ("counters",), {"kind", "names"}),
        *_handler_mistakes(data),
        *_acknowledgement_mistakes(data),
        *_own_archive_mistakes(data),
        *_service_mistakes(data),
        *_file_mistakes(data),
        *_placeholder_mistakes(data),
    ]


def _naming_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Services, links and processes share one set of names: scenarios and placeholders use them alike."""
    named: list[tuple[KeyPath, str]] = [
        *((("needs", index), name) for index, name in enumerate(_strings(data.get("needs")))),
        *((("links", name), name) for name in _mapping(data.get("links"))),
        *((("processes", name), name) for name in _mapping(data.get("processes"))),
        *((("files", name), name) for name in _mapping(data.get("files"))),
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
        for link, service in _mapping(data.get("links")).items()
        if isinstance(service, str) and service not in needs
    ]


def _process_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    mistakes = []
    for name, process in _mapping(data.get("processes")).items():
        where: KeyPath = ("processes", name)
        mistakes += [
            Mistake(
                (*where, "environment", key), "is not a name of an environment variable. Use A-Z, 0-9, _."
            )
            for key in _mapping(_mapping(process).get("environment"))
            if not _ENVIRONMENT_NAME.match(key)
        ]
        if {"http", "output"} <= set(_mapping(_mapping(process).get("ready"))):
            mistakes.append(Mistake((*where, "ready"), 'names both "http" and "output". Keep one of them.'))
    return mistakes


def _handler_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """The handler is imported in the application process only; here its form is all there is to judge."""
    handler = _mapping(data.get("intake")).get("handler")
    if not isinstance(handler, str) or _DOTTED_PATH.match(handler):
        return []
    return [Mistake(("intake", "handler"), f"must be package.module:Class, not {shown(handler)}.")]


def _acknowledgement_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    where = ("acknowledged_by",)
    acknowledged_by = data.get("acknowledged_by")
    durability = _mapping(data.get("promises")).get("durability", "memory")
    if acknowledged_by == "return" and durability in {"write", "fsync"}:
        reason = (
            f'"return" cannot promise durability {shown(durability)}: a log call that came back says only'
        )
        remedy = 'Use "callback", or promise "memory".'
        return [Mistake(where, f"{reason} that the record is in memory. {remedy}")]
    kind = _mapping(data.get("intake")).get("kind")
    if acknowledged_by == "http_2xx" and kind == "python_logging":
        return [Mistake(where, '"http_2xx" needs an intake over HTTP. Use "callback" or "return" here.')]
    if acknowledged_by in {"callback", "return"} and kind == "http":
        return [Mistake(where, f'intake "http" knows no {shown(acknowledged_by)}. Use "http_2xx".')]
    return []


def _own_archive_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """The run reads its index or files whole, so they must be this run's and nobody else's."""
    mistakes = []
    for outlet, key, kind, enough in (
        ("archive", "index", "elasticsearch", {"run.id"}),
        ("archive", "path", "file", {"run.id", "run.folder"}),
        ("dead_letters", "index", "elasticsearch", {"run.id"}),
        ("dead_letters", "path", "file", {"run.id", "run.folder"}),
    ):
        archive = _mapping(data.get(outlet))
        text = archive.get(key)
        if archive.get("kind") != kind or not isinstance(text, str) or enough & placeholder_names(text):
            continue
        needed = " or ".join(f'"{{{name}}}"' for name in sorted(enough, reverse=True))
        why = "a run reads it whole, so it has to be its own and must not hold another run's records."
        mistakes.append(Mistake((outlet, key), f"must contain {needed}: {why}"))
    return mistakes


def _service_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Links connect to host and port alone, so a service's URL is nothing but these."""
    needs = dict.fromkeys(_strings(data.get("needs")))
    mistakes = []
    for name, service in _mapping(data.get("services")).items():
        where: KeyPath = ("services", name)
        if name not in needs:
            mistakes.append(Mistake(where, f'"needs" lists {unknown("service", name, needs)}'))
        url = _mapping(service).get("url")
        if isinstance(url, str) and not _SERVICE_URL.match(url):
            expected = "must be scheme, host and port and nothing else, e.g. http://127.0.0.1:9200"
            mistakes.append(Mistake((*where, "url"), f"{expected}, not {shown(url)}."))
    return mistakes


def _file_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """What may be destroyed lies below the run's own folder: nothing else is a run's to destroy."""
    return [
        Mistake(
            ("files", name, index),
            f'must begin with "{RUN_FOLDER}" and not lead out of it, not {shown(pattern)}: only what '
            "this run made is destroyed.",
        )
        for name, patterns in _mapping(data.get("files")).items()
        for index, pattern in enumerate(_strings(patterns))
        if not pattern.startswith(RUN_FOLDER) or ".." in pattern.split("/") or pattern == RUN_FOLDER
    ]


def _placeholder_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    parts = (*_mapping(data.get("links")), *_mapping(data.get("processes")))
    known = known_placeholders([*_strings(data.get("needs")), *(name for name in parts if name)])
    return [
        Mistake(where, problem)
        for part in ("processes", "intake", "archive", "dead_letters", "counters", "files")
        for where, text in _texts(data.get(part), (part,))
        for problem in placeholder_problems(text, known)
    ]


def known_placeholders(addresses: list[str]) -> list[str]:
    """Return every placeholder a stack file may use.

    Args:
        addresses: the names of the stack's services, links and processes; each has a URL, a host and a port.
    """
    return [*RUN_PLACEHOLDERS, *(f"{name}.{what}" for name in addresses for what in ADDRESS_PLACEHOLDERS)]


def _texts(value: object, where: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield each text below a key whose placeholders are replaced; the reader has bounded the depth."""
    if isinstance(value, str):
        # What a process prints when ready is compared as it stands: it is often JSON.
        if where[-1] not in {"kind", "handler", "output"} and where[:2] != ("counters", "names"):
            yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*where, index))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []
