"""Slack's incoming webhooks; what comes from logs is escaped, so that no line can mention a channel.

https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

from __future__ import annotations

from typing import Any

from logging_system.alerting.messages import Letter, NoticeText

_SECTION_CHARACTERS_MAX = 2_900  # 3,000 are allowed
_SECTIONS_MAX = 45  # 50 blocks are allowed


def body_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as Slack takes it."""
    blocks = [_section(f"*{escaped(letter.title)}*")]
    blocks += [_section(_notice(notice)) for notice in letter.notices[:_SECTIONS_MAX]]
    if letter.more:
        blocks.append(_section(f"{letter.more} more alerts are in the history."))
    return {"text": escaped(letter.title), "blocks": blocks}


def escaped(text: str) -> str:
    """Return a text that Slack shows as it is: no mention, link or command begins in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _notice(notice: NoticeText) -> str:
    lines = [escaped(notice.headline), *(f"{name}: {escaped(value)}" for name, value in notice.facts)]
    # A back-tick would end the quotation.
    examples = "\n".join(escaped(line.replace("`", "'")) for line in notice.examples)
    text = "\n".join(lines)[:_SECTION_CHARACTERS_MAX]
    room = _SECTION_CHARACTERS_MAX - len(text)
    return f"{text}\n```{examples[:room]}```" if examples and room > 0 else text
