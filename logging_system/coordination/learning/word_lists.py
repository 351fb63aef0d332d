"""The words of a log's usual English that say what the words beside them are; none belongs to one program."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MONTHS_AND_DAYS = _words("jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun")
UNITS = MONTHS_AND_DAYS | _words(
    "b byte bytes kb mb gb tb kib mib gib tib us ms msec s sec secs second seconds min mins minute minutes "
    "hour hours am pm utc gmt cet cest est edt cst pst pdt"
)
"""What follows a number and belongs to it."""
CONSTANTS = _words("true false null nil")
"""Words that are values wherever they stand."""
BEFORE_USER = _words("for by invalid unknown illegal")
"""Before "user", they tell that the name of one follows."""
SOURCE_FILES = tuple(
    "." + it for it in sorted(_words("py c cc cpp h hpp java kt scala go rs js ts rb php cs pl sh"))
)
"""How names end that a line number follows, not a port."""
SAY_WHAT_HAPPENED = _words(
    "up down on off ok yes no not none all any active inactive open closed online offline idle busy ready "
    "running success successful successfully failure error errors warning critical fatal info debug trace "
    "notice alert start stop restart read write get put post delete patch head options connect disconnect "
    "login logout is was are were be has have had and or but can could cannot will would"
)
"""Words that are never values: lines that differ in one of them say two things, however many there are."""
