"""The child process in which classes that files name by dotted path are imported before anything starts.

    python -P -m harness.config.import_trial SECONDS_MAX FOLDER... < CLASSES.json

Whatever the user's module does (raise, exit, hang, crash) happens here. On standard output: a line when a
class is begun, and one with what is wrong with it, empty where nothing is.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

_CHARACTERS_MAX = 400
_CORRECT = "Correct the module."


def problem(path: str, arguments: Sequence[str] | None, folders: Sequence[str]) -> str:
    """Import one class; say what is wrong with it and what to do, empty where nothing is.

    Args:
        path: `package.module:Class`.
        arguments: the names of what a log handler's constructor is given; None where it is no handler.
        folders: where the user's own code may lie.
    """
    module_name, _, name = path.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        return _not_found(module_name, error, folders)
    except SystemExit as error:
        return f'importing "{module_name}" ends the program (SystemExit: {error.code}). {_CORRECT}'
    except BaseException as error:  # whatever it is: only this process is its
        return f'importing "{module_name}" fails: {_said(error)}. {_CORRECT}'
    if not hasattr(module, name):
        return _no_such_name(module, name, folders)
    return "" if arguments is None else _handler_problem(path, getattr(module, name), arguments)


def _not_found(module_name: str, error: ModuleNotFoundError, folders: Sequence[str]) -> str:
    missing = error.name or ""
    if module_name != missing and not module_name.startswith(f"{missing}."):
        return f'importing "{module_name}" fails: it needs the module "{missing}". Install it.'
    if any(_is_below_src(Path(folder), missing) for folder in folders):
        return f'no module "{missing}" is installed; it lies in src. Install the project: pip install -e .'
    parent, _, last = missing.rpartition(".")
    if parent in sys.modules:
        return _no_such_submodule(sys.modules[parent], last)
    beside = "Put its file beside the stack file or into the current folder, or install it"
    return f'no module "{missing}" is installed, and none lies in {" or ".join(folders)}. {beside}.'


def _is_below_src(folder: Path, module_name: str) -> bool:
    path = Path(folder, "src", *module_name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _no_such_submodule(package: ModuleType, name: str) -> str:
    """Say that a package which can be imported lacks a module: to install it again would not help."""
    known = [each.name for each in iter_modules(getattr(package, "__path__", ()))]
    close = get_close_matches(name, known, n=1)
    hint = f'Did you mean "{package.__name__}.{close[0]}"?' if close else "Name a module that it has."
    return f'"{package.__name__}" ({_place(package)}) has no module "{name}". {hint}'


def _place(module: ModuleType) -> str:
    # A package without `__init__.py` has no file, but folders.
    return getattr(module, "__file__", None) or next(
        iter(getattr(module, "__path__", ())), "the interpreter itself"
    )


def _no_such_name(module: ModuleType, name: str, folders: Sequence[str]) -> str:
    found = _place(module)
    own = [path for folder in folders if (path := Path(folder, f"{module.__name__}.py")).is_file()]
    if own and not any(path.samefile(found) for path in own if Path(found).exists()):
        before = f"{found}, which comes before your {own[0]}"
        return f'"{module.__name__}" is {before}. Give your module another name.'
    close = get_close_matches(name, dir(module), n=1)
    hint = f'Did you mean "{close[0]}"?' if close else "Name a class that it has."
    return f'module "{module.__name__}" ({found}) has no "{name}". {hint}'


def _handler_problem(path: str, handler: Any, arguments: Sequence[str]) -> str:
    if not callable(handler) or (isinstance(handler, type) and not issubclass(handler, logging.Handler)):
        return f'"{path}" is not a logging.Handler. Name one.'
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return ""  # written in C, and silent about what it takes
    try:
        signature.bind(**dict.fromkeys(arguments))
    except TypeError as error:
        return f'"{path}" takes {signature}: {error}. {_remedy(signature, arguments)}'
    return ""


def _remedy(signature: inspect.Signature, arguments: Sequence[str]) -> str:
    """Say what to do where a constructor cannot be called with the arguments of these names."""
    named = {
        name: each
        for name, each in signature.parameters.items()
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }
    free = [name for name in named if name not in arguments]
    unknown = [name for name in arguments if name not in named]
    for name in unknown:
        if close := get_close_matches(name, free, n=1):
            return f'Did you mean "{close[0]}" by "{name}"?'
    if required := [name for name in free if named[name].default is inspect.Parameter.empty]:
        return f"Write beside it: {', '.join(required)}."
    return f"Remove {', '.join(unknown)}." if unknown else "Name a function that makes it."


def _said(error: BaseException) -> str:
    """Return an error in one line, with the place where it was raised."""
    said = " ".join(str(error).split())
    if len(said) > _CHARACTERS_MAX:
        said = f"{said[:_CHARACTERS_MAX]}…"
    # A SyntaxError names its own place; the frame would be the importer's.
    frames = [] if isinstance(error, SyntaxError) else traceback.extract_tb(error.__traceback__)
    at = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {said}{at}" if said else f"{type(error).__name__}{at}"


def _try_all(
    classes: Iterable[Mapping[str, Any]], folders: Sequence[str], tell: Callable[[str | None], None]
) -> None:
    for each in classes:
        tell(None)
        tell(problem(each["path"], each["arguments"], folders))


def main(arguments: Sequence[str]) -> None:
    """Try the classes that standard input names, and end within the given seconds.

    Args:
        arguments: the seconds (a decimal number) after which the process ends whatever it does, then the
            folders in which the user's own modules are.
    """
    seconds_max, *folders = arguments
    # Its parent may be gone by then; the default answer to SIGALRM ends the process whatever it is doing.
    signal.setitimer(signal.ITIMER_REAL, float(seconds_max))
    # Bytes: PYTHONIOENCODING may say anything.
    classes = json.loads(sys.stdin.buffer.read())
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    sys.path.extend(folder for folder in folders if folder not in sys.path)

    def tell(said: str | None) -> None:
        answers.write(json.dumps(said).encode() + b"\n")

    _try_all(classes, folders, tell)
    # A thread that the user's module has started would keep the process.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
