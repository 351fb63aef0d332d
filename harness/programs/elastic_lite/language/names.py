"""Names of indices: which are lawful, and which ones a pattern means."""

from __future__ import annotations

from harness.programs.elastic_lite.language.errors import invalid_index_name

FORBIDDEN = ' "*,/<>?\\|'
NAME_BYTES_MAX = 255


def check_index_name(name: str) -> None:
    """Refuse a name that Elasticsearch would not create an index under.

    Raises:
        ElasticError: 400 invalid_index_name_exception, by the rules of the create index API's reference.
    """
    if any(character in FORBIDDEN for character in name):
        listed = ",".join(f"'{character}'" for character in FORBIDDEN)
        raise invalid_index_name(name, f"must not contain the following characters [{listed}]")
    if "#" in name or ":" in name:
        raise invalid_index_name(name, "must not contain '#' or ':'")
    if name[:1] in ("_", "-", "+"):
        raise invalid_index_name(name, "must not start with '_', '-', or '+'")
    if name in ("", ".", ".."):
        raise invalid_index_name(name, "must not be empty, '.' or '..'")
    if name != name.lower():
        raise invalid_index_name(name, "must be lowercase")
    if len(name.encode()) > NAME_BYTES_MAX:
        raise invalid_index_name(name, f"index name is too long, ({len(name.encode())} > {NAME_BYTES_MAX})")


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern with `*` wildcards."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    if not name.startswith(first):
        return False
    at = len(first)
    for part in middle:  # the earliest place leaves the most to the others, so nothing is tried twice
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(name) - len(last) >= at and name.endswith(last)


def overlap(one: str, other: str) -> bool:
    """Whether some name fits both patterns, which two templates of the same priority must not allow.

    Walks both patterns together: a star takes a step of the other pattern and stays, or ends and takes none.
    """
    waiting = [(0, 0)]
    seen: set[tuple[int, int]] = set()
    while waiting:  # each pair of places is visited once
        left, right = place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        a, b = one[left : left + 1], other[right : right + 1]
        if not a and not b:
            return True
        if a == "*":
            waiting += [(left + 1, right)] + [(left, right + 1)] * bool(b)
        if b == "*":
            waiting += [(left, right + 1)] + [(left + 1, right)] * bool(a)
        if a and a == b:
            waiting.append((left + 1, right + 1))
    return False
