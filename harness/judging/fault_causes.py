"""Where the cause of each fault lies, by what it does and to what: the label that findings are judged by.

Only what keeps a store from taking records, fills a disk, takes keys away or raises the load can be expected
to be found; a fault that the application or the stack's own process suffers leaves nobody to find it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.model.declarations import Stack, Step

_STORE: Mapping[str, frozenset[str]] = {
    "killed": frozenset({"store_down", "network"}),
    "stopped": frozenset({"store_down", "network"}),
    "frozen": frozenset({"store_down", "store_slow", "network"}),
    "black_hole": frozenset({"network", "store_down", "store_slow"}),
    "connection_reset": frozenset({"network", "store_down"}),
    "requests_refused": frozenset({"store_refuses"}),
    "items_refused": frozenset({"store_refuses"}),
    "body_limited": frozenset({"store_refuses"}),
    "garbage_answers": frozenset({"store_refuses", "network"}),
    "slow_answers": frozenset({"store_slow", "network"}),
}
"""Faults of the store, or of the link to it, that keep records from being taken.

What is down looks the same from afar as what cannot be reached, so both names are right. Not in it: what only
delays (latency, bandwidth), what alternates (flapping), and what no client can see (lying answers).
"""
_DISK = frozenset({"disk_full", "folder_gone"})
_LOAD = frozenset({"spike"})
_APPLICATION = frozenset({"new_error"})


def causes_of(steps: Sequence[Step], stack: Stack) -> tuple[frozenset[str], ...]:
    """Return for each step the causes that a finding may name; none where nothing need be found."""
    return tuple(_causes(step, stack) for step in steps)


def _causes(step: Step, stack: Stack) -> frozenset[str]:
    if step.fault in _DISK:
        return frozenset({"disk"})
    if step.fault in _LOAD:
        return frozenset({"load"})
    if step.fault in _APPLICATION:
        return frozenset({"application"})
    service = stack.links.get(step.target, step.target)
    service = stack.aliases.get(service, service)
    provider = "" if stack.keys is None else stack.links.get(stack.keys.provider_link, "")
    if (provider and service == provider) or step.fault == "kms_unavailable":
        return frozenset({"keys"})
    # Where one node of several is down, the others take what is sent: no trouble that anybody need find.
    is_store = service == _store(stack) and not stack.is_clustered
    return _STORE.get(step.fault, frozenset()) if is_store else frozenset()


def _store(stack: Stack) -> str:
    """Return the service in which records end up: the one of the archive, or else an Elasticsearch."""
    texts = [each for each in stack.archive.arguments.values() if isinstance(each, str)]
    named = (name for name in stack.needs if any(f"{{{name}." in text for text in texts))
    return next(named, "elasticsearch")
