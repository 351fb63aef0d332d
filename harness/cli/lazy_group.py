"""A command group whose commands are imported only when they are called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from harness.model.registry import nearest


class LazyGroup(click.Group):
    """Imports a command only when it is called: help must not wait for what runs need."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, tuple[str, str]], **options: Any) -> None:
        """Take the commands.

        Args:
            arguments: as click.Group takes them.
            lazy: by name, where a command is (`module:attribute`) and its summary for the help.
            options: as click.Group takes them.
        """
        super().__init__(*arguments, **options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those that were added first."""
        return [*super().list_commands(ctx), *self._lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported where it is lazy."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module_name, _, name = self._lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module_name), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names; of one that is misspelt, say which was meant.

        Raises:
            click.UsageError: there is no such command.
        """
        word = args[0]
        # What begins with a hyphen is a misspelt option, of which click says so.
        if not word.startswith("-") and self.get_command(ctx, word) is None:
            names = self.list_commands(ctx)
            if close := nearest(word, names):
                ctx.fail(f'no command "{word}". Did you mean "{close[0]}"?')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries, without importing any."""
        added = [
            (name, command.get_short_help_str(formatter.width))
            for name, command in sorted(self.commands.items())
        ]
        with formatter.section("Commands"):
            formatter.write_dl([*added, *((name, summary) for name, (_, summary) in self._lazy.items())])
