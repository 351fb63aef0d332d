"""A stack file → Stack: the system under test, in the words of whoever runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

from harness.config.stack_mistakes import stack_mistakes
from harness.config.validation import FileModel, Name, OpenModel, Seconds, Text, Version, default_of, parse
from harness.config.yaml_source import Source, read_yaml
from harness.evidence.secrets.kinds import KINDS
from harness.evidence.transforms import WORDS
from harness.model.declarations import (
    CAUSES,
    FILL_IN,
    Actions,
    AlertChannel,
    Alerts,
    Answers,
    CounterSource,
    DeadLetterOutlet,
    Fields,
    Findings,
    Keys,
    Level,
    Masks,
    Namespaces,
    Part,
    Promises,
    Ready,
    Scalar,
    Stack,
    StackProcess,
)
from harness.model.errors import ScenarioError

EXIT_SECONDS_MAX = 10.0
"""Longer exits are cut short by the harness, so a longer promise could not be judged."""

VISIBLE_SECONDS_MAX = 5.0
"""A stack slower than this would leave nothing of the few seconds before a fault to judge it by."""

LINE_BYTES_MAX_MIN = 1_024
"""A stack that cuts shorter lines loses ordinary ones."""

TIME_TOLERANCE_SECONDS_MAX = 3_600.0
"""A stored time further off than this says nothing of when the record was logged."""

CounterName: TypeAlias = Literal["accepted", "delivered", "dead_lettered", "dropped", "destroyed", "held"]


_Transform = Annotated[str, WithJsonSchema({"enum": list(WORDS)})]
_Command = Annotated[list[Text], Field(min_length=1, max_length=1_000)]
_Cause = Annotated[str, WithJsonSchema({"enum": list(CAUSES)})]
_SecretKind = Annotated[str, WithJsonSchema({"enum": list(KINDS)})]


class _ReadyModel(FileModel):
    http: Text = default_of(Ready, "http")
    output: Text = default_of(Ready, "output")
    timeout_seconds: Seconds = default_of(Ready, "timeout_seconds")


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
    decode: _Command | None = None


class _ServiceModel(FileModel):
    url: Text = Field(description='Add where it answers, e.g. "http://127.0.0.1:9200".')


class _DeadLettersModel(OpenModel):
    kind: Text = Field(description='Say where dead letters end up, e.g. "kind: file".')
    reason_field: Text = default_of(DeadLetterOutlet, "reason_field")
    decode: _Command | None = None


class _CountersModel(OpenModel):
    kind: Text = Field(description='Say how the counters are read, e.g. "kind: json_file".')
    names: Annotated[dict[CounterName, Text], Field(min_length=1)] = Field(
        description='Map ours (accepted, delivered, …) to yours, e.g. "names: {delivered: sent_ok}".'
    )
    lag_seconds: Annotated[float, Field(gt=0, le=60)] = default_of(CounterSource, "lag_seconds")


class _FieldsModel(FileModel):
    time: Text | None = None
    level: Text | None = None
    logger: Text | None = None
    sequence: Text | None = None
    trace: Text | None = None
    span: Text | None = None
    time_tolerance_seconds: Annotated[float, Field(gt=0, le=TIME_TOLERANCE_SECONDS_MAX)] = default_of(
        Fields, "time_tolerance_seconds"
    )


class _MasksModel(FileModel):
    patterns: Annotated[list[Text], Field(min_length=1, max_length=100)] = Field(
        description=r'Add the patterns of what is masked, e.g. "[0-9]{16}".'
    )
    share_max: Annotated[float, Field(gt=0, le=1)] = default_of(Masks, "share_max")


class _KeysModel(FileModel):
    rotate: _Command = Field(description="Add the command that takes the keys to a new version.")
    status: _Command = Field(description="Add the command that prints what the keys are, as JSON.")
    version: Text = default_of(Keys, "version")
    revoke: _Command | None = None
    provider: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = None
    losable: bool = default_of(Keys, "losable")
    provider_link: Name | None = None
    nonces: _Command | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = default_of(Keys, "timeout_seconds")


class _AlertChannelModel(FileModel):
    link: Name = Field(description="Name the link to the receiver, a service smtp or webhook_receiver.")
    key: Text = Field(description='Say where the deduplication key stands, e.g. "header webhook-id".')
    alert: Text = Field(description='Say where the alert\'s name stands, e.g. "json alerts.rule".')
    state: Text = Field(description='Say where the alert\'s state stands, e.g. "json alerts.state".')
    fingerprint: Text = default_of(AlertChannel, "fingerprint")
    fires: Text = default_of(AlertChannel, "fires")


class _AlertsModel(FileModel):
    name: Text = Field(description="Add how messages call the alert on errors.")
    threshold: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Add how many errors within the window are enough."
    )
    window_seconds: Seconds = Field(description="Add the window.")
    cooldown_seconds: Seconds = Field(description="Add how long one firing is not told again.")
    channels: Annotated[dict[Name, _AlertChannelModel], Field(min_length=1, max_length=20)] = Field(
        description="Add the channels by which people are told."
    )
    watcher: Name | None = None
    deadline_seconds: Annotated[float, Field(gt=0, le=60)] = default_of(Alerts, "deadline_seconds")
    after_outage_seconds: Annotated[float, Field(gt=0, le=60)] = default_of(Alerts, "after_outage_seconds")
    resolution_seconds: Annotated[float, Field(ge=0, le=60)] = default_of(Alerts, "resolution_seconds")


class _FindingsModel(FileModel):
    files: Text = Field(description="Add the pattern of the files of JSON lines that hold the findings.")
    id: Text = default_of(Findings, "id")
    cause: Text = default_of(Findings, "cause")
    found: Text = default_of(Findings, "found")
    says: Annotated[list[Text], Field(max_length=5)] = Field(default_factory=list)
    causes: Annotated[dict[str, list[_Cause]], Field(min_length=1, max_length=100)] = Field(
        description='Say what your words stand for, e.g. "causes: {backend_down: [store_down]}".'
    )
    deadline_seconds: Annotated[float, Field(gt=0, le=300)] = default_of(Findings, "deadline_seconds")
    fault_seconds_min: Annotated[float, Field(gt=0, le=300)] = default_of(Findings, "fault_seconds_min")
    after_seconds: Annotated[float, Field(ge=0, le=300)] = default_of(Findings, "after_seconds")
    watcher: Name | None = None


class _AnswersModel(FileModel):
    files: Text = Field(description="Add the pattern of the files of JSON lines that hold the answers.")
    asked: Text = default_of(Answers, "asked")
    answered: Text = default_of(Answers, "answered")
    since: Text = default_of(Answers, "since")
    until: Text = default_of(Answers, "until")
    records: Text = default_of(Answers, "records")
    stale_age_seconds: Text = default_of(Answers, "stale_age_seconds")
    namespace: str = default_of(Answers, "namespace")
    own_namespace: str = default_of(Answers, "own_namespace")
    visible_seconds: Annotated[float, Field(gt=0, le=60)] = default_of(Answers, "visible_seconds")
    every_seconds: Annotated[float, Field(gt=0, le=60)] = default_of(Answers, "every_seconds")
    asker: Name | None = None


class _ActionsModel(FileModel):
    link: Name = Field(description="Name the link to the receiver, a service webhook_receiver.")
    key: Text = Field(description='Say where the action\'s name stands, e.g. "header idempotency-key".')
    about: Text = Field(description='Say where stands what it is about, e.g. "json finding.finding_id".')
    causes: Annotated[list[_Cause], Field(min_length=1)] = Field(
        description='Add the causes that are acted on, e.g. "causes: [store_down]".'
    )
    causes_after_healing: list[_Cause] = Field(default_factory=list)
    engines: Annotated[list[Name], Field(max_length=20)] = Field(default_factory=list)
    deadline_seconds: Annotated[float, Field(gt=0, le=300)] = default_of(Actions, "deadline_seconds")
    fault_seconds_min: Annotated[float, Field(gt=0, le=300)] = default_of(Actions, "fault_seconds_min")


class _ReadsModel(OpenModel):
    kind: Text = Field(description='Say where each tenant\'s records end up, e.g. "kind: elasticsearch".')


class _NamespacesModel(FileModel):
    tenants: Annotated[
        dict[Name, Annotated[int, Field(ge=1, le=1_000)]], Field(min_length=2, max_length=32)
    ] = Field(description='Add the tenants and their parts of the records, e.g. "{red: 4, blue: 1}".')
    reads: _ReadsModel = Field(description='Add what each tenant reads, an archive with "{tenant}" in it.')
    shows: Text | None = None


class _PromisesModel(FileModel):
    durability: Literal["memory", "write", "fsync"] = default_of(Promises, "durability").name.lower()
    copies_max: Annotated[int, Field(ge=1, le=1_000)] = default_of(Promises, "copies_max")
    response_p99_ms: Annotated[float, Field(gt=0, le=3_600_000)] = default_of(Promises, "response_p99_ms")
    exit_seconds: Annotated[float, Field(gt=0, le=EXIT_SECONDS_MAX)] | None = default_of(
        Promises, "exit_seconds"
    )
    memory_mib_above_idle: Annotated[float, Field(gt=0, le=1_048_576)] | None = default_of(
        Promises, "memory_mib_above_idle"
    )
    descriptors_above_idle: Annotated[int, Field(ge=0, le=1_000_000)] | None = default_of(
        Promises, "descriptors_above_idle"
    )
    disk_mib_above_idle: Annotated[float, Field(gt=0, le=1_048_576)] | None = default_of(
        Promises, "disk_mib_above_idle"
    )
    held_records_max: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = default_of(
        Promises, "held_records_max"
    )
    corruption_blast_records: Annotated[int, Field(ge=0, le=1_000_000)] | None = default_of(
        Promises, "corruption_blast_records"
    )
    order_by: Annotated[list[Text], Field(max_length=8)] = Field(default_factory=list)
    visible_seconds: Annotated[float, Field(gt=0, le=VISIBLE_SECONDS_MAX)] = default_of(
        Promises, "visible_seconds"
    )
    line_bytes_max: Annotated[int, Field(ge=LINE_BYTES_MAX_MIN, le=1 << 30)] | None = default_of(
        Promises, "line_bytes_max"
    )
    secrets: Annotated[list[_SecretKind], Field(max_length=len(KINDS))] = Field(default_factory=list)
    traces: bool = default_of(Promises, "traces")


class StackModel(FileModel):
    """A stack file."""

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
    transforms: Annotated[list[_Transform], Field(max_length=len(WORDS))] = Field(default_factory=list)
    fields: _FieldsModel = Field(default_factory=_FieldsModel)
    spans: Text | None = None
    keys: _KeysModel | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    masks: _MasksModel | None = None
    alerts: _AlertsModel | None = None
    findings: _FindingsModel | None = None
    answers: _AnswersModel | None = None
    actions: _ActionsModel | None = None
    namespaces: _NamespacesModel | None = None
    promises: _PromisesModel = Field(default_factory=_PromisesModel)
    files: dict[Name, Annotated[list[Text], Field(min_length=1, max_length=100)]] = Field(
        default_factory=dict
    )
    services: dict[Name, _ServiceModel] = Field(default_factory=dict)
    may_hurt: Annotated[list[Text], Field(max_length=1_000)] = Field(default_factory=list)
    delete_run_index: bool = default_of(Stack, "delete_run_index")
    one_at_a_time: bool = default_of(Stack, "one_at_a_time")


def _refuse_draft(source: Source) -> None:
    """A draft that nobody filled in would be judged by what it leaves out.

    Raises:
        ScenarioError: comments say what is to be filled in; each with its line.
    """
    points = [
        f"{source.path}:{number} is still to be filled in: {line.removeprefix(FILL_IN)}"
        for number, line in enumerate(source.text.splitlines(), 1)
        if line.startswith(FILL_IN)
    ]
    if points:
        raise ScenarioError("\n".join((*points, "Write what is missing, and remove these comments.")))


def load_stack(path: Path) -> Stack:
    """Read one stack file.

    Args:
        path: the YAML file; its name without `.yaml` is the stack's name.

    Returns:
        The stack, with this path as its `source`; what the file leaves out has its default. Placeholders are
        still in it.

    Raises:
        ScenarioError: the file cannot be read or has mistakes; each is listed with its line, key and remedy.
            Or it is a draft in which something is still to be filled in.
    """
    source = read_yaml(path)
    model = parse(StackModel, source, stack_mistakes(source))
    _refuse_draft(source)
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
        one_at_a_time=model.one_at_a_time,
        files={name: tuple(patterns) for name, patterns in model.files.items()},
        transforms=tuple(model.transforms),
        fields=_fields(model.fields),
        keys=_keys(model.keys),
        environment=model.environment,
        alerts=_alerts(model),
        findings=_findings(model.findings),
        answers=_answers(model.answers),
        actions=_actions(model),
        namespaces=_namespaces(model.namespaces),
        spans=model.spans or "",
        masks=Masks() if model.masks is None else Masks(tuple(model.masks.patterns), model.masks.share_max),
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
        held_records_max=model.held_records_max,
        corruption_blast_records=model.corruption_blast_records,
        order_by=tuple(model.order_by),
        visible_seconds=model.visible_seconds,
        line_bytes_max=model.line_bytes_max,
        secrets=tuple(model.secrets),
        traces=model.traces,
    )


def _keys(model: _KeysModel | None) -> Keys | None:
    if model is None:
        return None
    return Keys(
        rotate=tuple(model.rotate),
        status=tuple(model.status),
        version=model.version,
        revoke=tuple(model.revoke or ()),
        provider=tuple(model.provider or ()),
        losable=model.losable,
        provider_link=model.provider_link or "",
        nonces=tuple(model.nonces or ()),
        timeout_seconds=model.timeout_seconds,
    )


def _alerts(stack: StackModel) -> Alerts | None:
    model = stack.alerts
    if model is None:
        return None
    return Alerts(
        name=model.name,
        threshold=model.threshold,
        window_seconds=model.window_seconds,
        cooldown_seconds=model.cooldown_seconds,
        channels=tuple(
            AlertChannel(
                *(name, stack.links[each.link], each.link, each.key, each.alert, each.state),
                fingerprint=each.fingerprint,
                fires=each.fires,
            )
            for name, each in model.channels.items()
        ),
        watcher=model.watcher or "",
        deadline_seconds=model.deadline_seconds,
        after_outage_seconds=model.after_outage_seconds,
        resolution_seconds=model.resolution_seconds,
    )


def _findings(model: _FindingsModel | None) -> Findings | None:
    if model is None:
        return None
    return Findings(
        files=model.files,
        id=model.id,
        cause=model.cause,
        found=model.found,
        says=tuple(model.says),
        causes={word: tuple(causes) for word, causes in model.causes.items()},
        deadline_seconds=model.deadline_seconds,
        fault_seconds_min=model.fault_seconds_min,
        after_seconds=model.after_seconds,
        watcher=model.watcher or "",
    )


def _answers(model: _AnswersModel | None) -> Answers | None:
    return None if model is None else Answers(**{**model.model_dump(), "asker": model.asker or ""})


def _actions(stack: StackModel) -> Actions | None:
    model = stack.actions
    if model is None:
        return None
    return Actions(
        *(model.link, stack.links[model.link], model.key, model.about),
        causes=tuple(model.causes),
        causes_after_healing=tuple(model.causes_after_healing),
        engines=tuple(model.engines),
        deadline_seconds=model.deadline_seconds,
        fault_seconds_min=model.fault_seconds_min,
    )


def _namespaces(model: _NamespacesModel | None) -> Namespaces | None:
    if model is None:
        return None
    return Namespaces(model.tenants, Part(model.reads.kind, _arguments(model.reads)), model.shows or "")


def _fields(model: _FieldsModel) -> Fields:
    names = ("time", "level", "logger", "sequence", "trace", "span")
    paths = {name: path for name in names if (path := getattr(model, name))}
    return Fields(paths, model.time_tolerance_seconds)


def _dead_letters(model: _DeadLettersModel | None) -> DeadLetterOutlet | None:
    if model is None:
        return None
    part = Part(model.kind, _arguments(model))
    return DeadLetterOutlet(part, model.reason_field, tuple(model.decode or ()))


def _counters(model: _CountersModel | None) -> CounterSource | None:
    """Return the counters; a name may stand for several keys, joined by " + "."""
    if model is None:
        return None
    names: dict[str, tuple[str, ...]] = {
        name: tuple(key.strip() for key in keys.split(" + ")) for name, keys in model.names.items()
    }
    return CounterSource(Part(model.kind, _arguments(model)), names, model.lag_seconds)


def _ready(model: _ReadyModel) -> Ready:
    return Ready(http=model.http, output=model.output, timeout_seconds=model.timeout_seconds)


def _arguments(part: OpenModel) -> dict[str, Scalar]:
    """Return a part's free keys; that they are scalars has been checked by then."""
    return {key: value for key, value in (part.model_extra or {}).items() if isinstance(value, Scalar)}
