"""Every public name explains what a reader cannot see: arguments, what comes back, what is raised."""

from __future__ import annotations

import ast

import pytest

from docs.site.public_names import public_modules
from tests.docstrings import names, unsaid_of_class, unsaid_of_function


@pytest.mark.slow
def test_every_public_name_is_explained_in_full() -> None:
    assert [f"{each.where}: {', '.join(each.unsaid)}" for each in names() if each.unsaid] == []


@pytest.mark.slow
def test_the_names_that_people_write_against_are_looked_at() -> None:
    looked_at = {each.where.rpartition(" ")[2] for each in names() if each.published}

    assert {
        "install",
        "Analytics.search",
        "AICoordinationEngine",
        "Fault.inject",
        "Verdict",
        "log_oracle",
    } <= looked_at


def test_programs_and_commands_are_run_and_so_no_modules_of_the_api() -> None:
    modules = {str(module) for module in public_modules()}

    assert "logging_system/installation.py" in modules
    assert not any(module.startswith(("harness/programs/", "harness/cli/")) for module in modules)
    assert not any("/_" in module for module in modules)


def _function(text: str) -> ast.FunctionDef:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


@pytest.mark.parametrize(
    ("text", "unsaid"),
    [
        ('def f(size: int) -> None:\n    """Cut."""', ("size",)),
        ('def f(size: int) -> None:\n    """Cut to a `size` in bytes."""', ()),
        ('def f() -> int:\n    """Cut."""', ("returns",)),
        ('def f() -> int:\n    """Return the size."""', ()),
        ('def f() -> None:\n    """Cut."""\n    raise ValueError("no")', ("ValueError",)),
        (
            'def f() -> None:\n    """Cut; raises ValueError."""\n    raise ValueError("no")',
            (),
        ),
        ("def f() -> None: ...", ()),
    ],
)
def test_what_a_function_leaves_unsaid_is_found(text: str, unsaid: tuple[str, ...]) -> None:
    node = _function(text)

    assert unsaid_of_function(node, node.args.args, published=True) == unsaid


def test_a_parameter_is_explained_by_a_class_of_ours_only_where_nobody_writes_against_it() -> None:
    node = _function('def f(scenario: Scenario) -> None:\n    """Run."""')

    assert unsaid_of_function(node, node.args.args, published=False) == ()
    assert unsaid_of_function(node, node.args.args, published=True) == ("scenario",)


def test_a_field_without_a_word_is_found() -> None:
    node = ast.parse(
        'class A:\n    """A thing."""\n\n    size: int\n    name: str\n    """Its name."""'
    ).body[0]
    assert isinstance(node, ast.ClassDef)

    assert unsaid_of_class(node, published=True) == ("size",)
