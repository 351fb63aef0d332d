"""When an alert on errors was owed, and what came instead: crossings of its threshold beside messages.

Two series of crossings are counted from the harness's own records. What is *sure* rests on errors that the
stack acknowledged, in windows a little shorter than promised: there an alert is owed. What is *possible*
rests on every error whose log call was made, in windows a little longer: an alert without even one of these
is false. In between, either is right.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from harness.judging.timeline import Entry, Timeline, Window
from harness.model.declarations import AlertChannel, Alerts
from harness.model.facts import AlertReceived
from harness.model.nanoseconds import SECOND_NS

ERROR_LEVELS = frozenset({"ERROR", "CRITICAL"})
_ANSWER_NS = 10 * SECOND_NS
"""So long before a message came again, a lost answer may have been the reason."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A time in which there were enough errors within the window.

    Attributes:
        from_ns: when the error that made it enough was logged.
        owed_ns: when the stack had acknowledged all that made it enough.
        until_ns: when a window last held enough.
    """

    from_ns: int
    owed_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Firing:
    """One message that the alert fires: when it came first, and every time."""

    key: str
    fingerprint: str
    came_ns: tuple[int, ...]

    @property
    def at_ns(self) -> int:
        """Return when it came first."""
        return self.came_ns[0]


@dataclass(frozen=True, slots=True)
class Told:
    """A crossing that had to be told on a channel, and when it was.

    Attributes:
        crossing: what had to be told.
        clear_ns: from when on nothing was in the way any more.
        limit_ns: when it had to be told by.
        came_ns: when a message came; None where none did that was not another crossing's.
    """

    crossing: Crossing
    clear_ns: int
    limit_ns: int
    came_ns: int | None

    @property
    def late_seconds(self) -> float:
        """Return how long it took from when nothing was in the way; 0 where it came sooner."""
        return 0.0 if self.came_ns is None else max(0.0, (self.came_ns - self.clear_ns) / SECOND_NS)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Two messages for one firing, `seconds` apart at least, or one that came again without a reason."""

    first: Firing
    second: Firing
    seconds: float


@dataclass(slots=True)
class ChannelStory:
    """What came of the alert on one channel.

    `required` are the crossings that had to be told; `cooling` counts those within the cooldown of a message
    before; `repeats` and `false` are what should not have come; `resent` counts messages that came again for
    a reason: a crash, or an answer that may have been lost.
    """

    channel: AlertChannel
    required: list[Told] = field(default_factory=list)
    cooling: int = 0
    firings: list[Firing] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    false: list[Firing] = field(default_factory=list)
    resent: int = 0


def sure_crossings(entries: Iterable[Entry], alerts: Alerts) -> list[Crossing]:
    """Return when an alert was owed for certain.

    Args:
        entries: all records of the scenario; of them errors count that were acknowledged.
        alerts: the threshold, and the window, which is taken shorter by the stack's resolution.
    """
    errors = [each for each in _errors(entries) if each.acknowledged_ns is not None]
    window_ns = int((alerts.window_seconds - alerts.resolution_seconds) * SECOND_NS)
    return _crossings(errors, alerts.threshold, window_ns, strictly=True)


def possible_crossings(entries: Iterable[Entry], alerts: Alerts) -> list[Crossing]:
    """Return when there may have been enough errors, however the stack counts time.

    Args:
        entries: all records of the scenario; errors count whether they were acknowledged or not.
        alerts: the threshold, and the window, which is taken longer by the stack's resolution.
    """
    window_ns = int((alerts.window_seconds + alerts.resolution_seconds) * SECOND_NS)
    return _crossings(_errors(entries), alerts.threshold, window_ns, strictly=False)


def _errors(entries: Iterable[Entry]) -> list[Entry]:
    found = [each for each in entries if each.level in ERROR_LEVELS and each.sent_ns is not None]
    return sorted(found, key=_sent_ns)


def _sent_ns(entry: Entry) -> int:
    return entry.sent_ns or 0


def _latest_ns(entry: Entry) -> int:
    """Return the latest moment that a record can be of: when its log call was over."""
    return entry.returned_ns or _sent_ns(entry)


def _crossings(errors: Sequence[Entry], threshold: int, window_ns: int, *, strictly: bool) -> list[Crossing]:
    """Return the stretches in which windows hold enough; those that touch are one."""
    found: list[Crossing] = []
    held: deque[Entry] = deque(maxlen=threshold)
    for entry in errors:
        held.append(entry)
        end_ns = max(map(_latest_ns, held)) if strictly else _sent_ns(entry)
        if len(held) < threshold or end_ns - _sent_ns(held[0]) > window_ns:
            continue
        owed_ns = max((each.acknowledged_ns or 0 for each in held), default=0)
        fresh = Crossing(_sent_ns(entry), owed_ns, _sent_ns(held[0]) + window_ns)
        if found and fresh.from_ns <= found[-1].until_ns:
            found[-1] = replace(found[-1], until_ns=max(found[-1].until_ns, fresh.until_ns))
        else:
            found.append(fresh)
    return found


def stories(timeline: Timeline, alerts: Alerts) -> list[ChannelStory]:
    """Return what came of the alert on each channel.

    Args:
        timeline: of the scenario.
        alerts: what the stack promises of its alert, and the channels it is told by; each has a story.
    """
    sure = sure_crossings(timeline.entries.values(), alerts)
    possible = possible_crossings(timeline.entries.values(), alerts)
    return [_Judge(timeline, alerts, channel).story(sure, possible) for channel in alerts.channels]


class _Judge:
    """Compares one channel's messages with the crossings."""

    def __init__(self, timeline: Timeline, alerts: Alerts, channel: AlertChannel) -> None:
        self._alerts = alerts
        self._channel = channel
        on_the_way = alerts.on_the_way(channel)
        self._hindered = [
            window for step, window in timeline.fault_windows if timeline.fault_targets[step] in on_the_way
        ]
        self._cooldown_ns = int(alerts.cooldown_seconds * SECOND_NS)
        self._deadline_ns = int(alerts.deadline_seconds * SECOND_NS)
        self._after_outage_ns = int(max(alerts.deadline_seconds, alerts.after_outage_seconds) * SECOND_NS)
        self._resolution_ns = int(alerts.resolution_seconds * SECOND_NS)
        self._received = [each for each in timeline.alerts.get(channel.name, ()) if each.fires]

    def story(self, sure: Sequence[Crossing], possible: Sequence[Crossing]) -> ChannelStory:
        story = ChannelStory(self._channel, firings=_firings(self._received))
        for number, crossing in enumerate(sure):
            if self._is_cooling(crossing, story.firings):
                story.cooling += 1
            else:
                story.required.append(self._told(crossing, sure[number + 1 :], story.firings))
        self._note_repeats(story, possible)
        story.false = [each for each in story.firings if not self._is_backed(each, possible)]
        return story

    def _is_cooling(self, crossing: Crossing, firings: Sequence[Firing]) -> bool:
        """Return whether a message before tells of it, since the same alert may not come again so soon."""
        from_ns = crossing.from_ns - self._resolution_ns
        return any(each.at_ns < from_ns < each.at_ns + self._cooldown_ns for each in firings)

    def _told(self, crossing: Crossing, later: Sequence[Crossing], firings: Sequence[Firing]) -> Told:
        clear_ns, limit_ns = self._clear(crossing.owed_ns)
        from_ns = crossing.from_ns - self._resolution_ns
        came_ns = min((each.at_ns for each in firings if each.at_ns >= from_ns), default=None)
        # What came too late, after another crossing, is that one's message.
        next_ns = later[0].from_ns if later else None
        if came_ns is not None and came_ns > limit_ns and next_ns is not None and came_ns >= next_ns:
            came_ns = None
        return Told(crossing, clear_ns, limit_ns, came_ns)

    def _clear(self, at_ns: int) -> tuple[int, int]:
        """Return from when on nothing is in a message's way, and when it must have come by."""
        clear_ns, limit_ns = at_ns, at_ns + self._deadline_ns
        for window in sorted(self._hindered, key=lambda window: window.from_ns):
            if window.from_ns <= limit_ns and window.to_ns > clear_ns:
                clear_ns, limit_ns = window.to_ns, window.to_ns + self._after_outage_ns
        return clear_ns, limit_ns

    def _note_repeats(self, story: ChannelStory, possible: Sequence[Crossing]) -> None:
        last: dict[str, tuple[Firing, int]] = {}
        for each in story.firings:
            for before_ns, again_ns in zip(each.came_ns, each.came_ns[1:], strict=False):
                if self._is_hindered(before_ns - _ANSWER_NS, again_ns):
                    story.resent += 1
                else:
                    story.repeats.append(Repeat(each, each, (again_ns - before_ns) / SECOND_NS))
            made_ns = self._made_ns(each, possible)
            if each.fingerprint in last:
                before, before_made_ns = last[each.fingerprint]
                # Not made before the cooldown of the one before was over, unless it is a repeat.
                made_ns = max(made_ns, min(each.at_ns, before_made_ns + self._cooldown_ns))
                forgiven_ns = min(self._deadline_ns, self._cooldown_ns // 2)
                if each.at_ns - before_made_ns < self._cooldown_ns - forgiven_ns:
                    story.repeats.append(Repeat(before, each, (each.at_ns - before.at_ns) / SECOND_NS))
            last[each.fingerprint] = each, made_ns

    def _made_ns(self, firing: Firing, possible: Sequence[Crossing]) -> int:
        """Return the earliest moment at which a message can have been made: it may have been held up."""
        began = [each.from_ns for each in possible if each.from_ns <= firing.at_ns]
        if began and self._is_hindered(began[-1], firing.at_ns):
            return began[-1]
        return firing.at_ns

    def _is_hindered(self, from_ns: int, to_ns: int) -> bool:
        return any(_overlaps(window, from_ns, to_ns) for window in self._hindered)

    def _is_backed(self, firing: Firing, possible: Sequence[Crossing]) -> bool:
        """Return whether there were enough errors not too long before a message came."""
        return any(
            each.from_ns - self._resolution_ns <= firing.at_ns <= self._last_ns(each) for each in possible
        )

    def _last_ns(self, crossing: Crossing) -> int:
        """Return when a message can be one of a crossing at the latest, if a late one: a cooldown later."""
        last_ns = crossing.until_ns + self._cooldown_ns + self._deadline_ns
        for window in sorted(self._hindered, key=lambda window: window.from_ns):
            if window.from_ns <= last_ns and window.to_ns > crossing.from_ns:
                last_ns = max(last_ns, window.to_ns + self._cooldown_ns + self._after_outage_ns)
        return last_ns


def _firings(received: Iterable[AlertReceived]) -> list[Firing]:
    """Return the messages, each with every time it came, by when it came first."""
    came: dict[tuple[str, str], list[int]] = {}
    for each in sorted(received, key=lambda each: each.at_ns):
        came.setdefault((each.key, each.fingerprint), []).append(each.at_ns)
    return [Firing(key, fingerprint, tuple(at_ns)) for (key, fingerprint), at_ns in came.items()]


def _overlaps(window: Window, from_ns: int, to_ns: int) -> bool:
    return window.from_ns <= to_ns and window.to_ns > from_ns
