"""What no single value of a stack file's `alerts` shows: parts that do not go together, and bad places."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.yaml_source import KeyPath, Mistake, mapping_or_empty
from harness.deployments.alert_server_specs import RECEIVERS
from harness.evidence.alerts.messages import place_of
from harness.model.registry import unknown

_PLACES = ("key", "alert", "state", "fingerprint")


def alert_mistakes(data: Mapping[str, object]) -> list[Mistake]:
    """Return what is wrong with the promise of alerts in the data of a stack file."""
    alerts = mapping_or_empty(data.get("alerts"))
    mistakes = []
    watcher, processes = alerts.get("watcher"), mapping_or_empty(data.get("processes"))
    if isinstance(watcher, str) and watcher not in processes:
        said = f'"processes" has {unknown("process", watcher, processes)}'
        mistakes.append(Mistake(("alerts", "watcher"), said))
    window, resolution = alerts.get("window_seconds"), alerts.get("resolution_seconds", 1.0)
    if isinstance(window, int | float) and isinstance(resolution, int | float) and resolution >= window:
        said = f"must be less than window_seconds ({window:g}), not {resolution:g}."
        mistakes.append(Mistake(("alerts", "resolution_seconds"), said))
    for name, channel in mapping_or_empty(alerts.get("channels")).items():
        mistakes += _channel_mistakes(data, ("alerts", "channels", name), mapping_or_empty(channel))
    return mistakes


def _channel_mistakes(
    data: Mapping[str, object], where: KeyPath, channel: Mapping[str, object]
) -> list[Mistake]:
    mistakes = []
    links = mapping_or_empty(data.get("links"))
    link = channel.get("link")
    if isinstance(link, str) and link not in links:
        mistakes.append(Mistake((*where, "link"), f'"links" has {unknown("link", link, links)}'))
    elif isinstance(link, str) and links[link] not in RECEIVERS:
        said = f"leads to {links[link]}, which receives no alerts. Name one to {' or '.join(RECEIVERS)}."
        mistakes.append(Mistake((*where, "link"), said))
    for key in _PLACES:
        place = channel.get(key)
        if isinstance(place, str):
            try:
                place_of(place)
            except ValueError as error:
                mistakes.append(Mistake((*where, key), f"{error}."))
    return mistakes
