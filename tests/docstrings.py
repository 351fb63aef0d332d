"""What the public names of both packages are, and what their docstrings leave unsaid.

Public are the names without a leading underscore in public modules (`docs/site/public_names.py`). Those that
people write against are *published*: they are in a package's `__all__`, or in a module of `WRITTEN_AGAINST`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from docs.site.public_names import PACKAGES, public_modules
from tests.repository import REPOSITORY

WRITTEN_AGAINST = (
    "harness/model/*.py",
    "harness/judging/checker.py",
    "harness/targets/capabilities.py",
    "harness/testing.py",
    "harness/integrations/pytest_plugin.py",
    "logging_system/records/document.py",
    "logging_system/records/processors.py",
    "logging_system/keys/provider.py",
    "logging_system/masking/rule.py",
)
"""Modules whose names people's own faults, checks, processors and key providers use."""
_NOTHING = frozenset({"None", "NoReturn", "Never"})
_SAYS_WHAT_COMES_BACK = re.compile(
    r"\b(return|returns|yield|yields|say|says|tell|whether)\b|^(Returns|Yields):$"
    r"|^(The|A|An|How|What|Which|Where|When|Why) ",
    re.MULTILINE | re.IGNORECASE,
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Name:
    """A public function, method or class, and what its docstring leaves out.

    Attributes:
        where: Its module's path, line and name.
        module: The module's path, from the repository's root.
        published: Whether people write against it.
        unsaid: `returns`, or the name of each parameter, field or exception that is not mentioned.
    """

    where: str
    module: PurePosixPath
    published: bool
    unsaid: tuple[str, ...]


@cache
def names() -> tuple[Name, ...]:
    """Return every public name of both packages, by module and line; some seconds the first time."""
    return tuple(_names())


def _names() -> Iterator[Name]:
    exported = _exported()
    for module, tree in modules().items():
        whole = any(module.match(pattern) for pattern in WRITTEN_AGAINST)
        for node in tree.body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            published = whole or (module, node.name) in exported
            for each, name, unsaid in _of(node, published):
                yield Name(f"{module}:{each.lineno} {name}", module, published, unsaid)


@cache
def modules() -> dict[PurePosixPath, ast.Module]:
    """Return the public modules, by path from the repository's root."""
    return {
        module: ast.parse((REPOSITORY / module).read_text(encoding="utf-8")) for module in public_modules()
    }


def _exported() -> set[tuple[PurePosixPath, str]]:
    """Return the names in `__all__` of every package, each with the module that defines it."""
    found = set()
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("__init__.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module and "__all__" in ast.dump(tree):
                    module = PurePosixPath(*node.module.split(".")).with_suffix(".py")
                    found |= {(module, alias.name) for alias in node.names}
    return found


Unsaid = tuple[Function | ast.ClassDef, str, tuple[str, ...]]


def _of(node: Function | ast.ClassDef, published: bool) -> Iterator[Unsaid]:
    if isinstance(node, Function):
        yield node, node.name, unsaid_of_function(node, _parameters(node), published)
        return
    yield node, node.name, unsaid_of_class(node, published)
    for method in node.body:
        if isinstance(method, Function) and not method.name.startswith("_"):
            parameters = _parameters(method)[0 if _is(method, "staticmethod") else 1 :]
            if not _keeps_a_protocol(node, method):
                yield method, f"{node.name}.{method.name}", unsaid_of_function(method, parameters, published)


def unsaid_of_function(node: Function, parameters: list[ast.arg], published: bool) -> tuple[str, ...]:
    """Return what a function's docstring leaves out.

    Of names that are not published, a parameter may be explained by its type: its name is that of a class of
    ours, which has a docstring of its own.
    """
    text = ast.get_docstring(node) or ""
    comes_back = node.returns is not None and ast.unparse(node.returns) not in _NOTHING
    silent = comes_back and not _is(node, "property") and not _SAYS_WHAT_COMES_BACK.search(text)
    raised = [each for each in _raised(node) if each not in text]
    return (*_unnamed(parameters, text, published), *(["returns"] if silent else []), *raised)


def unsaid_of_class(node: ast.ClassDef, published: bool) -> tuple[str, ...]:
    """Return which parameters of its constructor, or fields of a published one, a class leaves out."""
    text = ast.get_docstring(node) or ""
    made = [each for each in node.body if isinstance(each, Function) and each.name == "__init__"]
    if made:
        return _unnamed(_parameters(made[0])[1:], text + (ast.get_docstring(made[0]) or ""), published)
    return _unnamed(_fields(node), text, published) if published else ()


def _fields(node: ast.ClassDef) -> list[ast.arg]:
    """Return the fields that have no docstring of their own."""
    followed = zip(node.body, [*node.body[1:], None], strict=True)
    return [
        ast.arg(each.target.id, each.annotation)
        for each, after in followed
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and not each.target.id.startswith("_")
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]


def _parameters(node: Function) -> list[ast.arg]:
    given = node.args
    more = [each for each in (given.vararg, given.kwarg) if each]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *more]


def _unnamed(parameters: list[ast.arg], text: str, published: bool) -> tuple[str, ...]:
    return tuple(
        each.arg
        for each in parameters
        if not each.arg.startswith("_")
        and not re.search(rf"\b{each.arg}\b", text)
        and (published or not _named_by_type(each))
    )


def _named_by_type(parameter: ast.arg) -> bool:
    words = re.findall(r"\w+", ast.unparse(parameter.annotation)) if parameter.annotation else []
    snakes = [
        re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", word).lower()
        for word in words
        if word in {*_classes(), "Path"}
    ]
    bare = parameter.arg.removesuffix("s")
    return any(f"_{snake}".endswith(f"_{bare}") or f"_{bare}".endswith(f"_{snake}") for snake in snakes)


@cache
def _classes() -> Collection[str]:
    return {
        node.name for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    }


@cache
def _of_protocols() -> Collection[tuple[str, str, tuple[str, ...]]]:
    return {
        (module.parts[0], each.name, _words(each))
        for module, tree in modules().items()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and _is_protocol(node)
        for each in node.body
        if isinstance(each, Function)
    }


def _is_protocol(node: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) or "ABC" in ast.unparse(base) for base in node.bases)


def _keeps_a_protocol(node: ast.ClassDef, method: Function) -> bool:
    """Return whether a method is one of a protocol, where it is explained once for all that keep it."""
    return not _is_protocol(node) and any(
        (package, method.name, _words(method)) in _of_protocols() for package in PACKAGES
    )


def _words(node: Function) -> tuple[str, ...]:
    """Return the names of the parameters, without the underscore of one that is not used."""
    return tuple(each.arg.lstrip("_") for each in _parameters(node))


def _is(node: Function, word: str) -> bool:
    return any(word in ast.unparse(each) for each in node.decorator_list)


def _raised(node: Function) -> list[str]:
    """Return the classes of the exceptions in a function's own `raise` statements."""
    found: list[str] = []
    for each in ast.walk(node):
        if isinstance(each, ast.Raise) and each.exc is not None:
            called = each.exc.func if isinstance(each.exc, ast.Call) else each.exc
            word = ast.unparse(called).rpartition(".")[2]
            if word[:1].isupper() and word not in {*found, "NotImplementedError", "AssertionError"}:
                found.append(word)
    return found
