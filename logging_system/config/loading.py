"""Loads the settings of a program; a value that cannot be used is a `Problem`, never an exception.

A value comes from the first of these that has it: keyword or command-line flag, environment variable,
settings file, default.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from logging_system.config.setting_types import absolute
from logging_system.config.settings import ENVIRONMENT_PREFIX, FILE_SETTING, Settings
from logging_system.config.settings_file import SettingsFileError, read_settings_file

_RULES = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "path_type": "must be a path",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_type": "must be text",
    "value_error": "{error}",
}


_OTHER_NAMES = {
    **dict.fromkeys(("host", "hosts", "node", "nodes", "url", "urls", "cloud_url"), "elasticsearch"),
    **dict.fromkeys(("data_stream", "index", "index_name"), "stream"),
    **dict.fromkeys(("directory", "folder", "spool_dir", "spool_folder", "path"), "spool"),
    **dict.fromkeys(("app", "application", "name", "service_name"), "service"),
    **dict.fromkeys(("filename", "file_name", "log_file"), "file"),
    **dict.fromkeys(("ca", "ca_cert", "ca_file", "cafile"), "ca_certs"),
    **dict.fromkeys(("compress", "http_compress"), "gzip"),
    **dict.fromkeys(("extra", "fields", "tags"), "labels"),
    **dict.fromkeys(("filters", "middleware"), "processors"),
    **dict.fromkeys(("basic_auth", "user"), "username"),
    **dict.fromkeys(("masking", "redact", "redaction", "scrub", "sanitize"), "mask"),
    "sender": "shipper",
    "timeout": "request_timeout_seconds",
    "verify_certs": "verify",
}
"""What settings are called elsewhere, where that does not look like our name for it."""

_PROTECTING = (
    "encrypt_fields",
    "encryption",
    "fernet_keys",
    "mask",
    "mask_token_key_file",
    "processors",
    "token_fields",
)
"""What must be done to every record: where it is not known, none may be written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting.

    Attributes:
        name: The setting.
        where: Where its value came from.
        what: What is wrong and what would be right; never the value, which may be a secret.
    """

    name: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"

    @property
    def hides_processors(self) -> bool:
        """Whether it leaves open what must be done to every record: then none may be written.

        So it is with a file of settings that cannot be read, and with a misspelt name.
        """
        if self.name in Settings.model_fields:
            return self.name in _PROTECTING
        close = difflib.get_close_matches(self.name, _PROTECTING, n=1, cutoff=0.8)
        return self.name == FILE_SETTING or bool(close) or _OTHER_NAMES.get(self.name.lower()) in _PROTECTING


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings as far as they could be read; what could not has its default.

    Attributes:
        settings: The settings.
        problems: What stands in their way.
        warnings: Environment variables that are no setting; an orchestrator may have set them.
        origins: Where each value that is no default came from, by name.
    """

    settings: Settings
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    origins: Mapping[str, str]

    def where(self, name: str) -> str:
        """Return where the setting's value came from, or where it could be given.

        Args:
            name: The setting's.
        """
        return self.origins.get(name, f"{name} ({ENVIRONMENT_PREFIX}{name.upper()})")


def load_settings(keywords: Mapping[str, Any], *, written: Callable[[str], str] = "{}=".format) -> Loaded:
    """Read the settings from their four sources.

    Args:
        keywords: Arguments or flags that were given; `settings` names the file.
        written: How a keyword is written, for messages.

    Returns:
        The settings and every problem on the way; nothing is raised for a bad value.
    """
    given = {name: value for name, value in keywords.items() if value is not None}
    origins = {name: written(name) for name in given}
    environment = _environment()
    for name in environment.keys() - origins.keys():
        origins[name] = f"{ENVIRONMENT_PREFIX}{name.upper()}"
    path = given.pop(FILE_SETTING, environment.get(FILE_SETTING))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    if path is not None:
        try:
            content = read_settings_file(absolute(Path(path)))
        except (SettingsFileError, TypeError, ValueError) as error:
            problems.append(Problem(FILE_SETTING, origins[FILE_SETTING], str(error)))
        else:
            for name, (value, line) in content.items():
                if name not in origins:
                    origins[name] = f"{path}:{line} {name}"
                    given[name] = value
    origins.pop(FILE_SETTING, None)
    for name in sorted(origins.keys() - Settings.model_fields.keys()):
        unknown = Problem(name, origins.pop(name), _unknown(name))
        (problems if given.pop(name, None) is not None else warnings).append(unknown)
    settings, invalid = _validate(given, origins)
    return Loaded(settings, (*problems, *invalid), tuple(warnings), origins)


def _validate(given: dict[str, Any], origins: Mapping[str, str]) -> tuple[Settings, list[Problem]]:
    try:
        return Settings(**given), []
    except ValidationError as error:
        found = {str(each["loc"][0]): _rule(each) for each in error.errors()}
    problems = [Problem(name, origins.get(name, name), rule) for name, rule in found.items()]
    defaults = {name: Settings.model_fields[name].get_default(call_default_factory=True) for name in found}
    return Settings(**{**given, **defaults}), problems


def _rule(error: ErrorDetails) -> str:
    rule = _RULES.get(error["type"])
    return error["msg"] if rule is None else rule.format_map(error.get("ctx", {}))


def _environment() -> dict[str, str]:
    prefix_length = len(ENVIRONMENT_PREFIX)
    return {
        name[prefix_length:].lower(): value
        for name, value in os.environ.items()
        if value and name.upper().startswith(ENVIRONMENT_PREFIX)
    }


def _unknown(name: str) -> str:
    lowered = name.lower()
    close = (
        difflib.get_close_matches(lowered, Settings.model_fields, n=1)
        or [setting for setting in Settings.model_fields if setting.startswith(f"{lowered}_")]
        or [setting for setting in Settings.model_fields if f"_{lowered}_" in f"_{setting}_"]
    )
    meant = _OTHER_NAMES.get(lowered) or (close[0] if close else None)
    return (
        f'no such setting; did you mean "{meant}"?'
        if meant
        else "no such setting; see docs/reference/settings.md"
    )
