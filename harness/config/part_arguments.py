"""The arguments a file gives a part, judged against the class that the part's word names.

An argument is what the class's constructor takes as a scalar. Whatever else a constructor takes comes from
the run and cannot be written in a file.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.config.validation import sentence, shown
from harness.config.yaml_source import KeyPath, Mistake
from harness.model.errors import ScenarioError
from harness.model.registry import Family, unknown

_SCALARS = (str, int, float, bool)
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def part_mistakes(
    family: Family, part: object, where: KeyPath, own_keys: Collection[str], *, word_key: str = "kind"
) -> list[Mistake]:
    """Return what is wrong with a part's word and its arguments.

    Args:
        family: where the word comes from.
        part: the part as the file has it; anything but a mapping with a word is left to the file's model.
        where: the part's key path.
        own_keys: keys of the mapping that are no arguments.
        word_key: the key that holds the word.

    Returns:
        The mistakes in the order of the file.
    """
    if not isinstance(part, Mapping) or not isinstance(word := part.get(word_key), str):
        return []
    arguments = {str(key): value for key, value in part.items() if key not in own_keys}
    try:
        part_class = family.resolve(word)
    except ScenarioError as error:
        return [Mistake((*where, word_key), str(error))]
    noun = f'{family.noun} "{word}"'
    try:
        mistakes = _constructor_mistakes(part_class, noun, arguments, where, own_keys)
    except (NameError, TypeError) as error:
        return [Mistake((*where, word_key), f"{noun} is no class whose arguments can be read: {error}.")]
    return mistakes or _value_mistakes(part_class, arguments, where)


def _constructor_mistakes(
    part_class: Any, noun: str, arguments: Mapping[str, object], where: KeyPath, own_keys: Collection[str]
) -> list[Mistake]:
    parameters = inspect.signature(part_class).parameters.values()
    hints = _hints(part_class)
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    # A class that takes any keyword may say how those must begin; else a typo would pass for one of them.
    prefixes = getattr(part_class, "argument_prefixes", ("",))
    known = {
        each.name: each
        for each in parameters
        if each.kind is not inspect.Parameter.VAR_KEYWORD and _is_scalar(hints.get(each.name))
    }
    mistakes = [
        Mistake((*where, name), f"is missing; {noun} cannot do without it. Add it.")
        for name, parameter in known.items()
        if parameter.default is inspect.Parameter.empty and name not in arguments
    ]
    for key, value in arguments.items():
        here = (*where, key)
        if key in known:
            mistakes += _type_mistakes(hints[key], value, here)
        elif not takes_any or not key.startswith(prefixes):
            words = dict.fromkeys((*own_keys, *known))
            mistakes.append(Mistake(here, f"{noun} has {unknown('argument', key, words)}"))
        elif not isinstance(value, _SCALARS):
            mistakes.append(Mistake(here, f"must be text, a number, or true/false, not {shown(value)}."))
    return mistakes


def _type_mistakes(hint: Any, value: object, where: KeyPath) -> list[Mistake]:
    try:
        TypeAdapter(hint, config=_STRICT).validate_python(value)
    except ValidationError as error:
        return [Mistake(where, sentence(error.errors()[-1]))]
    return []


def _value_mistakes(part_class: Any, arguments: Mapping[str, object], where: KeyPath) -> list[Mistake]:
    """Let the class judge its own ranges: a fault or a schedule is a plain value, making one does nothing."""
    if not hasattr(part_class, "__dataclass_fields__"):
        return []
    try:
        part_class(**arguments)
    except (ValueError, ScenarioError) as error:
        return [Mistake(where, str(error))]
    return []


def _hints(part_class: Any) -> dict[str, Any]:
    """Return the annotations of the constructor's parameters."""
    own = part_class.__init__ if inspect.isclass(part_class) else part_class
    hints = get_type_hints(own)
    hints.pop("return", None)
    return hints


def _is_scalar(hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return True
    choices = get_args(hint) or (hint,)
    return all(choice in _SCALARS for choice in choices)
