"""The arguments of a part, read from its class.

Names, types and defaults come from the constructor, meanings from the `Args:` of the docstring. This is the
one source for what loaders accept, `logquake list`, the JSON Schemas and the reference page.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

SCALARS = (str, int, float, bool)
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
_ENTRY = re.compile(r"^(\w+): (.*)$")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that a file can give.

    Attributes:
        name: as the file writes it.
        hint: its type.
        required: whether there is no default.
        default: what it is where the file does not say; None where it is required, or where none is meant.
        meaning: what it does, with its unit and bounds, in one line.
    """

    name: str
    hint: Any
    required: bool
    default: object
    meaning: str

    def type_words(self) -> str:
        """Return the type for a person, e.g. `whole number`, or `upstream or downstream`."""
        if get_origin(self.hint) is Literal:
            return " or ".join(str(choice) for choice in get_args(self.hint))
        return " or ".join(_WORDS[choice] for choice in _choices(self.hint) if choice is not NoneType)

    def default_words(self) -> str:
        """Return the default as a file would write it; `required`, or `none`, where there is none."""
        if self.required:
            return "required"
        if self.default is None:
            return "none"
        if isinstance(self.default, bool):
            return str(self.default).lower()
        if isinstance(self.default, int | float):
            return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)
        return str(self.default) or "empty"


@dataclass(frozen=True, slots=True)
class PartSignature:
    """What a part takes from a file.

    Attributes:
        arguments: by name, in the constructor's order.
        takes_more: whether it takes other keywords as well, and what those mean; empty where it does not.
        prefixes: how those other keywords must begin; a single empty text where anything goes.
        about: the first paragraph of the class's docstring.
    """

    arguments: Mapping[str, Argument]
    takes_more: str
    prefixes: tuple[str, ...]
    about: str


def signature_of(part_class: Any) -> PartSignature:
    """Read a class.

    Args:
        part_class: a fault, schedule, intake or other part; also a function that makes one.

    Returns:
        Its scalar arguments in their order, each with its type, default and meaning, and what it says of
        itself.

    Raises:
        NameError, TypeError: it is no class, or its annotations cannot be read.
    """
    parameters = inspect.signature(part_class).parameters.values()
    hints = get_type_hints(part_class.__init__ if inspect.isclass(part_class) else part_class)
    meanings = dict(_meanings(part_class))
    arguments = {
        each.name: Argument(
            each.name,
            hints[each.name],
            each.default is inspect.Parameter.empty,
            None if each.default is inspect.Parameter.empty else each.default,
            meanings.get(each.name, ""),
        )
        for each in parameters
        if each.kind is not inspect.Parameter.VAR_KEYWORD and _is_scalar(hints.get(each.name))
    }
    others = [each.name for each in parameters if each.kind is inspect.Parameter.VAR_KEYWORD]
    return PartSignature(
        arguments,
        meanings.get(others[0], "more arguments") if others else "",
        # A class that takes any keyword may say how those must begin; else a typo would pass for one of them.
        tuple(getattr(part_class, "argument_prefixes", ("",))),
        _about(part_class),
    )


def _is_scalar(hint: object) -> bool:
    """Tell whether a file can give it; whatever else a constructor takes comes from the run."""
    return get_origin(hint) is Literal or all(choice in (*SCALARS, NoneType) for choice in _choices(hint))


def _choices(hint: object) -> tuple[Any, ...]:
    return get_args(hint) or (hint,)


def _docstrings(part_class: Any) -> list[str]:
    own = part_class.__init__ if inspect.isclass(part_class) else None
    return [inspect.getdoc(each) or "" for each in (part_class, own) if each is not None]


def _meanings(part_class: Any) -> Iterator[tuple[str, str]]:
    """Yield (name, meaning) of each entry under `Args:`; an entry goes on where its lines are indented."""
    for text in _docstrings(part_class):
        _, _, section = text.partition("\nArgs:\n")
        entry: list[str] = []
        for line in [*section.splitlines(), ""]:
            if entry and not line.startswith("        "):
                name, first = _named(entry[0])
                yield name, " ".join([first, *entry[1:]])
                entry = []
            if not line.startswith("    "):
                break
            if entry or _ENTRY.match(line.strip()):
                entry.append(line.strip())


def _named(line: str) -> tuple[str, str]:
    matched = _ENTRY.match(line)
    assert matched is not None  # noqa: S101 - only such a line begins an entry
    return matched[1], matched[2]


def _about(part_class: Any) -> str:
    """Return the docstring's first paragraph on one line."""
    return " ".join((inspect.getdoc(part_class) or "").partition("\n\n")[0].split())
