"""What a masking rule is: where it looks, what it takes for a secret, and what becomes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Action = Literal["redact", "keep_last_4", "token", "drop_record"]
"""What becomes of a secret: nothing is left, or its last four letters and digits, or a keyed token, which is
the same for the same secret; or the record is not kept."""

Span = tuple[int, int]
"""Where a secret stands in a text: its first character, and the one behind its last."""

Judge = Callable[[str, Span], Iterable[Span]]
"""Told a text and what the pattern found in it, returns the secrets in that: none where it is something else.

Its time is linear in what was found.
"""


def as_it_is(secret: str) -> str:
    """Return a secret as it was written."""
    return secret


@dataclass(frozen=True, slots=True)
class Rule:
    r"""One kind of secret.

    Attributes:
        name: In settings, in what stands for a secret, and in counts: lower case letters, digits and "_".
        what: What it finds, for the reference page.
        gate: Expressions of RE2, of which one is in every record that has such a secret. They are looked for
            in the record's JSON, all rules' at once; only where one is found is `pattern` tried. Rules that
            name the same expression share it: what is looked for costs, not who asks. In JSON a
            line's end is written `\n`, so no gate begins with `\b`.
        pattern: Expression of RE2 for the secret: its first group that takes part, or all of it without
            groups. After anything unbounded in it nothing is required, so that many finds cost no more than
            one.
        judge: Decides what the pattern cannot: checksums, lengths, what is a placeholder.
        canonical: The form of a secret that its token is made of, so that two ways to write it are equal.
        action: What becomes of the secret where settings do not say.
        is_opt_in: Whether the rule is used only where settings name it.
        is_of_command: Whether it looks at a whole command, whose arguments may be the items of a list.
        examples: Texts with each secret between « and ».
        counterexamples: Texts without one.
    """

    name: str
    what: str
    gate: tuple[str, ...]
    pattern: str
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...]
    judge: Judge | None = None
    canonical: Callable[[str], str] = as_it_is
    action: Action = "redact"
    is_opt_in: bool = False
    is_of_command: bool = False


def if_so(is_secret: Callable[[str], bool]) -> Judge:
    """Return a judge that takes all that was found, or nothing.

    Args:
        is_secret: Whether a text is one.
    """

    def judge(text: str, found: Span) -> Iterable[Span]:
        return (found,) if is_secret(text[found[0] : found[1]]) else ()

    return judge
