"""The tables of docs/reference/masking.md, from the rules; `config/reference.py` writes the page."""

from __future__ import annotations

from logging_system.masking.declaration import NAMED_FIELD_NAME
from logging_system.masking.denied_names import CREDENTIALS, DERIVED, HEADERS, PASSWORDS, SHORT_PASSWORDS
from logging_system.masking.rule import Rule
from logging_system.masking.rules import FAMILIES

_HEAD = "| rule | finds | masked (between « and ») | left as it is |\n| --- | --- | --- | --- |\n"
_SHOWN_CHARACTERS = 72


def tables() -> str:
    """Return the tables of names and rules, in Markdown."""
    names = ", ".join(f"`{name}`" for name in (*PASSWORDS, *CREDENTIALS, *DERIVED, *HEADERS))
    short = ", ".join(f"`{name}`" for name in SHORT_PASSWORDS)
    parts = [
        f"## Names of fields\n\nRule `{NAMED_FIELD_NAME}`: the value of a field or label whose name ends in "
        f"one of these: {names}. These count only as a word of their own: {short}. Case and what separates "
        "words (`-`, `_`, `.`, a blank) do not matter. Numbers under a plural (`max_tokens`) stay.\n"
    ]
    parts += [f"## {family}\n\n{_HEAD}{''.join(map(_row, rules))}" for family, rules in FAMILIES.items()]
    return "\n".join(parts)


def _row(rule: Rule) -> str:
    name = f"`{rule.name}`" + (" (opt-in)" if rule.is_opt_in else "")
    examples, counterexamples = map(_examples, (rule.examples, rule.counterexamples))
    return f"| {name} | {_cell(rule.what)} | {examples} | {counterexamples} |\n"


def _examples(texts: tuple[str, ...]) -> str:
    return "<br>".join(f"<code>{_cell(_shown(text))}</code>" for text in texts[:4])


def _shown(text: str) -> str:
    shown = text.replace("\n", "⏎").replace("\x1b", "␛")
    if len(shown) <= _SHOWN_CHARACTERS:
        return shown
    half = _SHOWN_CHARACTERS // 2
    return f"{shown[:half]}…{shown[-half:]}"


def _cell(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        "".join(f"&#{ord(each)};" if each in "|*_[]\\" else each for each in escaped)
        if "`" not in text
        else escaped
    )
