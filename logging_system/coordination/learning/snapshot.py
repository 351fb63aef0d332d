"""What a miner knows, as JSON can hold it, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from logging_system.coordination.learning.beyond import Beyond
from logging_system.coordination.learning.shapes import TOKENS_MAX
from logging_system.coordination.learning.template import Member, Template

FORM = 1

Groups = list[tuple[int, list[Member]]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a miner knows.

    Attributes:
        templates_max: Its bound.
        beyond: What was more than the bounds allow.
        groups: Of each template, how many lines it counted and the shapes that it was learned from.
    """

    templates_max: int
    beyond: Beyond
    groups: Groups


def groups(templates: Iterable[Template]) -> Groups:
    """Return of each template its count and its shapes, in an order that does not depend on how they came."""
    return sorted(((it.count, sorted(it.members)) for it in templates), key=lambda group: group[1])


def as_json(templates: Iterable[Template], templates_max: int, beyond: Beyond) -> dict[str, Any]:
    """Return what a miner knows, as JSON can hold it; two that know the same give the same.

    Args:
        templates: All that it knows, in any order.
        templates_max: How many it may know.
        beyond: What was more than the bounds allow.
    """
    return {
        "form": FORM,
        "templates_max": templates_max,
        "beyond": asdict(beyond),
        "templates": [
            {
                "id": it.template_id,
                "text": it.text,
                "count": it.count,
                "shapes": [[list(member.shape), f"{member.spaces:x}"] for member in sorted(it.members)],
            }
            for it in sorted(templates, key=lambda it: it.template_id)
        ],
    }


def read(kept: Mapping[str, Any]) -> Snapshot:
    """Return what `as_json` wrote.

    Args:
        kept: What was written.

    Raises:
        ValueError: It is not the content of a miner.
    """
    if kept.get("form") != FORM:
        raise ValueError(
            f"templates: form {kept.get('form')!r} is not known, {FORM} is; start without this file"
        )
    try:
        return Snapshot(
            _whole(kept["templates_max"]),
            Beyond(**{name: _whole(count) for name, count in kept["beyond"].items()}),
            [(_whole(it["count"]), [_member(*shape) for shape in it["shapes"]]) for it in kept["templates"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"templates: no content of a miner ({error!r}); start without this file") from error


def _whole(number: object) -> int:
    if not isinstance(number, int):
        raise TypeError(f"{number!r} is no whole number")
    return number


def _member(tokens: list[str], spaces: str) -> Member:
    if not all(isinstance(token, str) for token in tokens):
        raise TypeError("the tokens of a shape are strings")
    if len(tokens) > TOKENS_MAX:
        raise TypeError(f"a shape of {len(tokens)} tokens; {TOKENS_MAX} are allowed")
    # A bit a token: as a number, more than most readers of JSON can take.
    if not isinstance(spaces, str) or len(spaces) > TOKENS_MAX:
        raise TypeError(f"the spaces of a shape are hexadecimal digits, not {str(spaces)[:20]!r}")
    return Member(tuple(tokens), int(spaces, 16))
