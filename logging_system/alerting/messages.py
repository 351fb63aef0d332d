"""What a notification says in words: what, since when, how many, examples, and what to do."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logging_system.alerting.examples import one_line
from logging_system.alerting.facts import AlertNotice, Notification

TITLE_CHARACTERS_MAX = 150
_NOTICES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class NoticeText:
    """One alert in words.

    Attributes:
        headline: State, rule and labels.
        facts: Names and values, in the order to show them.
        examples: Lines that it was found in, masked.
    """

    headline: str
    facts: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification in words.

    Attributes:
        title: One line.
        notices: The alerts that are shown.
        more: How many are not.
        notification: What it was made of.
    """

    title: str
    notices: tuple[NoticeText, ...]
    more: int
    notification: Notification

    def text(self) -> str:
        """Return all of it as plain text."""
        parts = [self.title, ""]
        for notice in self.notices:
            parts.append(notice.headline)
            parts += [f"  {name}: {value}" for name, value in notice.facts]
            parts += [f"  | {line}" for line in notice.examples]
            parts.append("")
        if self.more:
            parts.append(f"{self.more} more alerts are in `alerts history`.")
        return "\n".join(parts).rstrip() + "\n"


def letter_of(notification: Notification, spool: Path) -> Letter:
    """Return a notification in words.

    Args:
        notification: What to say.
        spool: The spool folder, as the commands that act on an alert name it.
    """
    shown = notification.notices[:_NOTICES_SHOWN]
    more = len(notification.notices) - len(shown) + notification.left_off
    return Letter(
        title=_title(notification),
        notices=tuple(_notice(notice, spool) for notice in shown),
        more=more,
        notification=notification,
    )


def shown_time(seconds: float) -> str:
    """Return a moment as people read it, in UTC.

    Args:
        seconds: Seconds since 1970; shown as a number where they are beyond the calendar.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s since 1970"


def shown_labels(notice: AlertNotice) -> str:
    """Return an alert's labels on one line."""
    return one_line(", ".join(f"{name}={value}" for name, value in notice.labels))


def _title(notification: Notification) -> str:
    notices = notification.notices
    shown_firing = sum(notice.is_firing for notice in notices)
    firing = shown_firing + notification.left_off - notification.left_off_resolved
    if len(notices) == 1 and not notification.left_off:
        return _headline(notices[0])[:TITLE_CHARACTERS_MAX]
    resolved = len(notices) - shown_firing + notification.left_off_resolved
    counts = [f"{firing} firing" if firing else "", f"{resolved} resolved" if resolved else ""]
    group = one_line(", ".join(value for _, value in notification.group))
    state = "FIRING" if firing else "RESOLVED"
    return f"[{state}] {' and '.join(filter(None, counts))}: {group or 'alerts'}"[:TITLE_CHARACTERS_MAX]


def _headline(notice: AlertNotice) -> str:
    state = "FIRING" if notice.is_firing else "RESOLVED"
    labels = shown_labels(notice)
    return f"[{state}] {notice.rule}{f' ({labels})' if labels else ''}"


def _notice(notice: AlertNotice, spool: Path) -> NoticeText:
    facts = [("what", notice.summary), ("severity", notice.severity)]
    facts.append(("since", shown_time(notice.since_seconds)))
    if notice.until_seconds is not None:
        facts.append(("until", shown_time(notice.until_seconds)))
    if notice.is_firing and notice.times > 1:
        facts.append(("began", f"{notice.times} times since the last message"))
    if notice.query:
        facts.append(("query", one_line(notice.query)))
    if notice.runbook:
        facts.append(("runbook", one_line(notice.runbook)))
    if notice.is_firing:
        facts.append(("silence", one_line(_silence(notice, spool))))
        facts.append(("acknowledge", one_line(f"{_command('ack', spool)} {notice.fingerprint}")))
    return NoticeText(_headline(notice), tuple(facts), notice.examples if notice.is_firing else ())


def _command(verb: str, spool: Path) -> str:
    return f"python -m logging_system alerts {verb} --spool {shlex.quote(str(spool))}"


def _silence(notice: AlertNotice, spool: Path) -> str:
    matchers = [f"rule={notice.rule}", *(f"{name}={value}" for name, value in notice.labels)]
    return f"{_command('silence', spool)} --hours 2 {' '.join(map(shlex.quote, matchers))}"
