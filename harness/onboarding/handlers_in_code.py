"""The handlers that Python code makes: by their classes, `install`, `basicConfig`, loguru's `add`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from harness.onboarding.handler_call import Given, OwnClass, outlet
from harness.onboarding.known_handlers import KNOWN
from harness.onboarding.logging_config import Configured, is_configuration
from harness.onboarding.python_code import UNWRITTEN, Module
from harness.onboarding.seen import Kind, Outlet, Place

_BASIC = "logging.basicConfig"
_LOGURU = "loguru.logger.add"
STRUCTLOG = "structlog.configure"


def handlers_in(module: Module, own: Mapping[str, OwnClass]) -> Iterator[Outlet]:
    """Yield each handler that a module's code makes.

    Args:
        module: the module.
        own: the project's own handler classes.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield from _called(module, node, own)


def structlog_in(module: Module) -> Place | None:
    """Return where a module configures structlog, if it does."""
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    lines = [call.lineno for call in calls if module.dotted(call.func) == STRUCTLOG]
    return Place(module.file.path, min(lines)) if lines else None


def _called(module: Module, call: ast.Call, own: Mapping[str, OwnClass]) -> Iterator[Outlet]:
    dotted, place = module.dotted(call.func), Place(module.file.path, call.lineno)
    given = _given(module, call)
    if dotted in KNOWN or dotted in own:
        yield outlet(dotted, given, dotted, place, own)
    elif dotted == _BASIC:
        yield from _basic(given, place)
    elif dotted == _LOGURU:
        yield _loguru(given, place)


def _given(module: Module, call: ast.Call) -> Given:
    keywords = {each.arg: module.value(each.value) for each in call.keywords if each.arg is not None}
    placed = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            break
        placed.append(module.value(argument))
    return Given(keywords, tuple(placed))


def _basic(given: Given, place: Place) -> Iterator[Outlet]:
    """Yield what `basicConfig` makes: a file handler where it names a file, else one for standard error."""
    if "handlers" in given.keywords:
        return  # each is seen where it is made
    keywords = {key: value for key, value in given.keywords.items() if key in {"filename", "encoding"}}
    if mode := given.keywords.get("filemode"):
        keywords["mode"] = mode
    if "filename" in keywords:
        yield outlet("logging.FileHandler", Given(keywords), _BASIC, place, {})
    else:
        yield outlet("logging.StreamHandler", Given(), _BASIC, place, {})


def _loguru(given: Given, place: Place) -> Outlet:
    sink = given.by_place[0] if given.by_place else given.keywords.get("sink", UNWRITTEN)
    to_file = isinstance(sink, str)
    keywords = {key: value for key, value in given.keywords.items() if key != "sink"}
    scalars = {key: value for key, value in keywords.items() if isinstance(value, str | int | float | bool)}
    return Outlet(
        Kind.LOGURU if to_file else Kind.STREAM,
        "loguru, writing a file" if to_file else "loguru, writing to a stream or a function",
        place,
        arguments=scalars,
        unread=tuple(sorted(key for key, value in keywords.items() if value is UNWRITTEN)),
        nested={
            key: value for key, value in keywords.items() if key not in scalars and value is not UNWRITTEN
        },
        settings={"path": sink} if isinstance(sink, str) else {},
    )


def configurations_in(module: Module) -> Iterator[Configured]:
    """Yield each mapping of a module that `logging.config.dictConfig` takes, such as Django's `LOGGING`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Dict) and is_configuration(mapping := module.value(node)):
            yield Configured(mapping, _lines(module, node), module.file.path)


def _lines(module: Module, node: ast.Dict) -> dict[str, int]:
    """Return the line of each handler's name in such a mapping."""
    for key, value in zip(node.keys, node.values, strict=True):
        named = key is not None and module.value(key) == "handlers"
        if named and isinstance(value, ast.Dict):
            keys = [each for each in value.keys if each is not None]
            return {str(module.value(each)): each.lineno for each in keys}
    return {"": node.lineno}
