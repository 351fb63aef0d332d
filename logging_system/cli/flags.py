"""The flags of programs: one for each setting that a program uses, but for secrets."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from logging_system.cli.parser import Parser
    from logging_system.config.loading import Loaded
    from logging_system.config.settings import Program
    from logging_system.monitoring.events import Event

PRECEDENCE = (
    "A flag takes precedence over the environment variable (LOGGING_SYSTEM_ and the name in capitals), the "
    "variable over the settings file. Passwords and API keys have no flag."
)


def add_flags(parser: argparse.ArgumentParser, program: Program) -> None:
    """Add `--settings` and the flags of a program's settings."""
    from logging_system.config.settings import is_secret, settings_of

    parser.add_argument("--settings", metavar="FILE", help="YAML file of settings")
    for name in settings_of(program):
        if not is_secret(name):
            _add_flag(parser, name, _usual(program, name))


def given_settings(options: argparse.Namespace) -> Mapping[str, Any]:
    """Return the settings that were given as flags, by name."""
    from logging_system.config.settings import FILE_SETTING, Settings

    names = {FILE_SETTING, *Settings.model_fields}
    return {name: value for name, value in vars(options).items() if name in names}


def flag(name: str) -> str:
    """Return a setting as a flag."""
    return f"--{name.replace('_', '-')}"


def missing_folder(loaded: Loaded) -> Iterator[str]:
    """Yield what is missing where nothing says which spool folder to use."""
    if loaded.settings.spool is None and "service" not in loaded.origins:
        yield "--spool is required, or --service, which names the default folder"


def settings_asked_for(options: argparse.Namespace, parser: Parser) -> Loaded:
    """Return the settings of a program; a mistake in them ends it, and what is no setting is told.

    Args:
        options: The flags that were given.
        parser: Of the program.
    """
    from logging_system.config.loading import load_settings
    from logging_system.monitoring.event_words import log_in_words

    loaded = load_settings(given_settings(options), written=flag)
    if wrong := [*map(str, loaded.problems), *missing_folder(loaded)]:
        parser.error("; ".join(wrong))
    tell_warnings(loaded, log_in_words)
    return loaded


def tell_warnings(loaded: Loaded, emit: Callable[[Event], None]) -> None:
    """Emit what in the environment is no setting."""
    from logging_system.monitoring.events import SettingsProblem

    for warning in loaded.warnings:
        emit(SettingsProblem(where=warning.where, what=warning.what, consequence="ignored"))


def _usual(program: Program, name: str) -> str:
    """Say what a program takes where a flag is not given; empty where the description says it."""
    from logging_system.config.settings import UNKNOWN_SERVICE, Settings

    # What a handler may leave out a program must be told: nobody logs by it, so a wrong folder shows nothing.
    if name == "spool":
        return "Required without --service."
    if name == "service":
        usual = "the folder's name" if program == "console" else UNKNOWN_SERVICE
        return f"Required without --spool; with it, the default is {usual}."
    default = Settings.model_fields[name].default
    # What is no plain value is told in the description.
    shown = str(default).lower() if isinstance(default, bool) else default
    return f"Default: {shown}." if isinstance(default, str | int | float) else ""


def _add_flag(parser: argparse.ArgumentParser, name: str, usual: str) -> None:
    from logging_system.config.settings import Settings, used_by

    field = Settings.model_fields[name]
    kind = next(each for each in get_args(field.annotation) or (field.annotation,) if each is not NoneType)
    several = get_origin(field.annotation) is list
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if kind is bool:
        metavar = "true|false"
    elif choices:
        metavar = "|".join(map(str, choices))
    else:
        metavar = used_by(name).unit.upper() or ("PATH" if kind is Path else "NAME")
    # A flag without its value means true, as a switch does.
    switch: dict[str, Any] = {"nargs": "?", "const": "true"} if kind is bool else {}
    parser.add_argument(
        flag(name),
        metavar=metavar,
        action="append" if several else "store",
        help=_help(field.description or "", usual, several=several),
        **switch,
    )


def _help(description: str, usual: str, *, several: bool) -> str:
    more = " Repeat the flag for more." if several else ""
    return f"{description}{more} {usual}".rstrip().replace("`", "").replace("%", "%%")
