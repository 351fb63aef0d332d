"""The words of a text as Elasticsearch's standard analyzer finds them: Unicode's boundaries, lower case.

Source: Unicode Standard Annex 29 in the form that Lucene's StandardTokenizer gives it. What stands between
two letters (`example.com`, `don't`, `a:b`) or two digits (`1.5`, `1,000`) joins them; ideographs stand alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from harness.programs.elastic_lite.language.errors import unsupported

WORD_LENGTH_MAX = 255
LETTER = r"(?:A(?:[.:'](?=A))?|N(?:[.,'](?=N))?|_)"
# Over classes of characters, one letter each, as `class_of` gives them.
CLASSES = re.compile(rf"_*(?:A(?:[.:'](?=A))?|N(?:[.,'](?=N))?){LETTER}*|_*K[K_]*|I|E+|S+")
# The same over plain ASCII, which is nearly every line of a log.
ASCII = re.compile(
    r"_*(?:[A-Za-z](?:[.:'](?=[A-Za-z]))?|[0-9](?:[.,;'](?=[0-9]))?)"
    r"(?:[A-Za-z](?:[.:'](?=[A-Za-z]))?|[0-9](?:[.,;'](?=[0-9]))?|_)*"
)
PUNCTUATION = {
    **dict.fromkeys(":\u00b7\u0387\u055f\u05f4\u2027\ufe13\ufe55\uff1a", ":"),
    **dict.fromkeys(".\u2018\u2019\u2024\ufe52\uff07\uff0e'", "'"),
    **dict.fromkeys(",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b", ","),
}
ALONE = re.compile(
    "[\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufad9\U0001b000-\U0001b122\U00020000-\U0003134f]"
)
KATAKANA = re.compile(
    "[\u3031-\u3035\u309b\u309c\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u32d0-\u3357\uff66-\uff9d]"
)
# Thai, Lao, Myanmar, Khmer: written without spaces, a whole run is one word.
RUN = re.compile("[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aad\ua9e0-\uaadf]")
# Unicode's Extended_Pictographic, in which signs such as ™ are too.
EMOJI = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)


@lru_cache(maxsize=4096)
def class_of(character: str) -> str:
    """The class of a character: `A` letter, `N` digit, `I` alone, `K` Katakana, `X` of the one before."""
    if character in PUNCTUATION:
        return PUNCTUATION[character]
    for pattern, found in ((ALONE, "I"), (KATAKANA, "K"), (RUN, "S"), (EMOJI, "E")):
        if pattern.match(character):
            return found
    category = unicodedata.category(character)
    if category in ("Mn", "Mc", "Me", "Cf") and character != "\u200b":
        return "X"
    by_category = {"Nd": "N", "Pc": "_", "Nl": "A"}
    return by_category.get(category, "A" if category.startswith("L") else " ")


def words(text: str) -> Iterator[str]:
    """The words of a text in lower case; one above 255 characters comes in pieces, as in Lucene.

    Raises:
        ElasticError: 400 for a text that ends in the first half of a surrogate pair: Lucene loses a word.
    """
    if "\ud800" <= text[-1:] <= "\udbff":
        raise unsupported("the words of a text that ends in half a surrogate pair")
    for word in ASCII.findall(text) if text.isascii() else unicode_words(text):
        lowered = word.lower() if word.isascii() else "".join(map(lowered_character, word))
        for at in range(0, len(lowered), WORD_LENGTH_MAX):
            yield lowered[at : at + WORD_LENGTH_MAX]


def unicode_words(text: str) -> Iterator[str]:
    """The words of any text as they stand there."""
    places: list[int] = []
    classes: list[str] = []
    for place, character in enumerate(text):
        found = class_of(character)
        if found != "X" or not classes:
            classes.append(" " if found == "X" else found)
            places.append(place)
    places.append(len(text))
    for match in CLASSES.finditer("".join(classes)):
        yield text[places[match.start()] : places[match.end()]]


def lowered_character(character: str) -> str:
    """A character in lower case as Java does it: one for one."""
    return character.lower()[:1] or character


def is_searchable(text: str) -> bool:
    """Whether the words of a text are surely found as Elasticsearch finds them: no emoji, Thai, Hebrew."""
    return text.isascii() or not any(
        class_of(character) in "ES" or "\u0590" <= character <= "\u05ff" for character in text
    )
