"""`logquake list`: what there is to choose from, and the arguments of each part."""

from __future__ import annotations

import click

from harness.config.library import Library, Sort, open_library
from harness.config.own_code import offer_code
from harness.config.part_signature import signature_of
from harness.config.parts import FAMILIES, argument_rows
from harness.deployments import BACKENDS
from harness.model.errors import ScenarioError
from harness.model.registry import Family, Kind, unknown
from harness.processes.workplace import current_folder

_OF_FILES = {"scenarios": Sort.SCENARIO, "suites": Sort.SUITE, "stacks": Sort.STACK}
_OF_PARTS = {family.plural: family for family in (BACKENDS, *FAMILIES)}
_SECTIONS = (*_OF_FILES, *_OF_PARTS)


@click.command(name="list")
@click.argument("section", metavar="[KIND]", default="")
@click.argument("word", metavar="[NAME]", default="")
def listing(section: str, word: str) -> None:
    """List scenarios, suites, stacks, and the words their files can use.

    With a KIND, such as faults, schedules or intakes, list that kind alone, each part with its arguments.
    With a NAME as well, list that part alone: `logquake list fault latency`.
    """
    here = current_folder()
    library = open_library(here)
    offer_code([here])
    if not section:
        for plural in _SECTIONS:
            _show_summaries(library, plural)
        click.echo(f"\nArguments: logquake list KIND, where KIND is {', '.join(_OF_PARTS)}.")
        return
    plural = _plural(section)
    if plural in _OF_PARTS:
        _show_parts(_OF_PARTS[plural], word)
    elif word:
        raise ScenarioError(f"{plural} are files and have no arguments. Run: logquake list {plural}")
    else:
        _show_summaries(library, plural)


def _plural(section: str) -> str:
    """Return the section that a word names, in the singular or the plural; raises ScenarioError."""
    for plural in _SECTIONS:
        if section in {plural, plural.removesuffix("s")}:
            return plural
    raise ScenarioError(unknown("kind", section, dict.fromkeys(_SECTIONS)))


def _show_summaries(library: Library, plural: str) -> None:
    if plural in _OF_PARTS:
        rows = [(word, kind.summary) for word, kind in _OF_PARTS[plural].kinds.items()]
    else:
        rows = [
            (entry.name, f"{entry.title or entry.problem.splitlines()[0]} ({entry.origin})")
            for entry in library.entries(_OF_FILES[plural])
        ]
    click.echo(f"\n{plural.capitalize()}")
    width = max((len(word) for word, _ in rows), default=0)
    for word, summary in rows:
        click.echo(f"  {word:<{width}}  {summary}")


def _show_parts(family: Family, word: str) -> None:
    """Show each part with its arguments, or the one of that word; a dotted path names one of your own."""
    if word and (problem := family.problem(word)) is not None:
        raise ScenarioError(problem)
    for each in [word] if word else family.kinds:
        kind = family.kinds.get(each, Kind(each, "a part of your own"))
        click.echo(f"\n{each}  {kind.summary}")
        # What a backend's constructor takes comes from the run, never from a file.
        if family is not BACKENDS:
            _show_arguments(family, each)


def _show_arguments(family: Family, word: str) -> None:
    try:
        rows = argument_rows(signature_of(family.resolve(word)))
    except (NameError, TypeError) as error:
        raise ScenarioError(
            f'{family.noun} "{word}" is no class whose arguments can be read: {error}.'
        ) from error
    width = max((len(name) for name, *_ in rows), default=0)
    for name, type_words, default, meaning in rows:
        said = default if default == "required" else f"default {default}"
        click.echo(f"  {name:<{width}}  {type_words}; {said}")
        if meaning:
            click.echo(f"  {'':<{width}}    {meaning}")
