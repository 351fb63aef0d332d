"""A letter as HTML that mail clients show: tables and inline style, light and dark, wide and narrow.

Every text is escaped, nothing is fetched, and no script is there. Clients that know no style block show the
light form; none of what it says depends on colour.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from logging_system.alerting.facts import AlertNotice
from logging_system.alerting.messages import Letter, NoticeText

_COLOURS = {"critical": "#b3261e", "warning": "#9a5b00", "info": "#1f5fa8"}
_RESOLVED = "#1b6e3c"
_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<style>
@media (prefers-color-scheme: dark) {
 body, .page { background:#16181c !important; color:#e6e6e6 !important }
 .card { background:#202329 !important; border-top-color:#3a3f47 !important }
 .card { border-right-color:#3a3f47 !important; border-bottom-color:#3a3f47 !important }
 .name { color:#a9b0ba !important }
 .lines { background:#15171b !important; color:#d7dae0 !important }
 a { color:#8ab4f8 !important }
}
</style></head>"""
_FONT = (
    "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:14px;line-height:1.45"
)
_WRAP = "overflow-wrap:anywhere;word-break:break-word"


def page_of(letter: Letter) -> str:
    """Return the page of a letter."""
    parts = [
        _HEAD,
        f'<body class="page" style="margin:0;padding:16px;background:#f3f4f6;color:#1f2328;{_FONT}">',
        f'<h1 style="font-size:18px;margin:0 0 12px;{_WRAP}">{escape(letter.title)}</h1>',
    ]
    shown = letter.notification.notices
    parts += [_card(text, notice) for text, notice in zip(letter.notices, shown, strict=False)]
    if letter.more:
        parts.append(f"<p>{letter.more} more alerts are in <code>alerts history</code>.</p>")
    return "\n".join([*parts, "</body></html>\n"])


def _card(text: NoticeText, notice: AlertNotice) -> str:
    colour = _COLOURS.get(notice.severity, _COLOURS["warning"]) if notice.is_firing else _RESOLVED
    rows = "\n".join(_row(name, value) for name, value in text.facts)
    lines = "\n".join(map(escape, text.examples))
    quoted = (
        f'<pre class="lines" style="background:#f3f4f6;padding:8px;margin:10px 0 0;white-space:pre-wrap;'
        f'font-size:12px;{_WRAP}">{lines}</pre>'
        if lines
        else ""
    )
    return (
        f'<div class="card" style="background:#ffffff;border:1px solid #d9dce1;'
        f'border-left:5px solid {colour};padding:12px 14px;margin:0 0 12px;max-width:760px">\n'
        f'<h2 style="font-size:15px;margin:0 0 8px;{_WRAP}">{escape(text.headline)}</h2>\n'
        f'<table role="presentation" style="border-collapse:collapse;font-size:14px">{rows}</table>\n'
        f"{quoted}</div>"
    )


def _row(name: str, value: str) -> str:
    shown = escape(value)
    if urlsplit(value).scheme in {"http", "https"}:
        shown = f'<a href="{shown}" style="color:#1a56b0">{shown}</a>'
    return (
        f'<tr><td class="name" style="padding:2px 12px 2px 0;color:#5c6370;vertical-align:top">'
        f'{escape(name)}</td><td style="padding:2px 0;{_WRAP}">{shown}</td></tr>'
    )
