"""The texts of templates that findings name, for who acts on a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

TEXTS_MAX = 1_000


class TemplateTexts:
    """The texts of the templates that the latest findings named; read by any thread, written by one."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def note(self, template_ids: Iterable[str], text: Callable[[str], str | None]) -> None:
        """Keep the texts of templates; beyond so many the oldest are given up.

        Args:
            template_ids: Which.
            text: Returns the text of a template by its id; None where it is not known.
        """
        for template_id in template_ids:
            before = self._texts.pop(template_id, None)  # so that it is the latest again
            known = text(template_id) or before
            if known is not None:
                self._texts[template_id] = known
        while len(self._texts) > TEXTS_MAX:
            del self._texts[next(iter(self._texts))]

    def text(self, template_id: str) -> str | None:
        """Return the text of a template, with `<*>` for what differs; None where it is not known."""
        return self._texts.get(template_id)

    def content(self) -> dict[str, str]:
        """Return all that must survive a restart, as JSON has it."""
        return dict(self._texts)

    def restore(self, content: Mapping[str, str]) -> None:
        """Go on with what `content` returned."""
        self._texts.update(content)
