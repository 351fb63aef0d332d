"""What a look at a project finds: handlers, collectors, stores, build pipelines, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.declarations import Scalar


class Kind(StrEnum):
    """How lines leave the application, as far as it decides how a stack file for it looks."""

    LOGGING_SYSTEM = "logging_system"
    OWN = "own"
    ELASTICSEARCH = "elasticsearch"
    LOGSTASH = "logstash"
    OPENTELEMETRY = "opentelemetry"
    FILE = "file"
    LOGURU = "loguru"
    SYSLOG = "syslog"
    COLLECTOR = "collector"
    STREAM = "stream"


class Ci(StrEnum):
    """What runs a project's builds."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JENKINS = "jenkins"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file: its path as seen from the project's folder, and the line from 1 on."""

    path: str
    line: int

    def __str__(self) -> str:
        """Return it as editors and terminals understand it."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Outlet:
    """A way by which lines leave the application: a handler, or a collector that is configured here.

    Attributes:
        kind: what sort it is.
        title: what people call it.
        place: where it was seen.
        class_path: `package.module:Class` of a handler; empty for others.
        arguments: what it is given by keyword, as far as the values are written there.
        unread: names of arguments whose values are not written there.
        nested: those whose values are written there and are no plain ones: lists, mappings, None.
        parameters: the names its constructor takes and their defaults, where its class is the project's;
            None where a default is not written or there is none.
        acknowledges: whether it has an attribute `on_durable`.
        settings: what a collector's file says: `port`, `transport`, `path`.
        under_src: whether its module lies below `src/`, so that the project must be installed.
    """

    kind: Kind
    title: str
    place: Place
    class_path: str = ""
    arguments: Mapping[str, Scalar] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    nested: Mapping[str, object] = field(default_factory=dict)
    parameters: Mapping[str, Scalar | None] = field(default_factory=dict)
    acknowledges: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    under_src: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """Where stored lines are: `Elasticsearch` or `OpenSearch`, by a URL in a file or a compose service."""

    title: str
    place: Place


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A file that describes builds."""

    ci: Ci
    place: Place


@dataclass(frozen=True, slots=True)
class Survey:
    """All that was seen, best first.

    Attributes:
        name: what the project is called, fit for the name of a stack.
        outlets: ways by which lines leave the application; those that can be run as they are come first.
        stores: where lines are stored.
        pipelines: what runs builds.
        structlog: where structlog is configured, None where it is not.
        install: the shell line that installs the project and what it needs; empty where no file says so.
        unreadable: files that could not be read, and why.
        files: how many files were read.
        cut: whether there are more files than are looked at.
    """

    name: str
    outlets: tuple[Outlet, ...] = ()
    stores: tuple[Store, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    structlog: Place | None = None
    install: str = ""
    unreadable: tuple[str, ...] = ()
    files: int = 0
    cut: bool = False
