"""Every setting of the logging system under one name: keyword, file key, environment variable, and flag.

A value comes from the first of these that has it: keyword or command-line flag, environment variable
(`LOGGING_SYSTEM_` and the name in capitals), settings file, default.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from logging_system.config.settings_file import SettingsFileError, read_settings_file
from logging_system.handler.queue import FullPolicy
from logging_system.records.processors import Chain, load_chain
from logging_system.records.record import LABEL_KEY_CHARACTERS_MAX, LABELS_MAX, Durability
from logging_system.records.truncation import Label
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.retention import Retention

ENVIRONMENT_PREFIX = "LOGGING_SYSTEM_"
FILE_SETTING = "settings"
UNKNOWN_SERVICE = "unknown_service"

# https://www.elastic.co/guide/en/elasticsearch/reference/8.19/indices-create-data-stream.html
_STREAM = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,200}")


def _stream(name: str) -> str:
    if not _STREAM.fullmatch(name):
        raise ValueError("a data stream's name has lower case letters, digits, '-', '_' and '.'")
    return name


def _level(name: object) -> object:
    return name.upper() if isinstance(name, str) else name


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(equals and name.strip() for name, equals, _ in pairs):
        raise ValueError("labels are written as name=value,name=value")
    return {name.strip(): label.strip() for name, _, label in pairs}


def _url(url: str) -> str:
    if not re.match(r"https?://[^/\s]", url):
        raise ValueError("a node is written as http://host:9200 or https://host:9200")
    return url


Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_level)]
Urls = Annotated[list[Annotated[str, AfterValidator(_url)]], BeforeValidator(_split)]
Labels = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=LABEL_KEY_CHARACTERS_MAX)], Label],
    Field(max_length=LABELS_MAX),
    BeforeValidator(_pairs),
]
Processors = Annotated[list[Any], BeforeValidator(_split)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What can be set; each field's description is the reference's."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_ignore_empty=True,
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    service: str = Field(
        UNKNOWN_SERVICE,
        min_length=1,
        max_length=100,
        description="`service.name` of every document; names the spool folder and the data stream too.",
    )
    spool: Path | None = Field(
        None,
        description="The spool folder; by default `logging_system/<service>` in `$XDG_STATE_HOME` or "
        "`~/.local/state`. Processes of one service share it.",
    )
    level: Level = Field("INFO", description="What is less severe is not kept.")
    durability: Durability = Field(
        "fsync",
        description="When a record counts as kept: `memory` (queued), `write` (survives SIGKILL), "
        '`fsync` (survives power loss). One call asks for another with `extra={"durability": …}`.',
    )
    processors: Processors = Field(
        default_factory=list,
        description="What is done to every record before it is written anywhere, in order: words "
        "(`add_labels`), paths of your own (`package.module:name`), and in code also objects; in the "
        "environment separated by commas.",
    )
    labels: Labels = Field(
        default_factory=dict,
        description="Labels that every record gets; in the environment `env=prod,version=7`. They come "
        "before all processors, unless `processors` has `add_labels` at another place.",
    )
    when_full: FullPolicy = Field(
        "block_errors",
        description="A full queue: `block_errors` makes ERROR and above wait within `block_seconds` and "
        "drops the newest below; `drop_newest` never waits; `drop_oldest` gives up the oldest that is not "
        "acknowledged.",
    )
    block_seconds: float = Field(
        0.05, ge=0, le=60, description="How long one thread may wait for room in the queue, per second."
    )
    queue_records_max: int = Field(10_000, ge=1, description="Records waiting for the worker.")
    queue_bytes_max: int = Field(32 * 1024 * 1024, ge=1, description="Their bytes, roughly.")
    spool_bytes_max: int = Field(
        1024 * 1024 * 1024,
        ge=4096,
        description="Bytes of the spool folder; beyond it new records are refused.",
    )
    retention_seconds: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Give up spooled records that are older, acknowledged ones included; by default none.",
    )
    retention_bytes: int | None = Field(
        None,
        ge=4096,
        description="Give up the oldest spooled records, acknowledged ones included, rather than let the "
        "folder hold more bytes; by default none is given up, and a full spool refuses new ones.",
    )
    close_seconds: float = Field(
        5.0, gt=0, le=5, description="How long the end of the process may be delayed."
    )
    sender: Literal["thread", "none"] = Field(
        "thread",
        description="`thread` ships from the application's process, one process per spool folder at a time; "
        "`none` leaves it to `python -m logging_system ship`.",
    )
    elasticsearch: Urls = Field(
        default_factory=list, description="URLs of the nodes; in the environment separated by commas."
    )
    stream: Annotated[str, AfterValidator(_stream)] | None = Field(
        None, description="The data stream; by default `logs-<service>-default`."
    )
    request_timeout_seconds: Seconds = Field(10.0, description="How long one request may wait for the store.")
    connections: int = Field(4, ge=1, le=64, description="Most requests under way at once.")
    ca_certs: Path | None = Field(
        None, description="PEM file of the authorities that sign the nodes' certificates."
    )
    verify: bool = Field(True, description="Whether certificates are verified.")
    client_certificate: Path | None = Field(
        None,
        description="PEM file of our certificate, for nodes that ask for one; read again when it changes.",
    )
    client_key: Path | None = Field(
        None, description="PEM file of its key, where that file does not hold it; not encrypted."
    )
    username: str | None = Field(None, description="User name for basic authentication.")
    password: SecretStr | None = Field(None, description="Its password; better in a file.")
    password_file: Path | None = Field(None, description="File with the password; read again when refused.")
    api_key: SecretStr | None = Field(
        None, description="API key as Elasticsearch encodes it; better in a file."
    )
    api_key_file: Path | None = Field(None, description="File with the API key; read again when refused.")
    gzip: bool = Field(False, description="Whether requests are compressed.")
    fallback_file: Path | None = Field(
        None,
        description="Write NDJSON to this file, rotated as `file` is, while Elasticsearch cannot be used; "
        "what goes there is counted as `redirected` and stays there. By default records wait in the spool.",
    )
    fallback_seconds: Seconds = Field(
        300.0, description="How long Elasticsearch may store and refuse nothing before that file is used."
    )
    file: Path | None = Field(
        None, description="Write NDJSON to this file instead of sending to Elasticsearch."
    )
    file_rotate_bytes: int = Field(
        64 * 1024 * 1024, ge=4096, description="Size at which that file is rotated."
    )
    file_rotate_files: int = Field(
        8, ge=1, description="How many such files there are, the current one included; the oldest goes first."
    )
    batch_records_max: int = Field(
        4_000, ge=1, description="Documents in one request; fewer while requests take seconds."
    )
    batch_bytes_max: int = Field(4 * 1024 * 1024, ge=1024, description="Document bytes in one request.")
    linger_seconds: float = Field(0.05, ge=0, le=60, description="How long a document waits for company.")
    status: Path | None = Field(
        None, description="Where `ship` writes its counters as JSON; by default in the spool folder."
    )
    status_port: int | None = Field(
        None, ge=0, le=65535, description="Port on 127.0.0.1 where `ship` serves `/metrics` and `/status`."
    )

    @property
    def spool_folder(self) -> Path:
        """Return the spool folder, the default one included.

        Raises:
            RuntimeError: There is no home folder to put it in.
        """
        if self.spool is not None:
            return self.spool
        state = os.environ.get("XDG_STATE_HOME", "")
        base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
        return base / "logging_system" / _as_name(self.service)

    @property
    def retention(self) -> Retention | None:
        """Return when spooled records give way; None where that was not asked for."""
        return retention_of(self.retention_seconds, self.retention_bytes, self.spool_bytes_max)

    @property
    def stream_name(self) -> str:
        """Return the data stream, the default one included."""
        return self.stream or f"logs-{_as_name(self.service)}-default"


_PROCESSING = ("processors", "labels")

SECRETS = frozenset({"password", "api_key"})
"""Settings that are no flags: a command line can be read by every user of the machine."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting.

    Attributes:
        name: The setting.
        where: Where its value came from.
        what: What is wrong and what would be right; never the value, which may be a secret.
    """

    name: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"

    @property
    def hides_processors(self) -> bool:
        """Whether it leaves open what must be done to every record: then none may be written.

        So it is with a file of settings that cannot be read, and with a misspelt name.
        """
        close = difflib.get_close_matches(self.name, _PROCESSING, n=1, cutoff=0.8)
        return (
            self.name == FILE_SETTING
            or (self.name not in Settings.model_fields and bool(close))
            or (self.name in _PROCESSING)
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings as far as they could be read; what could not has its default.

    Attributes:
        settings: The settings.
        problems: What stands in their way.
        warnings: Environment variables that are no setting; an orchestrator may have set them.
        origins: Where each value that is no default came from, by name.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    origins: Mapping[str, str]

    def where(self, name: str) -> str:
        """Return where the setting's value came from, or where it could be given."""
        return self.origins.get(name, f"{name} ({ENVIRONMENT_PREFIX}{name.upper()})")


def chain_of(settings: Settings) -> Chain:
    """Return what is done to every record.

    Raises:
        ProcessorError: A processor cannot be loaded: no record may be written without it.
    """
    implied = ["add_labels"] if settings.labels and "add_labels" not in settings.processors else []
    return load_chain([*implied, *settings.processors], settings)


def codecs_of(_settings: Settings) -> Codecs:
    """Return how the spool stores its blocks: decided here for everybody who opens a spool."""
    return PLAIN_CODECS


def load_settings(keywords: Mapping[str, Any], *, written: Callable[[str], str] = "{}=".format) -> Loaded:
    """Read the settings from their four sources.

    Args:
        keywords: Arguments or flags that were given; `settings` names the file.
        written: How a keyword is written, for messages.

    Returns:
        The settings and every problem on the way; nothing is raised for a bad value.
    """
    given = {name: value for name, value in keywords.items() if value is not None}
    origins = {name: written(name) for name in given}
    environment = _environment()
    for name in environment.keys() - origins.keys():
        origins[name] = f"{ENVIRONMENT_PREFIX}{name.upper()}"
    path = given.pop(FILE_SETTING, environment.get(FILE_SETTING))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    if path is not None:
        try:
            content = read_settings_file(Path(path))
        except (SettingsFileError, TypeError) as error:
            problems.append(Problem(FILE_SETTING, origins[FILE_SETTING], str(error)))
        else:
            for name, (value, line) in content.items():
                if name not in origins:
                    origins[name] = f"{path}:{line} {name}"
                    given[name] = value
    origins.pop(FILE_SETTING, None)
    for name in sorted(origins.keys() - Settings.model_fields.keys()):
        unknown = Problem(name, origins.pop(name), _unknown(name))
        (problems if given.pop(name, None) is not None else warnings).append(unknown)
    settings, invalid = _validate(given, origins)
    return Loaded(settings, (*problems, *invalid), tuple(warnings), origins)


def _validate(given: dict[str, Any], origins: Mapping[str, str]) -> tuple[Settings, list[Problem]]:
    try:
        return Settings(**given), []
    except ValidationError as error:
        found = {str(each["loc"][0]): each["msg"].removeprefix("Value error, ") for each in error.errors()}
    problems = [Problem(name, origins.get(name, name), message) for name, message in found.items()]
    defaults = {name: Settings.model_fields[name].get_default(call_default_factory=True) for name in found}
    return Settings(**{**given, **defaults}), problems


def _environment() -> dict[str, str]:
    prefix_length = len(ENVIRONMENT_PREFIX)
    return {
        name[prefix_length:].lower(): value
        for name, value in os.environ.items()
        if value and name.upper().startswith(ENVIRONMENT_PREFIX)
    }


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return (
        f'no such setting; did you mean "{close[0]}"?'
        if close
        else "no such setting; see docs/reference/settings.md"
    )


def retention_of(seconds: float | None, size_bytes: int | None, spool_bytes_max: int) -> Retention | None:
    """Return what a spool may hold before its records give way.

    Args:
        seconds: How old records may become; None, however old.
        size_bytes: How many bytes the folder may hold; None gives up none for room.
        spool_bytes_max: At how many bytes new records would be refused: beyond it the old ones must go first.
    """
    if seconds is None and size_bytes is None:
        return None
    return Retention(seconds, None if size_bytes is None else min(size_bytes, spool_bytes_max))


def _as_name(service: str) -> str:
    return re.sub(r"[^a-z0-9_.]+", "_", service.lower()).strip("._") or UNKNOWN_SERVICE


def changed(before: Settings, after: Settings) -> list[str]:
    """Return the names of the settings that differ."""
    return [name for name in Settings.model_fields if getattr(before, name) != getattr(after, name)]
