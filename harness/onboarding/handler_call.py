"""What a handler is given: from a call in Python or a mapping in a configuration, as far as it is written."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.model.declarations import Scalar
from harness.onboarding.known_handlers import BASES, KNOWN, POSITIONAL, class_path
from harness.onboarding.python_code import UNWRITTEN, Module
from harness.onboarding.seen import Kind, Outlet, Place

_BASES_MAX = 20


@dataclass(frozen=True, slots=True)
class OwnClass:
    """A handler class of the project.

    Attributes:
        module: where it is defined.
        node: its syntax.
        base: the dotted name of the class of `logging` or another package that it builds on.
    """

    module: Module
    node: ast.ClassDef
    base: str

    def parameters(self) -> dict[str, Scalar | None]:
        """Return what its constructor takes by name, with the defaults that are written."""
        for node in self.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                return _parameters(node.args, self.module)
        return dict.fromkeys(POSITIONAL.get(self.base, ()))

    def acknowledges(self) -> bool:
        """Return whether it says which records became durable, by an attribute `on_durable`."""
        return any(
            (isinstance(node, ast.Attribute) and node.attr == "on_durable")
            or (isinstance(node, ast.Name) and node.id == "on_durable")
            for node in ast.walk(self.node)
        )


@dataclass(frozen=True, slots=True)
class Given:
    """Arguments as they are written: by keyword, and by place in order."""

    keywords: Mapping[str, object] = field(default_factory=dict)
    by_place: tuple[object, ...] = ()


def own_classes(modules: Iterable[Module]) -> dict[str, OwnClass]:
    """Return the project's own handler classes by their dotted names.

    Args:
        modules: all modules of the project; a class counts whose bases lead to a handler of another package.
    """
    defined = {
        f"{module.name}.{name}": (module, node) for module in modules for name, node in module.classes.items()
    }
    found = {}
    for dotted, (module, node) in defined.items():
        if base := _foreign_base(dotted, defined):
            found[dotted] = OwnClass(module, node, base)
    return found


def _foreign_base(dotted: str, defined: Mapping[str, tuple[Module, ast.ClassDef]]) -> str:
    """Follow the bases of a class to a handler that is not of the project; "" where they lead elsewhere."""
    waiting, seen, methods = [dotted], set[str](), set[str]()
    while waiting and len(seen) < _BASES_MAX:
        name = waiting.pop()
        if name in KNOWN:
            return name
        if name in BASES:
            return name if not BASES[name] or BASES[name] & methods else ""
        if name in seen or name not in defined:
            continue
        seen.add(name)
        module, node = defined[name]
        methods |= {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
        waiting += [module.dotted(base) for base in node.bases]
    return ""


def _parameters(arguments: ast.arguments, module: Module) -> dict[str, Scalar | None]:
    placed = [*arguments.posonlyargs, *arguments.args][1:]
    found: dict[str, Scalar | None] = dict.fromkeys(each.arg for each in (*placed, *arguments.kwonlyargs))
    with_default = placed[len(placed) - len(arguments.defaults) :] if arguments.defaults else []
    pairs = [
        *zip(with_default, arguments.defaults, strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for parameter, default in pairs:
        value = UNWRITTEN if default is None else module.value(default)
        if isinstance(value, str | int | float | bool):
            found[parameter.arg] = value
    return found


def outlet(dotted: str, given: Given, title: str, place: Place, own: Mapping[str, OwnClass]) -> Outlet:
    """Return a handler as an outlet.

    Args:
        dotted: the dotted name of its class or factory.
        given: what it is given.
        title: what people call it.
        place: where that is written.
        own: the project's own handler classes.
    """
    mine = own.get(dotted)
    parameters = mine.parameters() if mine else dict.fromkeys(POSITIONAL.get(dotted, ()))
    everything = {**dict(zip(parameters, given.by_place, strict=False)), **given.keywords}
    scalars = {key: value for key, value in everything.items() if isinstance(value, str | int | float | bool)}
    return Outlet(
        kind=_kind(dotted, mine),
        title=title,
        place=place,
        class_path=class_path(dotted),
        arguments=scalars,
        unread=tuple(sorted(key for key, value in everything.items() if value is UNWRITTEN)),
        nested={
            key: value for key, value in everything.items() if key not in scalars and value is not UNWRITTEN
        },
        parameters=parameters if mine else {},
        acknowledges=bool(mine and mine.acknowledges()),
        under_src=bool(mine and mine.module.under_src),
    )


def _kind(dotted: str, mine: OwnClass | None) -> Kind:
    if mine is None:
        return KNOWN.get(dotted, Kind.OWN)
    # One that builds on a file handler still writes a file; on any other it does what only its code says.
    return Kind.FILE if KNOWN.get(mine.base) is Kind.FILE else Kind.OWN
