"""Looks at a project's folder: one pass over its files, nothing imported, nothing run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from harness.onboarding.collectors import collectors_in
from harness.onboarding.handler_call import OwnClass, own_classes
from harness.onboarding.handlers_in_code import configurations_in, handlers_in, structlog_in
from harness.onboarding.logging_config import configurations_in_data, handlers_in_ini, handlers_of
from harness.onboarding.project_files import ProjectFiles, SourceFile, read_project
from harness.onboarding.python_code import Module, parse_module
from harness.onboarding.seen import Kind, Outlet, Survey
from harness.onboarding.surroundings import install_line, pipelines_in, project_name, stores_in

_DATA = (".yaml", ".yml", ".json")
_INI = (".ini", ".cfg", ".conf")
# Where a collector listens that takes what a handler of a kind sends.
_TAKEN_BY = {
    Kind.LOGSTASH: ("tcp", "udp"),
    Kind.OPENTELEMETRY: ("otlp",),
    Kind.SYSLOG: ("tcp", "udp"),
    Kind.STREAM: ("file",),
}
# What can be run as it is comes first; of equals, the one nearest the top of the project.
_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def look_at(folder: Path) -> Survey:
    """Return what a project's files say of how it logs.

    Args:
        folder: the project's folder.
    """
    read = read_project(folder)
    modules = list(_modules(read))
    own = own_classes(modules)
    outlets = [*_in_code(modules, own), *_in_data(read.files, own)]
    places = [place for module in modules if (place := structlog_in(module)) is not None]
    return Survey(
        name=project_name(read.files, folder.resolve().name),
        outlets=tuple(sorted(_paired(_distinct(outlets)), key=_order)),
        stores=stores_in(read.files),
        pipelines=pipelines_in(read.files),
        structlog=min(places, default=None),
        install=install_line(read.files),
        unreadable=tuple(read.unreadable),
        files=len(read.files),
        cut=read.cut,
    )


def _modules(read: ProjectFiles) -> Iterable[Module]:
    for file in read.files:
        if not file.path.endswith(".py"):
            continue
        module = parse_module(file)
        if isinstance(module, str):
            read.not_read(file.path, module)
        else:
            yield module


def _in_code(modules: Iterable[Module], own: dict[str, OwnClass]) -> Iterable[Outlet]:
    for module in modules:
        yield from handlers_in(module, own)
        for configured in configurations_in(module):
            yield from handlers_of(configured, own)


def _in_data(files: Iterable[SourceFile], own: dict[str, OwnClass]) -> Iterable[Outlet]:
    for file in files:
        if file.path.endswith(_DATA):
            for configured in configurations_in_data(file):
                yield from handlers_of(configured, own)
        if file.path.endswith(_INI):
            yield from handlers_in_ini(file, own)
        yield from collectors_in(file)


def _distinct(outlets: Iterable[Outlet]) -> list[Outlet]:
    return list({(each.place, each.class_path, each.title): each for each in outlets}.values())


def _paired(outlets: list[Outlet]) -> Iterable[Outlet]:
    """Give each handler that sends to a collector what the project's own collector of that sort says."""
    collectors = [each for each in outlets if each.kind is Kind.COLLECTOR]
    for outlet in outlets:
        takes = _TAKEN_BY.get(outlet.kind, ())
        collector = next((each for each in collectors if each.settings.get("transport") in takes), None)
        yield outlet if collector is None else replace(outlet, settings=collector.settings)


def _order(outlet: Outlet) -> tuple[int, int, str, int]:
    return _RANK[outlet.kind], outlet.place.path.count("/"), outlet.place.path, outlet.place.line
