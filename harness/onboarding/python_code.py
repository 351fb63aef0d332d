"""A Python module as its text has it: which name stands for what, which values are written down."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.onboarding.project_files import SourceFile

_STEPS_MAX = 20


class Unwritten:
    """Stands for a value that only running the program tells."""


UNWRITTEN = Unwritten()


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project.

    Attributes:
        file: where it stands.
        name: how it is imported, e.g. `shop.logs`; its folder's place decides, `src/` left out.
        tree: its syntax.
        imported: what each name that is imported stands for, e.g. `lh` → `logging.handlers`.
        constants: the expression that each name of the module is set to, where that happens once.
        classes: the classes defined at the module's top.
        under_src: whether the module lies below `src/`.
    """

    file: SourceFile
    name: str
    tree: ast.Module
    imported: Mapping[str, str]
    constants: Mapping[str, ast.expr]
    classes: Mapping[str, ast.ClassDef] = field(default_factory=dict)
    under_src: bool = False

    def dotted(self, node: ast.expr) -> str:
        """Return what a name or an attribute stands for, e.g. `logging.handlers.SysLogHandler`; else "".

        Args:
            node: any expression; only a name, or attributes of one, stand for something.
        """
        names: list[str] = []
        for _ in range(_STEPS_MAX):
            if not isinstance(node, ast.Attribute):
                break
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        first = self.imported.get(node.id)
        if first is None:
            first = f"{self.name}.{node.id}" if node.id in self.classes else node.id
        return ".".join((first, *reversed(names)))

    def value(self, node: ast.expr, steps_max: int = _STEPS_MAX) -> object:
        """Return the value of an expression, `UNWRITTEN` where the text does not say it.

        A name counts as what it is set to, `os.environ.get` and `os.getenv` as the default they are given.

        Args:
            node: an expression of this module.
            steps_max: how many names and mappings within each other are followed; what goes on is
                `UNWRITTEN`.
        """
        if isinstance(node, ast.Dict) and steps_max > 0:
            return self._mapping(node, steps_max - 1)
        if isinstance(node, ast.List | ast.Tuple) and steps_max > 0:
            return self._sequence(node, steps_max - 1)
        stands_for = self._stands_for(node)
        if stands_for is not None:
            return self.value(stands_for, steps_max - 1) if steps_max > 0 else UNWRITTEN
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return UNWRITTEN

    def _stands_for(self, node: ast.expr) -> ast.expr | None:
        """Return the expression whose value a name, or a look into the environment, has."""
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        asks = isinstance(node, ast.Call) and self.dotted(node.func) in {"os.environ.get", "os.getenv"}
        return node.args[1] if asks and isinstance(node, ast.Call) and len(node.args) > 1 else None

    def _sequence(self, node: ast.List | ast.Tuple, steps_max: int) -> object:
        values = [self.value(each, steps_max) for each in node.elts]
        if UNWRITTEN in values:
            return UNWRITTEN
        return tuple(values) if isinstance(node, ast.Tuple) else values

    def _mapping(self, node: ast.Dict, steps_max: int) -> object:
        mapping: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = UNWRITTEN if key is None else self.value(key, steps_max)
            if isinstance(name, str):
                mapping[name] = self.value(value, steps_max)
        return mapping


def parse_module(file: SourceFile) -> Module | str:
    """Return a module, or what keeps it from being one; nothing of it is run.

    Args:
        file: a `.py` file.
    """
    try:
        tree = ast.parse(file.text)
    except SyntaxError as error:
        return f"no Python: {error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"no Python: {error}"
    parts = file.path.removesuffix(".py").split("/")
    under_src = parts[0] == "src"
    parts = parts[1:] if under_src else parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    package = name if is_package else name.rpartition(".")[0]
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return Module(file, name, tree, dict(_imports(tree, package)), _constants(tree), classes, under_src)


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole, first = alias.name, alias.name.partition(".")[0]
                yield (alias.asname, whole) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            for alias in node.names:
                yield alias.asname or alias.name, f"{origin}.{alias.name}".lstrip(".")


def _origin(node: ast.ImportFrom, package: str) -> str:
    """Return the module that is imported from; one dot is the module's own package, two the one above."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join((*above, *([node.module] if node.module else [])))


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    again: set[str] = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                again |= {target.id} & found.keys()
                found[target.id] = value
    return {name: value for name, value in found.items() if name not in again}
