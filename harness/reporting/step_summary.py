"""The scorecard as the summary of a build's step, cut where there is no room: GitHub drops 1 MiB whole."""

from __future__ import annotations

BYTES_MAX = 900_000
_SECTION = b"\n<details"
_WORDS = "\n\n*The summary is cut here: {shown:,} of {whole:,} bytes are shown. {where} has all of it.*\n"


def fitted(text: str, room_bytes: int, where: str) -> str:
    """Return as much of a scorecard in Markdown as there is room for, and a word where that is not all.

    Args:
        text: the scorecard; it is cut before a section that does not fit, else after a line.
        room_bytes: how many bytes of UTF-8 there is room for.
        where: the file that holds all of it.

    Returns:
        The text, or its beginning with a word; empty where there is not even room for the word.
    """
    whole = text.encode("utf-8")
    if len(whole) <= room_bytes:
        return text
    longest = _WORDS.format(shown=len(whole), whole=len(whole), where=where)
    room = room_bytes - len(longest.encode("utf-8"))
    if room <= 0:
        return ""
    head = whole[:room]
    cut = max(head.rfind(_SECTION), 0) or head.rfind(b"\n") + 1
    return head[:cut].decode("utf-8") + _WORDS.format(shown=cut, whole=len(whole), where=where)
