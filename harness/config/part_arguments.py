"""The arguments a file gives a part, judged against the class that the part's word names.

An argument is what the class's constructor takes as a scalar (`part_signature.py`). Whatever else it takes
comes from the run and cannot be written in a file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.config.part_signature import SCALARS, PartSignature, signature_of
from harness.config.validation import misspelt, sentence, shown
from harness.config.yaml_source import KeyPath, Mistake
from harness.model.errors import ScenarioError
from harness.model.registry import Family, unknown

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
        signature = signature_of(part_class)
    except (NameError, TypeError) as error:
        return [Mistake((*where, word_key), f"{noun} is no class whose arguments can be read: {error}.")]
    mistakes = _constructor_mistakes(signature, noun, arguments, where, own_keys)
    return mistakes or _value_mistakes(part_class, arguments, where)


def _constructor_mistakes(
    signature: PartSignature,
    noun: str,
    arguments: Mapping[str, object],
    where: KeyPath,
    own_keys: Collection[str],
) -> list[Mistake]:
    known = signature.arguments
    words = dict.fromkeys((*own_keys, *known))
    missing = [name for name, argument in known.items() if argument.required and name not in arguments]
    # By what it was called instead a missing one is told.
    meant = {key: name for name in missing if (key := misspelt(name, arguments, words)) is not None}
    mistakes = [
        Mistake((*where, name), f"is missing; {noun} cannot do without it. Add it.")
        for name in missing
        if name not in meant.values()
    ]
    for key, value in arguments.items():
        here = (*where, key)
        if key in meant:
            what = f'did you mean "{meant[key]}"? {noun} cannot do without it.'
            mistakes.append(Mistake(here, what))
        elif key in known:
            mistakes += _type_mistakes(known[key].hint, value, here)
        elif not signature.takes_more or not key.startswith(signature.prefixes):
            mistakes.append(Mistake(here, f"{noun} has {unknown('argument', key, words)}"))
        elif not isinstance(value, SCALARS):
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
