"""A handler that takes a list of addresses: a stack file holds no list, so a function beside it makes one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.onboarding.seen import Outlet

_LISTS = re.compile(r"(.*_)?(hosts|ur[il]s|nodes|servers|endpoints|addresses)")
_ADAPTER = '''"""{name}, as {place} makes it: a stack file holds no lists. Drafted by `logquake init`."""

from {module} import {name}


def make({parameters}, **others):
    return {name}({given}, **others)
'''


def is_list_of_addresses(key: str) -> bool:
    """Return whether an argument of that name is likely to be a list of addresses, e.g. `hosts`.

    Args:
        key: the argument's name.
    """
    return _LISTS.fullmatch(key) is not None


def address_in_list(key: str, value: object) -> str:
    """Return the address of a run that is to be the only one of a list; empty where no such list is meant.

    Args:
        key: the argument's name.
        value: what is written there, None where nothing is. Only texts are understood: `http://a:9200` or
            `a:9200`.
    """
    addresses = list(value) if isinstance(value, list | tuple) else []
    is_other = value is not None and not isinstance(value, list | tuple)
    if is_other or not is_list_of_addresses(key) or not all(isinstance(each, str) for each in addresses):
        return ""
    is_url = not addresses or any("://" in each for each in addresses)
    return "{to_store.url}" if is_url else "{to_store.host}:{to_store.port}"


def list_adapter(name: str, outlet: Outlet, listed: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """Return what a stack file names as the handler, and the module beside it that has it, text by file name.

    Args:
        name: the stack's.
        outlet: the handler.
        listed: which of its arguments are lists; each gets one address.
    """
    module, _, class_name = outlet.class_path.partition(":")
    text = _ADAPTER.format(
        place=outlet.place,
        module=module,
        name=class_name,
        parameters=", ".join(listed),
        given=", ".join(f"{key}=[{key}]" for key in listed),
    )
    return f"{name}_handler:make", {f"{name}_handler.py": text}
