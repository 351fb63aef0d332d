"""Microsoft Teams' workflow webhooks: an adaptive card of plain text runs, in which nothing is a mention.

https://adaptivecards.io/explorer/RichTextBlock.html
"""

from __future__ import annotations

from typing import Any

from logging_system.alerting.messages import Letter, NoticeText


def body_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as Teams takes it."""
    body = [_line(letter.title, weight="Bolder")]
    for notice in letter.notices:
        body += _notice(notice)
    if letter.more:
        body.append(_line(f"{letter.more} more alerts are in the history."))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _notice(notice: NoticeText) -> list[dict[str, Any]]:
    lines = [_line(notice.headline)]
    lines += [_line(f"{name}: {value}") for name, value in notice.facts]
    return lines + [_line(line, fontType="Monospace") for line in notice.examples]


def _line(text: str, **style: str) -> dict[str, Any]:
    """Return a line; a text run knows no Markdown, and mentions would be declared beside it."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
