"""A draft: the text of a stack file, what lies beside it, and what only its owner can fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.declarations import FILL_IN, Scalar
from harness.onboarding.seen import Outlet

_SECRET = re.compile(r"passw|secret|token|api_?key|credential|(^|_)auth")
BY_RETURN = (
    "# A log call that returned counts as accepted: the application has no other answer.\n"
    "acknowledged_by: return\n"
)


class FirstFault(StrEnum):
    """What the first scenario does to a stack: to its link to the store, or to the application itself."""

    STORE = "store"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is drafted for one outlet.

    Attributes:
        stack: the text of the stack file.
        fault: what the first scenario does.
        beside: further files in the stack file's folder, text by name.
        to_fill_in: what the draft cannot know, in sentences; empty where it can be run as it is.
    """

    stack: str
    fault: FirstFault
    beside: Mapping[str, str] = field(default_factory=dict)
    to_fill_in: tuple[str, ...] = ()


def literal(value: Scalar) -> str:
    """Return a value of a project's files as a stack file writes it: its braces are no placeholders."""
    return json.dumps(
        value.replace("{", "{{").replace("}", "}}") if isinstance(value, str) else value, ensure_ascii=False
    )


def quoted(text: str) -> str:
    """Return a text as YAML writes it, placeholders kept."""
    return json.dumps(text, ensure_ascii=False)


def left_out(outlet: Outlet, taken: Collection[str]) -> str:
    """Return comments for the arguments that a draft does not take over, and why.

    Args:
        outlet: the handler.
        taken: names of those that it does.
    """
    unread = (f"{key}: left out, its value is not written in {outlet.place}" for key in outlet.unread)
    nested = (
        f"{key}: left out; a stack file holds no lists or mappings for a handler"
        for key, value in outlet.nested.items()
        if value is not None
    )
    secret = (f"{key}: left out, it looks like a secret" for key in outlet.arguments if is_secret(key))
    lines = (*unread, *nested, *secret)
    return "".join(f"  # {line}\n" for line in lines if line.partition(":")[0] not in taken)


def taken_over(outlet: Outlet, without: Collection[str]) -> dict[str, Scalar]:
    """Return the arguments that a draft takes over as they are: none that looks like a secret.

    Args:
        outlet: the handler.
        without: names of those that have another value in a run, or none.
    """
    return {
        key: value for key, value in outlet.arguments.items() if key not in without and not is_secret(key)
    }


def is_secret(key: str) -> bool:
    """Return whether an argument of that name is likely to hold a secret, which no draft may copy.

    Args:
        key: the argument's name, in either case; words such as `password`, `token` or `api_key` in it count.
    """
    return _SECRET.search(key.lower()) is not None


def without_user(url: str) -> str:
    """Return a text with the user and the password of a URL in it replaced.

    Args:
        url: any text; one without `user:password@` in it comes back as it is.
    """
    return re.sub(r"://[^/@\s]*@", "://…@", url)


def opening(name: str, outlet: Outlet, to_fill_in: Iterable[str] = ()) -> str:
    """Return how every draft begins: where it comes from, what is to be filled in, its name and title.

    Args:
        name: the stack's.
        outlet: what it is about.
        to_fill_in: sentences for comments.
    """
    open_points = "".join(f"{FILL_IN}{sentence}\n" for sentence in to_fill_in)
    title = f"{outlet.title}, as {outlet.place} has it"
    return (
        f"# Drafted by `logquake init` from {outlet.place}. `logquake help own-stack` explains every key.\n"
        f"{open_points}version: 1\nname: {name}\ntitle: {quoted(title)}\n"
    )
