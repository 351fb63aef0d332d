"""The pytest plugin: scenario files as tests, and faults in the user's own tests.

It is loaded into every pytest session of an environment that has logquake, so this module imports nothing but
pytest: what a session with a stack needs is imported once a stack is named.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.integrations.log_oracle import LogOracle
    from harness.integrations.running_stack import RunningStack

SHORT = "--stack"
LONG = "--logquake-stack"

OPTIONS = (
    ("stack", "NAME|FILE", "The stack under test; without one, logquake does nothing. Short: --stack."),
    (
        "backend",
        "WORD",
        "Where Elasticsearch and the fault proxy come from: embedded, local, containers or attached.",
    ),
    ("seed", "N", "Fixes the schedule of each scenario (default 1)."),
    ("gate", "FILE", "Rules for passing; a gate that fails fails the session, too."),
    ("out", "FOLDER", "Folder for results (default: reports)."),
    ("repeats", "N", "How often an inconclusive scenario is run again, 0 to 2 (default: 2)."),
    (
        "inconclusive",
        "fail|xfail|skip",
        "What a scenario that could not be decided counts as (default: fail).",
    ),
)
_SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option and an ini setting of one name for each thing that can be said.

    Args:
        parser: pytest's.
    """
    group = parser.getgroup("logquake", "logquake: logging stacks under failure")
    for name, what, words in OPTIONS:
        group.addoption(f"--logquake-{name}", dest=f"logquake_{name}", metavar=what, help=words)
        parser.addini(f"logquake_{name}", words, default="")
    parser.addini("logquake_stack_scope", "How long the fixture logquake_stack lasts.", default=_SCOPES[0])


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> Generator[None, object, object]:
    """Read `--stack` as `--logquake-stack`, unless a plugin or a conftest.py has a --stack of its own.

    Args:
        parser: pytest's; it is asked whether anybody else takes `--stack`.
        args: the command line, which is changed in place.

    Yields:
        Nothing; what other plugins return is returned.
    """
    done = yield
    if any(_is_short(word) for word in args) and _is_nobodys(parser):
        args[:] = [word.replace(SHORT, LONG, 1) if _is_short(word) else word for word in args]
    return done


def _is_short(word: str) -> bool:
    return word == SHORT or word.startswith(f"{SHORT}=")


def _is_nobodys(parser: pytest.Parser) -> bool:
    word = f"{SHORT}=x"
    return word in parser.parse_known_and_unknown_args([word])[1]


def pytest_configure(config: pytest.Config) -> None:
    """Bring in what runs scenarios where a stack is named.

    Args:
        config: pytest's.
    """
    if told(config, "stack"):
        from harness.integrations.pytest_hooks import Hooks

        config.pluginmanager.register(Hooks(config), "logquake-scenarios")


def told(config: pytest.Config, name: str) -> str:
    """Return what an option says, else the ini setting of its name; empty where neither says anything.

    Args:
        config: pytest's.
        name: of `OPTIONS`, without its prefix.
    """
    return str(config.getoption(f"logquake_{name}", None) or config.getini(f"logquake_{name}"))


def _scope(fixture_name: str, config: pytest.Config) -> Any:
    """Return the scope of `logquake_stack`."""
    scope = str(config.getini("logquake_stack_scope"))
    if scope not in _SCOPES:
        raise pytest.UsageError(f'logquake_stack_scope: "{scope}" is none of {", ".join(_SCOPES)}')
    return scope


@pytest.fixture(scope=_scope)
def logquake_stack(pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """The stack of --logquake-stack, running; its links, processes and files are this test's own.

    Args:
        pytestconfig: pytest's fixture.

    Yields:
        The running stack.
    """
    hooks = pytestconfig.pluginmanager.get_plugin("logquake-scenarios")
    if hooks is None:
        pytest.fail(
            "logquake_stack: no stack is named. Add --logquake-stack NAME|FILE, or logquake_stack to the "
            "ini file.",
            pytrace=False,
        )
    with hooks.running_stack() as running:
        yield running


@pytest.fixture
def fault(logquake_stack: RunningStack) -> Callable[..., AbstractContextManager[Any]]:
    """Hurts the running stack for as long as a `with` block lasts, see `RunningStack.fault`.

    Args:
        logquake_stack: the fixture above.

    Returns:
        `RunningStack.fault`: called with a fault's word, a target and its arguments, it returns the context
        manager.
    """
    return logquake_stack.fault


@pytest.fixture
def log_oracle(logquake_stack: RunningStack) -> Iterator[LogOracle]:
    """Sends records into the running stack and asserts that it kept them.

    Args:
        logquake_stack: the fixture above.

    Yields:
        The oracle; at the test's end it judges what was sent.
    """
    from harness.integrations.log_oracle import LogOracle

    with LogOracle(logquake_stack) as oracle:
        yield oracle
