"""A handler that sends to a store: logquake hosts it, and gives it the address of a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.model.declarations import Scalar
from harness.onboarding.drafts.address_list import address_in_list, is_list_of_addresses, list_adapter
from harness.onboarding.drafts.draft import (
    BY_RETURN,
    Draft,
    FirstFault,
    is_secret,
    left_out,
    literal,
    opening,
    quoted,
    without_user,
)
from harness.onboarding.drafts.hosted_file import draft_hosted_file, names_a_file
from harness.onboarding.seen import Kind, Outlet

_URLS = re.compile(r"(.*_)?(ur[il]|hosts?_url|endpoint|address|elasticsearch|opensearch|store|node)")
_HOSTS = re.compile(r"(.*_)?(host|hostname|server)")
_PORTS = re.compile(r"(.*_)?port")
_INDEXES = re.compile(r"(.*_)?(index|index_name|stream|data_stream)")
# What an index is called before a date or another ending.
_PREFIXES = re.compile(r"(.*_)?(prefix|index_pattern)")
_FOLDERS = re.compile(r"(.*_)?(spool|folder|directory|dir|database_path|buffer_path)")
_LINK = "{to_store.url}"
_NAME = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class _Line:
    """One argument: as the stack file writes it, what it takes the place of, and whether a list is meant."""

    name: str
    value: str
    instead_of: str = ""
    is_list: bool = False


def draft_hosted_store(name: str, outlet: Outlet) -> Draft:
    """Return the draft for a handler that sends to Elasticsearch or what speaks its protocol.

    Args:
        name: the stack's.
        outlet: the handler; one that takes a file and no address is drafted as one that writes a file.
    """
    lines, index = _arguments(name, outlet)
    linked = any("{to_store." in line.value for line in lines)
    if not linked and names_a_file(outlet):
        return draft_hosted_file(name, outlet)
    to_fill_in = tuple(_open_points(outlet, linked=linked))
    listed = [line.name for line in lines if line.is_list]
    beside_told = f"  # {name}_handler.py, beside this file" if listed else ""
    handler, beside = list_adapter(name, outlet, listed) if listed else (outlet.class_path, {})
    given = "".join(
        f"  {line.name}: {line.value}{f'  # in place of {line.instead_of}' if line.instead_of else ''}\n"
        for line in lines
    )
    return Draft(
        opening(name, outlet, to_fill_in)
        + "needs: [elasticsearch]\n"
        + "# Faults hit what goes through this link, so the handler gets its address for the store's.\n"
        + "links: {to_store: elasticsearch}\n"
        + f"intake:\n  kind: python_logging\n  handler: {quoted(handler)}{beside_told}\n{given}"
        + left_out(outlet, {line.name for line in lines})
        + _acknowledged(outlet)
        + "archive:\n  kind: elasticsearch\n"
        + f"  index: {quoted(index)}\n"
        + '  url: "{elasticsearch.url}"  # read past the link: no fault may hit the evidence\n'
        + "  field: message  # of a stored document, the one that holds the line\n"
        + "promises: {durability: memory, copies_max: 1, response_p99_ms: 100}\n",
        FirstFault.STORE,
        beside=beside,
        to_fill_in=to_fill_in,
    )


def _acknowledged(outlet: Outlet) -> str:
    if outlet.acknowledges:
        return "# The handler tells by `on_durable` which records it keeps.\nacknowledged_by: callback\n"
    return BY_RETURN


def _arguments(name: str, outlet: Outlet) -> tuple[list[_Line], str]:
    """Return the handler's arguments with the addresses of a run, and the index it then writes to."""
    index = f"{name.replace('_', '-')}-{{run.id}}"
    lines = []
    for key in dict.fromkeys((*outlet.arguments, *outlet.parameters, *outlet.unread, *outlet.nested)):
        value = outlet.arguments.get(key, outlet.parameters.get(key))
        if value is None and (address := address_in_list(key, outlet.nested.get(key))):
            lines.append(_Line(key, quoted(address), _listed(outlet.nested.get(key)), is_list=True))
        elif _INDEXES.fullmatch(key):
            index = f"{_plain(value) or name.replace('_', '-')}-{{run.id}}"
            lines.append(_Line(key, quoted(index), _shown(value)))
        elif _PREFIXES.fullmatch(key):
            prefix = f"{_plain(value) or name.replace('_', '-')}-{{run.id}}"
            index = f"{prefix}*"
            lines.append(_Line(key, quoted(prefix), _shown(value)))
        elif line := _address(key, value):
            lines.append(line)
            index = _index_of(value, index)
        elif key in outlet.arguments and not is_secret(key):
            lines.append(_Line(key, literal(outlet.arguments[key])))
    return lines, index


def _address(key: str, value: Scalar | None) -> _Line | None:
    """Return the argument with an address of the run, None where it names none."""
    text = value if isinstance(value, str) else ""
    if text.startswith(("http://", "https://")):
        return _Line(key, quoted(_through_link(text)), _shown(value))
    if _FOLDERS.fullmatch(key):
        return _Line(key, quoted(f"{{run.folder}}/{key}"), _shown(value))
    if _URLS.fullmatch(key) and (value is None or isinstance(value, str)):
        # A path alone belongs to a host that stands elsewhere.
        address = _through_link(text).removeprefix(_LINK) if text.startswith("/") else _LINK
        return _Line(key, quoted(address), _shown(value))
    if _HOSTS.fullmatch(key) and not isinstance(value, bool):
        port = ":{to_store.port}" if ":" in text else ""
        return _Line(key, quoted(f"{{to_store.host}}{port}"), _shown(value))
    return _Line(key, '"{to_store.port}"', _shown(value)) if _PORTS.fullmatch(key) else None


def _through_link(url: str) -> str:
    """Return a URL with the link's address, and with an index of this run where its path names one."""
    path = urlsplit(url).path.strip("/").split("/") if urlsplit(url).path.strip("/") else []
    if path and not path[0].startswith("_"):
        path[0] = f"{_plain(path[0])}-{{run.id}}"
    return "/".join((_LINK, *path))


def _index_of(value: Scalar | None, otherwise: str) -> str:
    is_url = isinstance(value, str) and ("://" in value or value.startswith("/"))
    first = urlsplit(str(value)).path.strip("/").partition("/")[0] if is_url else ""
    return f"{_plain(first)}-{{run.id}}" if first and not first.startswith("_") else otherwise


def _plain(value: Scalar | None) -> str:
    return _NAME.sub("-", value.lower()).strip("-.") if isinstance(value, str) else ""


def _listed(value: object) -> str:
    return _shown(", ".join(map(str, value))) if isinstance(value, list | tuple) else ""


def _shown(value: Scalar | None) -> str:
    return "" if value is None else " ".join(without_user(str(value)).split())


def _open_points(outlet: Outlet, *, linked: bool) -> Iterator[str]:
    if linked:
        return
    if (
        outlet.kind is Kind.ELASTICSEARCH
        or outlet.unread
        or any(is_list_of_addresses(key) for key in outlet.nested)
    ):
        yield (
            f"intake: {outlet.place} gives the handler values that a stack file cannot hold. Write a "
            "function that makes the handler from `url` and `index`; name it in `handler`, with both below."
        )
    else:
        yield (
            f"intake: {outlet.class_path} takes no address. Give its constructor one, e.g. `url`, and write "
            '`url: "{to_store.url}"` beside `handler`, so that faults can hit the way to the store.'
        )
