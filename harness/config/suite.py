"""A suite file → Suite: which scenarios belong together, explicitly."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.config.scenario import check_targets, load_scenario
from harness.config.validation import FileModel, Name, Text, Version, file_name_mistakes, parse, shown
from harness.config.yaml_source import Mistake, Source, read_yaml
from harness.model.declarations import Stack
from harness.model.registry import unknown

SCENARIOS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Suite:
    """The names of the scenarios that are run together, in order.

    Those in `where_possible` come after the others, on stacks that have what they target.
    """

    name: str
    title: str
    scenarios: tuple[str, ...]
    source: str = ""
    where_possible: tuple[str, ...] = ()


class SuiteModel(FileModel):
    """A suite file."""

    version: Version
    name: Name = Field(description="Add it; it is the file's name without .yaml.")
    title: Text = Field(description="Add one line that a report can show.")
    scenarios: Annotated[list[Text], Field(max_length=SCENARIOS_MAX)] = Field(
        description="List the names of its scenarios."
    )
    where_possible: Annotated[list[Text], Field(max_length=SCENARIOS_MAX)] = Field(default_factory=list)


def scenarios_for(
    suite: Suite, stack: Stack, path_of: Callable[[str], Path]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a suite's scenarios that a stack is examined by, and a sentence for each left out.

    Args:
        suite: the suite.
        stack: the stack, which may lack what those in `where_possible` target.
        path_of: returns the file of a scenario's name.

    Raises:
        ScenarioError: a scenario's file has mistakes.
    """
    possible, left_out = [], []
    for name in suite.where_possible:
        if problems := check_targets(load_scenario(path_of(name)), stack):
            left_out.append(f"scenario {name} is left out: {problems[0]}")
        else:
            possible.append(name)
    return (*suite.scenarios, *possible), tuple(left_out)


def load_suite(path: Path, known_scenarios: Collection[str]) -> Suite:
    """Read one suite.

    Args:
        path: the YAML file; its name without `.yaml` is the suite's name.
        known_scenarios: the names that can be found.

    Returns:
        The suite, its scenarios by name in the order of the file; none of them has been read.

    Raises:
        ScenarioError: the file cannot be read or has mistakes; each is listed with its line, key and remedy.
    """
    source = read_yaml(path)
    model = parse(
        SuiteModel, source, [*file_name_mistakes(source), *_scenario_mistakes(source, known_scenarios)]
    )
    return Suite(model.name, model.title, tuple(model.scenarios), source.path, tuple(model.where_possible))


def _scenario_mistakes(source: Source, known_scenarios: Collection[str]) -> list[Mistake]:
    known = dict.fromkeys(known_scenarios)
    mistakes, before = [], list[object]()
    for key in ("scenarios", "where_possible"):
        names = source.data.get(key)
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str) and name not in known:
                mistakes.append(Mistake((key, index), unknown("scenario", name, known)))
            elif name in before:
                mistakes.append(Mistake((key, index), f"{shown(name)} stands here twice. Remove one."))
            before.append(name)
    return mistakes
