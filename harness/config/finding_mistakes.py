"""What no single value of a stack file's `findings`, `answers` and `actions` shows: unknown names."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.yaml_source import KeyPath, Mistake, mapping_or_empty
from harness.deployments.alert_server_specs import WEBHOOK_RECEIVER
from harness.evidence.alerts.messages import place_of
from harness.model.declarations import CAUSES
from harness.model.registry import unknown


def finding_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Return what is wrong with the promises of findings, answers and actions in the data of a stack file."""
    findings, actions = mapping_or_empty(data.get("findings")), mapping_or_empty(data.get("actions"))
    mistakes = [
        *_process_mistakes(data, ("findings", "watcher"), findings.get("watcher")),
        *_process_mistakes(data, ("answers", "asker"), mapping_or_empty(data.get("answers")).get("asker")),
        *_cause_mistakes(("actions", "causes"), actions.get("causes")),
        *_cause_mistakes(("actions", "causes_after_healing"), actions.get("causes_after_healing")),
        *_receiver_mistakes(data, actions),
    ]
    for index, engine in enumerate(_list(actions.get("engines"))):
        mistakes += _process_mistakes(data, ("actions", "engines", index), engine)
    for word, causes in mapping_or_empty(findings.get("causes")).items():
        mistakes += _cause_mistakes(("findings", "causes", word), causes)
    return mistakes


def _cause_mistakes(where: KeyPath, causes: object) -> list[Mistake]:
    return [
        Mistake((*where, index), unknown("cause", cause, dict.fromkeys(CAUSES)))
        for index, cause in enumerate(_list(causes))
        if isinstance(cause, str) and cause not in CAUSES
    ]


def _receiver_mistakes(data: Mapping[str, object], actions: Mapping[str, object]) -> list[Mistake]:
    links, link = mapping_or_empty(data.get("links")), actions.get("link")
    mistakes = []
    if isinstance(link, str) and link not in links:
        mistakes.append(Mistake(("actions", "link"), f'"links" has {unknown("link", link, links)}'))
    elif isinstance(link, str) and links[link] != WEBHOOK_RECEIVER:
        said = f"leads to {links[link]}, which receives no actions. Name one to {WEBHOOK_RECEIVER}."
        mistakes.append(Mistake(("actions", "link"), said))
    for key in ("key", "about"):
        place = actions.get(key)
        if isinstance(place, str):
            try:
                place_of(place)
            except ValueError as error:
                mistakes.append(Mistake(("actions", key), f"{error}."))
    return mistakes


def _process_mistakes(data: Mapping[str, object], where: KeyPath, name: object) -> list[Mistake]:
    processes = mapping_or_empty(data.get("processes"))
    if not isinstance(name, str) or name in processes:
        return []
    return [Mistake(where, f'"processes" has {unknown("process", name, processes)}')]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
