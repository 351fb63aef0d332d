"""A family of interchangeable kinds: the word a file uses → the class, resolved only when used.

Listing and validating words imports nothing heavy. A dotted path (`package.module:Class`) in place of a
word is the whole plug-in mechanism.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from harness.model.errors import ScenarioError

# Beyond so many words nobody reads the list of them.
_LISTED_MAX = 40
_NEAREST = 5


@dataclass(frozen=True)
class Kind:
    """One entry of a family: where its class lives and what it is, in one line.

    Attributes:
        path: `package.module:Class`.
        summary: shown by `logquake list` and in the page of all parts.
    """

    path: str
    summary: str


@dataclass(frozen=True)
class Family:
    """The kinds of one sort of part, by the words files use for them.

    Attributes:
        noun: what one of them is, e.g. `fault`.
    """

    noun: str
    kinds: Mapping[str, Kind]

    @property
    def plural(self) -> str:
        """Return the word for all of them, e.g. `faults`."""
        return self.noun if self.noun.endswith("s") else f"{self.noun}s"

    def problem(self, word: str) -> str | None:
        """Say what is wrong with a word, with a suggestion; None where the word is known or a dotted path."""
        if word in self.kinds or ":" in word:
            return None
        return unknown(self.noun, word, self.kinds)

    def resolve(self, word: str) -> Any:
        """Import and return the class a word or a dotted path names.

        Raises:
            ScenarioError: the word is unknown or the path cannot be imported.
        """
        if (problem := self.problem(word)) is not None:
            raise ScenarioError(problem)
        return import_path(self.kinds[word].path if word in self.kinds else word)


def module_word(module: str) -> str:
    """Return a kind's word from the name of its module (`__name__`), so that the two cannot differ."""
    return module.rpartition(".")[2]


def unknown(noun: str, word: str, known: Mapping[str, Any]) -> str:
    """Return `no <noun> "<word>"` with the nearest known word, or the list of all, of many the nearest."""
    if close := nearest(word, known):
        return f'no {noun} "{word}". Did you mean "{close[0]}"?'
    if len(known) > _LISTED_MAX:
        listed = ", ".join(nearest(word, known, _NEAREST, cutoff=0.0))
        return f'no {noun} "{word}". Nearest of {len(known):,}: {listed}.'
    return f'no {noun} "{word}". Known: {", ".join(sorted(known)) or "none"}.'


def nearest(word: str, known: Iterable[str], count: int = 1, *, cutoff: float = 0.6) -> list[str]:
    """Return the known words that are like a word, the nearest first; small and capital letters are alike.

    Args:
        word: what was written.
        known: the words that there are.
        count: how many to return at most.
        cutoff: how like a word must be, from 0 to 1, as `difflib.get_close_matches` measures it.
    """
    by_lowered = {each.lower(): each for each in known}
    return [by_lowered[each] for each in get_close_matches(word.lower(), by_lowered, n=count, cutoff=cutoff)]


def import_path(path: str) -> Any:
    """Import `package.module:Name`.

    Args:
        path: `package.module:Name`.

    Returns:
        What stands there under that name.

    Raises:
        ScenarioError: the path is malformed, its module or name is missing, or its module raises anything.
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise ScenarioError(f'"{path}" is not a dotted path; write package.module:Class')
    try:
        module = import_module(module_name)
    except KeyboardInterrupt:
        raise
    except ImportError as error:
        remedy = "Install the package, or put its file beside the stack file or into the current folder."
        raise ScenarioError(f'cannot import "{path}": {error}. {remedy}') from error
    except BaseException as error:  # a module of the user's: it may even exit
        said = " ".join(str(error).split())
        raise ScenarioError(
            f'cannot import "{path}": {type(error).__name__}: {said}. Mend it there.'
        ) from error
    if not hasattr(module, name):
        raise ScenarioError(f'module "{module_name}" has no "{name}"')
    return getattr(module, name)
