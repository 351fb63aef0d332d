"""Remembers the templates of masked lines of late, in bounded memory: most lines end here."""

from __future__ import annotations

from logging_system.coordination.learning.template import Template

_LINES_MAX = 8_192
_CHARACTERS_MAX = 512 * 1024


class MaskedLines:
    """The templates of masked lines.

    Attributes:
        template_of: By masked line; read directly, as it is asked for each line.
    """

    def __init__(self) -> None:
        self.template_of: dict[str, Template] = {}
        self._lines_of: dict[Template, list[str]] = {}
        self._characters = 0

    def remember(self, masked_line: str, template: Template) -> None:
        """Remember a line's template; all others are forgotten where there is no room.

        Args:
            masked_line: The line, with wildcards for its values; one that is not remembered yet. There is
                room for 8,192 lines of 524,288 characters in all.
            template: Its template.
        """
        self._characters += len(masked_line)
        if len(self.template_of) >= _LINES_MAX or self._characters > _CHARACTERS_MAX:
            self.template_of.clear()
            self._lines_of.clear()
            self._characters = len(masked_line)
        self.template_of[masked_line] = template
        self._lines_of.setdefault(template, []).append(masked_line)

    def move(self, old: Template, new: Template) -> None:
        """Remember that a template became another.

        Args:
            old: The one that is no more; it may have no lines.
            new: The one that its lines belong to from now on.
        """
        lines = self._lines_of.pop(old, None)
        if lines is not None:
            self._lines_of.setdefault(new, []).extend(lines)
            for line in lines:
                self.template_of[line] = new

    def forget(self, template: Template) -> None:
        """Forget the lines of a template."""
        for line in self._lines_of.pop(template, ()):
            del self.template_of[line]
            self._characters -= len(line)
