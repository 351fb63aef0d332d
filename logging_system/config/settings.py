"""Every setting of the handler and of programs: the model of flags and of the reference page.

To add a setting, add a field here, then run `make schemas`. Its name is the keyword of `install`, the key in
the settings file, the environment variable (`LOGGING_SYSTEM_` and the name in capitals) and the flag
(`--queue-records-max`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from logging_system.config.encryption import (
    UNPROTECTED,
    EncryptionSettings,
    Protection,
    encryption_of,
    encryption_settings,
)
from logging_system.config.setting_types import (
    Endpoint,
    Labels,
    Level,
    Masking,
    Names,
    Namespace,
    Namespaces,
    Processors,
    Seconds,
    Stream,
    Urls,
    absolute,
)
from logging_system.handler.queue import FullPolicy
from logging_system.records.namespaces import DEFAULT_NAMESPACE, stream_of
from logging_system.records.processors import Chain, load_chain
from logging_system.records.record import Durability
from logging_system.spool.retention import Retention

if TYPE_CHECKING:
    from logging_system.encryption.encryption import Encryption

ENVIRONMENT_PREFIX = "LOGGING_SYSTEM_"
FILE_SETTING = "settings"
UNKNOWN_SERVICE = "unknown_service"

Program = Literal["handler", "ship", "serve", "watch", "console"]
Change = Literal["SIGHUP", "restart"]
PROGRAMS: tuple[Program, ...] = get_args(Program)


@dataclass(frozen=True, slots=True, init=False)
class UsedBy:
    """Which programs use a setting, and what its type does not say about its value.

    Attributes:
        programs: The programs: the handler in an application, `ship`, `serve`, `watch`, `console`.
        unit: What a number counts; also the flag's placeholder in `--help`.
        change: What makes a running `ship` take over a new value.
    """

    programs: tuple[Program, ...]
    unit: str
    change: Change

    def __init__(self, *programs: Program, unit: str = "", change: Change = "SIGHUP") -> None:
        object.__setattr__(self, "programs", programs)
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "change", change)


class Settings(BaseSettings):
    """Every setting; the descriptions are those of the reference page and of `--help`."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_ignore_empty=True,
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    service: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="`service.name` of every document. It also names the default spool folder and data"
            " stream.",
        ),
        UsedBy("handler", "ship", "serve", "watch", "console", change="restart"),
    ] = UNKNOWN_SERVICE
    spool: Annotated[
        Path | None,
        Field(
            description="Spool folder. Default: `logging_system/<service>` in `$XDG_STATE_HOME` or "
            "`~/.local/state`. All processes of a service share one folder.",
        ),
        UsedBy("handler", "ship", "serve", "watch", "console", change="restart"),
    ] = None
    encryption: Annotated[
        EncryptionSettings | None,
        BeforeValidator(encryption_settings),
        Field(
            description="Seals the spool, dead letters and the fallback file: `{provider: file, "
            "path: …}`, in the environment and as a flag `provider=file,path=…`. Default: nothing "
            "is sealed.",
        ),
        UsedBy("handler", "ship", "serve", "watch", "console", unit="name=value,…"),
    ] = None
    encrypt_fields: Annotated[
        Names,
        Field(
            description="Fields that are sealed by themselves, also for the store, such as `labels.card`; in "
            "the environment separated by commas. They come after all processors, unless `processors` has "
            "`encrypt_fields` at another place.",
        ),
        UsedBy("handler", "serve", unit="field", change="restart"),
    ] = []
    token_fields: Annotated[
        Names,
        Field(description="Those of them that get a token, by which the store finds equal values."),
        UsedBy("handler", "serve", unit="field", change="restart"),
    ] = []
    fields_without_key: Annotated[
        Literal["drop_record", "drop_fields"],
        Field(
            description="What `encrypt_fields` does while there is no key: `drop_record` drops the record "
            "and counts it, `drop_fields` keeps it without those fields, and says so in it.",
        ),
        UsedBy("handler", "serve", change="restart"),
    ] = "drop_record"
    fernet_keys: Annotated[
        Path | None,
        Field(
            description="The simple mode of `encrypt_fields`: a file of Fernet keys, one a line, the newest "
            "first, mode 0600. Default: the keys of `encryption`.",
        ),
        UsedBy("handler", "serve", change="restart"),
    ] = None
    level: Annotated[
        Level,
        Field(
            description="Minimum level, by name or by number as `logging` has it; lower levels are discarded."
        ),
        UsedBy("handler", unit="level"),
    ] = "INFO"
    durability: Annotated[
        Durability,
        Field(
            description="When a record is acknowledged: `memory` (queued), `write` (survives SIGKILL), "
            "`fsync` (survives power loss). One log call can ask for another class: "
            '`extra={"durability": …}`.',
        ),
        UsedBy("handler"),
    ] = "fsync"
    processors: Annotated[
        Processors,
        Field(
            description="What is done to every record before it is written anywhere, in order: words "
            "(`add_labels`), paths of your own (`package.module:name`), and in code also objects; in the "
            "environment separated by commas.",
        ),
        UsedBy("handler", "serve", change="restart"),
    ] = []
    labels: Annotated[
        Labels,
        Field(
            description="Labels that every record gets; in the environment `env=prod,version=7`. They come "
            "before all processors, unless `processors` has `add_labels` at another place.",
        ),
        UsedBy("handler", "serve", change="restart"),
    ] = {}
    mask: Annotated[
        Masking,
        Field(
            description="What the processor `mask` does beside its built-in rules, see how-to/mask-fields.md:"
            " `rules`, `fields`, `patterns`, `allow`; in the environment as JSON. Where it is given, `mask` "
            "comes behind all processors, unless `processors` has it at another place.",
        ),
        UsedBy("handler", "serve", "watch", "console", unit="JSON", change="restart"),
    ] = None
    mask_token_key_file: Annotated[
        Path | None,
        Field(
            description="File with the key of the masking action `token`, 16 bytes at least, mode 0600.",
        ),
        UsedBy("handler", "serve", "console", change="restart"),
    ] = None
    alerts: Annotated[
        Path | None,
        Field(
            description="File of alert rules and channels, see docs/reference/alerts.md. Default: one rule, "
            "10 errors within 60 s (`ALERT_THRESHOLD_ERRORS`), told on standard error.",
        ),
        UsedBy("watch", change="restart"),
    ] = None
    workflows: Annotated[
        Path | None,
        Field(description="File of workflows for findings, see docs/reference/workflows.md. Default: none."),
        UsedBy("watch", change="restart"),
    ] = None
    coordination_index: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9_.-]*$",
            max_length=200,
            description="Index of the store in which engines agree on who does shared steps. Of those with "
            "one index, one leads: give systems that have nothing to do with each other one each.",
        ),
        UsedBy("watch", change="restart"),
    ] = "logging-system-coordination"
    when_full: Annotated[
        FullPolicy,
        Field(
            description="What a full queue does: `block_errors` lets ERROR and above wait up to "
            "`block_seconds` and drops the newest records below; `drop_newest` never waits; "
            "`drop_oldest` drops the oldest record that is not acknowledged.",
        ),
        UsedBy("handler"),
    ] = "block_errors"
    block_seconds: Annotated[
        float,
        Field(ge=0, le=60, description="Longest wait for room in the queue, for each thread and second."),
        UsedBy("handler", unit="seconds"),
    ] = 0.05
    queue_records_max: Annotated[
        int,
        Field(ge=1, description="Maximum records in the queue."),
        UsedBy("handler", unit="records"),
    ] = 10_000
    queue_bytes_max: Annotated[
        int,
        Field(ge=1, description="Maximum size of the queue, approximately."),
        UsedBy("handler", unit="bytes"),
    ] = 32 * 1024 * 1024
    spool_bytes_max: Annotated[
        int,
        Field(
            ge=4096,
            description="Maximum size of the spool folder; beyond it new records are refused (`serve` "
            "answers 429).",
        ),
        UsedBy("handler", "serve", unit="bytes"),
    ] = 1024 * 1024 * 1024
    retention_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            allow_inf_nan=False,
            description="Delete spooled records older than this, even if acknowledged and not delivered. "
            "Default: never.",
        ),
        UsedBy("handler", "ship", "serve", unit="seconds"),
    ] = None
    retention_bytes: Annotated[
        int | None,
        Field(
            ge=4096,
            description="Delete the oldest spooled records, even if acknowledged and not delivered, to "
            "keep the folder below this size. Default: never; a full spool refuses new "
            "records.",
        ),
        UsedBy("handler", "serve", unit="bytes"),
    ] = None
    close_seconds: Annotated[
        float,
        Field(gt=0, le=5, description="Maximum time that closing the handler takes."),
        UsedBy("handler", unit="seconds"),
    ] = 5.0
    shipper: Annotated[
        Literal["in_process", "none"],
        Field(
            description="`in_process` ships from a thread of the application; of the processes that share a "
            "spool folder, one ships. `none` leaves shipping to `python -m logging_system "
            "ship`.",
        ),
        UsedBy("handler"),
    ] = "in_process"
    elasticsearch: Annotated[
        Urls,
        Field(description="URLs of the Elasticsearch nodes, separated by commas in the environment."),
        UsedBy("handler", "ship", "watch", "console", unit="URL"),
    ] = []
    stream: Annotated[
        Stream | None,
        Field(description="Data stream. Default: `logs-<service>-<namespace>`."),
        UsedBy("handler", "ship"),
    ] = None
    namespace: Annotated[
        Namespace,
        Field(
            description="Whose records these are, such as a tenant, a team or an environment: the last part "
            "of the data stream's name.",
        ),
        UsedBy("handler", "ship", "serve", change="restart"),
    ] = DEFAULT_NAMESPACE
    namespaces: Annotated[
        Namespaces,
        Field(
            description="Further namespaces that single records may ask for, each with a data stream of its "
            "own, `logs-<service>-<namespace>`, and how long the store keeps it: "
            "`team_a=30d,team_b`. What asks for another one goes to `namespace`, with the label "
            "`namespace.undeclared`.",
        ),
        UsedBy("handler", "ship", "serve", change="restart"),
    ] = {}
    request_timeout_seconds: Annotated[
        Seconds,
        Field(description="Timeout of one request to Elasticsearch."),
        UsedBy("handler", "ship", "watch", "console", unit="seconds"),
    ] = 10.0
    connections: Annotated[
        int,
        Field(ge=1, le=64, description="Maximum concurrent requests to Elasticsearch."),
        UsedBy("handler", "ship", unit="connections"),
    ] = 4
    ca_certs: Annotated[
        Path | None,
        Field(description="PEM file of the certificate authorities to trust."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    verify: Annotated[
        bool,
        Field(description="Verify the nodes' certificates."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = True
    client_certificate: Annotated[
        Path | None,
        Field(description="PEM file of the client certificate; read again when it changes."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    client_key: Annotated[
        Path | None,
        Field(
            description="PEM file of the client certificate's key, unencrypted; not needed when the "
            "certificate's file contains it.",
        ),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    username: Annotated[
        str | None,
        Field(description="User name for basic authentication."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    password: Annotated[
        SecretStr | None,
        Field(description="Password for basic authentication; prefer `password_file`."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    password_file: Annotated[
        Path | None,
        Field(description="File with the password; read again after a refused login."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    api_key: Annotated[
        SecretStr | None,
        Field(description="API key as Elasticsearch encodes it; prefer `api_key_file`."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    api_key_file: Annotated[
        Path | None,
        Field(description="File with the API key; read again after a refused login."),
        UsedBy("handler", "ship", "watch", "console"),
    ] = None
    gzip: Annotated[
        bool,
        Field(description="Compress requests."),
        UsedBy("handler", "ship"),
    ] = False
    fallback_file: Annotated[
        Path | None,
        Field(
            description="While Elasticsearch is unavailable, write NDJSON to this file, rotated like "
            "`file`. These records are counted as `redirected` and are not sent later. "
            "Default: records wait in the spool.",
        ),
        UsedBy("handler", "ship"),
    ] = None
    fallback_seconds: Annotated[
        Seconds,
        Field(
            description="Use the fallback file after Elasticsearch stored and refused nothing for this long.",
        ),
        UsedBy("handler", "ship", unit="seconds"),
    ] = 300.0
    file: Annotated[
        Path | None,
        Field(description="Write NDJSON to this file instead of sending to Elasticsearch."),
        UsedBy("handler", "ship"),
    ] = None
    file_rotate_bytes: Annotated[
        int,
        Field(ge=4096, description="Rotate that file at this size."),
        UsedBy("handler", "ship", unit="bytes"),
    ] = 64 * 1024 * 1024
    file_rotate_files: Annotated[
        int,
        Field(
            ge=1,
            description="Maximum number of those files, the current one included; the oldest is deleted "
            "first.",
        ),
        UsedBy("handler", "ship", unit="files"),
    ] = 8
    batch_records_max: Annotated[
        int,
        Field(ge=1, description="Maximum documents in one request; fewer while requests take seconds."),
        UsedBy("handler", "ship", unit="records"),
    ] = 4_000
    batch_bytes_max: Annotated[
        int,
        Field(ge=1024, description="Maximum size of the documents in one request."),
        UsedBy("handler", "ship", unit="bytes"),
    ] = 4 * 1024 * 1024
    linger_seconds: Annotated[
        float,
        Field(ge=0, le=60, description="Longest time that a document waits for a batch to fill."),
        UsedBy("handler", "ship", unit="seconds"),
    ] = 0.05
    status: Annotated[
        Path | None,
        Field(
            description="File for the counters of `ship`, as JSON. Default: `status-shipper.json` in the "
            "spool folder.",
        ),
        UsedBy("ship", "console", change="restart"),
    ] = None
    status_port: Annotated[
        int | None,
        Field(
            ge=0,
            le=65535,
            description="Port on 127.0.0.1 where `ship` serves `/metrics` and `/status`; 0 takes a free "
            "one. Default: none.",
        ),
        UsedBy("ship", unit="port", change="restart"),
    ] = None
    opentelemetry_metrics: Annotated[
        bool,
        Field(
            description="Give OpenTelemetry the metrics too, from the process that ships the spool folder: "
            "an application's own MeterProvider gets them, `ship` sends OTLP as `OTEL_EXPORTER_OTLP_…` say.",
        ),
        UsedBy("handler", "ship", change="restart"),
    ] = False
    listen_host: Annotated[
        str,
        Field(min_length=1, description="Address that `serve` listens on."),
        UsedBy("serve"),
    ] = "127.0.0.1"
    listen_port: Annotated[
        int,
        Field(ge=0, le=65535, description="Port that `serve` listens on; 0 takes a free one."),
        UsedBy("serve", unit="port"),
    ] = 4318
    token_file: Annotated[
        Path | None,
        Field(
            description="File of the bearer tokens that may send to `serve`, one a line, mode 0600; read "
            "again when it changes.",
        ),
        UsedBy("serve"),
    ] = None
    open_to_all: Annotated[
        bool,
        Field(description="Let `serve` listen beyond this machine without tokens."),
        UsedBy("serve"),
    ] = False
    server_certificate: Annotated[
        Path | None,
        Field(description="PEM file of the certificate chain of `serve`; with it, `serve` speaks TLS only."),
        UsedBy("serve"),
    ] = None
    server_key: Annotated[
        Path | None,
        Field(description="PEM file of its key; not needed when the chain's file contains it."),
        UsedBy("serve"),
    ] = None
    body_bytes_max: Annotated[
        int,
        Field(ge=1, description="Maximum size of a request's body, compressed and decompressed."),
        UsedBy("serve", unit="bytes"),
    ] = 16 * 1024 * 1024
    record_bytes_max: Annotated[
        int,
        Field(ge=1, description="Maximum size of one line or record."),
        UsedBy("serve", unit="bytes"),
    ] = 1024 * 1024
    body_seconds_max: Annotated[
        float,
        Field(gt=0, allow_inf_nan=False, description="Maximum time for a body to arrive."),
        UsedBy("serve", unit="seconds"),
    ] = 30.0
    pending_bytes_max: Annotated[
        int,
        Field(
            ge=1,
            description="Maximum size of all documents that wait for the disk; beyond it `serve` answers "
            "429.",
        ),
        UsedBy("serve", unit="bytes"),
    ] = 32 * 1024 * 1024
    connections_max: Annotated[
        int,
        Field(ge=1, description="Maximum concurrent connections to `serve`."),
        UsedBy("serve", unit="connections"),
    ] = 1_000
    console_host: Annotated[
        str,
        Field(min_length=1, description="Address on which `console` listens."),
        UsedBy("console"),
    ] = "127.0.0.1"
    console_port: Annotated[
        int,
        Field(ge=0, le=65535, description="Port on which `console` listens; 0 takes a free one."),
        UsedBy("console", unit="port"),
    ] = 8710
    console_names: Annotated[
        Names,
        Field(
            description="Further names that `console` may be asked under, such as that of a proxy: `name` or "
            "`name:port`."
        ),
        UsedBy("console", unit="name"),
    ] = []
    console_token_file: Annotated[
        Path | None,
        Field(
            description="File of the tokens that people sign in to `console` with, one a line, mode 0600. "
            "Required beyond this machine. Default: on this machine, nobody has to sign in.",
        ),
        UsedBy("console"),
    ] = None
    console_namespaces: Annotated[
        Names,
        Field(description="Namespaces whose records `console` shows. Default: all."),
        UsedBy("console", unit="name"),
    ] = []
    console_certificate: Annotated[
        Path | None,
        Field(description="PEM file of the certificate chain of `console`; with it, it speaks TLS only."),
        UsedBy("console"),
    ] = None
    console_key: Annotated[
        Path | None,
        Field(description="PEM file of its key; not needed when the chain's file contains it."),
        UsedBy("console"),
    ] = None
    console_pages_max: Annotated[
        int,
        Field(ge=1, le=1_000, description="Maximum open pages of `console` that are kept up to date."),
        UsedBy("console", unit="pages"),
    ] = 50
    traces_file: Annotated[
        Path | None,
        Field(
            description="A file to which the pipeline appends spans of itself as OTLP's JSON, linked to the "
            "spans that records were logged in. Renamed to `<name>.1` at 64 MiB. Needs opentelemetry-sdk. "
            "Default: no spans.",
        ),
        UsedBy("handler", "ship", "serve", change="restart"),
    ] = None
    traces_endpoint: Annotated[
        Endpoint | None,
        Field(
            description="A URL to which the same spans are posted as OTLP, such as "
            "`http://127.0.0.1:4318/v1/traces`. Needs opentelemetry-exporter-otlp-proto-http.",
        ),
        UsedBy("handler", "ship", "serve", change="restart"),
    ] = None
    traces_sampled: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            allow_inf_nan=False,
            description="The share of traces whose records are followed in such spans. The trace id decides, "
            "so handler, gateway and shipper follow the same ones.",
        ),
        UsedBy("handler", "ship", "serve", unit="share", change="restart"),
    ] = 0.01

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_empty_path(cls, value: object, info: ValidationInfo) -> object:
        # An empty path would mean the current folder.
        if value == "" and is_path(info.field_name or ""):
            raise ValueError("must not be empty")
        return value

    @field_validator("*")
    @classmethod
    def _made_absolute(cls, value: object) -> object:
        return absolute(value) if isinstance(value, Path) else value

    @property
    def spool_folder(self) -> Path:
        """Return the spool folder, or the default one.

        Raises:
            RuntimeError: There is no home folder to put it in.
        """
        if self.spool is not None:
            return self.spool
        state = os.environ.get("XDG_STATE_HOME", "")
        base = Path(state) if Path(state).is_absolute() else Path.home().absolute() / ".local" / "state"
        return base / "logging_system" / self.service_name

    def open_encryption(self) -> Encryption | None:
        """Return what the setting `encryption` names, for what seals single fields.

        Raises:
            ValueError: It cannot be used.
        """
        return None if self.encryption is None else encryption_of(self.encryption, self.spool_folder)

    @property
    def retention(self) -> Retention | None:
        """Return when spooled records are deleted undelivered; None where that was not asked for."""
        if self.retention_seconds is None and self.retention_bytes is None:
            return None
        size_bytes = self.retention_bytes
        # Beyond `spool_bytes_max` new records would be refused: the old ones must go first.
        bytes_max = None if size_bytes is None else min(size_bytes, self.spool_bytes_max)
        return Retention(self.retention_seconds, bytes_max)

    @property
    def stream_name(self) -> str:
        """Return the data stream, or the default one."""
        return self.stream or stream_of(self.service_name, self.namespace)

    @property
    def service_name(self) -> str:
        """Return the service's name as other names may hold it."""
        return _as_name(self.service)


def used_by(name: str) -> UsedBy:
    """Return which programs use a setting.

    Args:
        name: The setting's.
    """
    (used,) = (each for each in Settings.model_fields[name].metadata if isinstance(each, UsedBy))
    return used


def settings_of(program: Program) -> list[str]:
    """Return the names of the settings that a program uses, in the model's order."""
    return [name for name in Settings.model_fields if program in used_by(name).programs]


def is_path(name: str) -> bool:
    """Whether a setting names a file or folder.

    Args:
        name: The setting's.
    """
    return Path in get_args(Settings.model_fields[name].annotation)


def is_secret(name: str) -> bool:
    """Whether a setting's value must not be shown, nor be a flag: every user can read command lines.

    Args:
        name: The setting's.
    """
    return SecretStr in get_args(Settings.model_fields[name].annotation)


def chain_of(settings: Settings) -> Chain:
    """Return what is done to every record.

    Args:
        settings: Beside `processors`, those that imply a processor: labels, sealing, namespaces, masking.

    Raises:
        ProcessorError: A processor cannot be loaded: no record may be written without it.
    """
    implied = ["add_labels"] if settings.labels and "add_labels" not in settings.processors else []
    chain: list[object] = [*implied, *settings.processors]
    sealing = settings.encrypt_fields or settings.token_fields or settings.fernet_keys
    if sealing and "encrypt_fields" not in chain:
        chain.append("encrypt_fields")
    if settings.namespaces and "route_namespace" not in chain:
        chain.append("route_namespace")
    if settings.mask is not None and "mask" not in chain:
        # What is sealed cannot be masked any more.
        behind = [chain.index(each) for each in ("encrypt_fields", "route_namespace") if each in chain]
        chain.insert(min(behind, default=len(chain)), "mask")
    return load_chain(chain, settings)


def protection_of(settings: Settings, spool: Path | None = None) -> Protection:
    """Return how the spool and the files beside it are stored: decided here for everybody who opens one.

    Args:
        settings: The settings.
        spool: The spool folder in use; by default that of the settings.

    Raises:
        ValueError: What `encryption` names cannot be used: nothing may be written without it.
    """
    if settings.encryption is None:
        return UNPROTECTED
    encryption = encryption_of(settings.encryption, settings.spool_folder, used_spool=spool)
    return Protection(encryption.codecs(), encryption.lines(), encryption, settings.encryption.key_index)


def changed(before: Settings, after: Settings) -> list[str]:
    """Return the names of the settings that differ.

    Args:
        before: The earlier settings.
        after: The later ones.
    """
    return [name for name in Settings.model_fields if getattr(before, name) != getattr(after, name)]


def derived_names(settings: Settings) -> dict[Literal["spool", "stream"], str]:
    """Return the names made of the service's that had to be written otherwise, by their setting.

    Args:
        settings: What gives the service's name, and which names are given by hand.
    """
    name = _as_name(settings.service)
    names: dict[Literal["spool", "stream"], str] = {}
    if name == settings.service:
        return names
    if settings.spool is None:
        names["spool"] = name
    if settings.elasticsearch and settings.stream is None:
        names["stream"] = settings.stream_name
    return names


def _as_name(service: str) -> str:
    return re.sub(r"[^a-z0-9_.]+", "_", service.lower()).strip("._") or UNKNOWN_SERVICE
